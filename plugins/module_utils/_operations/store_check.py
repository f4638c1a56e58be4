# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a store really does, seen with objects of our own that are removed afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from .._errors import FailureKind, FileError, SnapshotError, StoreError
from .._storage.protocol import Remnant, Store, Writer
from .._storage.settings import ObjectLock
from . import store_verdicts as verdicts
from .journal import Journal
from .store_verdicts import Check, Race

PREFIX = "store-check-"
_STALE = 3600
"""Seconds after which the objects of an earlier run are those of a killed one."""
_LOCK_SECONDS = 600
"""For how long an object is locked to see whether a lock holds: longer than clocks differ."""
_WRITERS = 4
_LARGE = (8 << 20) + 1
"""Bytes that no backend sends in one request."""
_PIECE = 1 << 20

_REFUSED = (FailureKind.STORE_DENIED, FailureKind.STORE_LOCKED)


class Report(NamedTuple):
    """All checks, in the order of ``store_verdicts.NAMES``, and objects of this run that could not be removed."""

    checks: list[Check]
    left_behind: list[Remnant]


def check_store(store: Store, journal: Journal, *, lock: ObjectLock | None, check: bool) -> Report:
    """Find out what a store does.

    :param journal: gets the phases ``look``, ``write`` and ``clean``.
    :param store: opened without a lock of its own: the objects of a check are not to be there for as long as archives.
    :param lock: the lock that new archives are to have; None: whatever the store gives them.
    :param check: only read.
    :raises StoreError: the store can't be reached, or the credentials are not accepted.
    :raises FileError: the directory can't be read.
    """
    found: dict[str, Check] = {}
    with journal.phase("look"):
        for item in store.list(PREFIX):
            if not check and item.modified < time.time() - _STALE:
                store.purge(item.name)
        kept = _versioning(store, found)
        if lock is None:
            found[verdicts.OBJECT_LOCK] = _lock_default(store)
    if check:
        return Report([found.get(name) or verdicts.not_tried(name, check=True) for name in verdicts.NAMES], [])
    run = _Run(store)
    try:
        with journal.phase("write"):
            found[verdicts.WRITE] = run.write()
            if found[verdicts.WRITE].ok:
                run.examine(found, lock=lock, kept=kept)
    finally:
        with journal.phase("clean"):
            left_behind = run.clean()
    rows = [found.get(name) or verdicts.not_tried(name, check=False) for name in verdicts.NAMES]
    return Report(rows, left_behind)


def _versioning(store: Store, found: dict[str, Check]) -> bool | None:
    try:
        kept = store.versioning()
    except StoreError as error:
        _require_answer(error)
        found[verdicts.VERSIONING] = verdicts.denied(verdicts.VERSIONING, error)
        return None
    found[verdicts.VERSIONING] = verdicts.versioning(kept)
    return kept


def _lock_default(store: Store) -> Check:
    try:
        return verdicts.lock_default(store.lock_default())
    except StoreError as error:
        _require_answer(error)
        return verdicts.denied(verdicts.OBJECT_LOCK, error)


def _require_answer(error: StoreError) -> None:
    """Raise an error again that says nothing of the one question that was asked."""
    if error.kind not in (FailureKind.STORE_DENIED, FailureKind.STORE_LOCKED, FailureKind.STORE):
        raise error


class _Run:
    """The objects of one run. All of their names begin with one prefix of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prefix = f"{PREFIX}{secrets.token_hex(8)}-"
        self._names: list[str] = []
        self._data = secrets.token_bytes(64)

    def write(self) -> Check:
        """Store the first object."""
        try:
            self._store.put_new(self._name("first"), self._data)
        except FileError as error:
            return verdicts.wrote(error)
        except StoreError as error:
            _require_answer(error)
            return verdicts.wrote(error)
        return verdicts.wrote(None)

    def examine(self, found: dict[str, Check], *, lock: ObjectLock | None, kept: bool | None) -> None:
        """Try all that needs an object which is there."""
        first = self._names[0]
        self._answer(found, verdicts.READ_BACK, lambda: verdicts.read_back(self._differences(first)))
        self._answer(found, verdicts.CREATE_ONLY, lambda: self._create_only(first))
        self._answer(found, verdicts.CHECKSUMS, self._checksums)
        self._answer(found, verdicts.ATOMIC, lambda: verdicts.atomic(self._seen_too_early()))
        if lock is not None:
            self._answer(found, verdicts.OBJECT_LOCK, lambda: self._locked(lock))
        self._answer(found, verdicts.MAY_OVERWRITE, lambda: self._may_overwrite(first, kept))
        self._answer(found, verdicts.MAY_DELETE, lambda: self._may_delete(first))

    def clean(self) -> list[Remnant]:
        """Remove all objects of this run, and return those that can't be removed."""
        left: list[Remnant] = []
        for name in self._names:
            try:
                left += self._store.purge(name)
            except SnapshotError as error:
                left.append(Remnant(name, error.message))
        # Where removal isn't permitted, that is also said of what never was there.
        there = {item.name for item in self._store.list(self._prefix)} if left else set()
        return [one for one in left if one.name in there or one.locked_until is not None]

    def _answer(self, found: dict[str, Check], name: str, ask: Callable[[], Check]) -> None:
        try:
            found[name] = ask()
        except StoreError as error:
            _require_answer(error)
            found[name] = verdicts.denied(name, error)

    def _name(self, label: str) -> str:
        name = f"{self._prefix}{label}"
        self._names.append(name)
        return name

    def _differences(self, name: str) -> list[str]:
        faults = []
        if self._store.properties(name).size != len(self._data):
            faults.append("its size")
        with self._store.read(name) as pieces:
            if b"".join(pieces) != self._data:
                faults.append("its bytes")
        if name not in {item.name for item in self._store.list(self._prefix)}:
            faults.append("it is not listed")
        return faults

    def _create_only(self, first: str) -> Check:
        small = self._exists(lambda: self._store.put_new(first, b"another"))
        large = self._exists(lambda: self._upload(first))
        contested = self._name("contested")

        def create(number: int) -> bool:
            return not self._exists(lambda: self._store.put_new(contested, f"writer {number}".encode()))

        with ThreadPoolExecutor(_WRITERS) as pool:
            winners = sum(pool.map(create, range(_WRITERS)))
        return verdicts.create_only(small, large, Race(_WRITERS, winners))

    @staticmethod
    def _exists(store_it: Callable[[], object]) -> bool:
        """Return whether an object was refused because there is one of its name."""
        try:
            store_it()
        except StoreError as error:
            if error.kind != FailureKind.STORE_EXISTS:
                raise
            return True
        return False

    def _checksums(self) -> Check:
        return verdicts.checksums(self._store.accepts_wrong_checksum(self._name("checksum"), self._data))

    def _upload(self, name: str) -> None:
        with self._large(name) as (writer, sha256):
            writer.publish(sha256)

    @contextlib.contextmanager
    def _large(self, name: str) -> Iterator[tuple[Writer, str]]:
        """Give a writer that has everything of a large object, which is not published yet, and its SHA-256."""
        digest, rest = hashlib.sha256(), _LARGE
        with self._store.writer() as writer:
            writer.restart(name)
            while rest:
                piece = bytes(min(rest, _PIECE))
                writer.write(piece)
                digest.update(piece)
                rest -= len(piece)
            writer.sync()
            yield writer, digest.hexdigest()

    def _seen_too_early(self) -> list[str]:
        faults = []
        name = self._name("large")
        with self._large(name) as (writer, sha256):
            if self._visible(name):
                faults.append("an upload was visible before it was complete")
            writer.publish(sha256)
        if self._digest(name) != sha256:
            faults.append("an object that was uploaded in parts differs from what was sent")
        return faults

    def _visible(self, name: str) -> bool:
        if name in {item.name for item in self._store.list(self._prefix)}:
            return True
        try:
            self._store.properties(name)
        except StoreError as error:
            if error.kind != FailureKind.STORE_MISSING:
                raise
            return False
        except FileError:
            return False
        return True

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        with self._store.read(name) as pieces:
            for piece in pieces:
                digest.update(piece)
        return digest.hexdigest()

    def _locked(self, lock: ObjectLock) -> Check:
        name, until = self._name("locked"), float(int(time.time()) + _LOCK_SECONDS)
        try:
            self._store.put_locked(name, self._data, lock, until)
        except StoreError as error:
            _require_answer(error)
            return verdicts.no_lock(error)
        seen = self._store.properties(name).locked_until
        removed = _refusal(lambda: self._store.remove(name)) is None
        return verdicts.lock_kept(lock, until, seen, removed=removed)

    def _may_delete(self, first: str) -> Check:
        return verdicts.may_delete(_refusal(lambda: self._store.remove(first)))

    def _may_overwrite(self, first: str, kept: bool | None) -> Check:
        return verdicts.may_overwrite(_refusal(lambda: self._store.overwrite(first, b"overwritten")), kept=kept)


def _refusal(action: Callable[[], object]) -> StoreError | None:
    """Return what the store answered to something that it forbids; None: it was done."""
    try:
        action()
    except StoreError as error:
        if error.kind not in _REFUSED:
            raise
        return error
    return None
