# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two archives, or an archive and the live cluster, compared: manifests first, then records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .._compare.record_diff import BaselineVisitor, Comparer, Resolver, Selection, TypeChange
from .._consul.client import Client
from .._consul.retry import with_retries
from .._errors import ArchiveError, FileError, SnapshotError
from .._model.identity import ClusterIdentity
from .._model.record_types import is_durable
from .._snapshot.reader import Archive, read_archive
from .._snapshot.records.fingerprint import Fingerprint, differing_types
from .._snapshot.records.visitor import Visitor
from .._storage.manifest import Manifest
from .._storage.manifest_file import manifest_beside
from .._system.atomic_files import Digest, digest_of, read_pieces
from .capture import capture


class DiffRequest(NamedTuple):
    """What is to be compared; ``after`` is None for the live cluster. ``limit``: names to list of each type at most."""

    before: str
    after: str | None
    datacenter: str | None
    selection: Selection
    limit: int


@dataclass(frozen=True)
class Side:
    """One of the two: ``path`` is None for the live cluster."""

    path: str | None
    index: int
    cluster: ClusterIdentity
    taken_at: float | None
    fingerprint: Fingerprint


class DiffResult(NamedTuple):
    """How it ended. ``quick``: the manifests' fingerprints were enough, no record was read."""

    before: Side
    after: Side
    types: dict[str, TypeChange]
    quick: bool

    @property
    def equal(self) -> bool:
        """Whether nothing that was compared differs."""
        return all(change.equal for change in self.types.values())


def compare(request: DiffRequest, connect: Callable[[], Client], report: Callable[[SnapshotError], None]) -> DiffResult:
    """Compare.

    :param connect: returns a client; called only when the live cluster is asked.
    :param report: gets the error of each try that is followed by another.
    :raises SnapshotError: of any kind.
    """
    before = _File("before", request.before)
    named = request.selection.types or frozenset()
    if request.after is None:
        return _with_cluster(request, before, connect(), report)
    after = _File("after", request.after)
    selection, equal = _left_to_read(before, after, request.selection)
    if before.side and after.side and selection.types == frozenset():
        return DiffResult(before.side, after.side, _unchanged(equal), True)
    learned = _learn(before, selection)
    comparer = Comparer(learned, request.limit)
    after.read(comparer)
    found = comparer.result(_resolved(before, learned, comparer, request.limit), named)
    return DiffResult(
        before.described(), after.described(), dict(sorted({**_unchanged(equal), **found}.items())), False
    )


def _with_cluster(
    request: DiffRequest, before: _File, client: Client, report: Callable[[SnapshotError], None]
) -> DiffResult:
    ready: list[BaselineVisitor] = [_learn(before, request.selection)]

    def attempt() -> tuple[BaselineVisitor, Comparer, Archive]:
        # What was learned is used up by a try, so that a further one begins anew.
        learned = ready.pop() if ready else _learn(before, request.selection)
        comparer = Comparer(learned, request.limit)
        return learned, comparer, capture(client, None, datacenter=request.datacenter, visitor=comparer).archive

    told = client.connection
    learned, comparer, archive = with_retries(attempt, retries=told.retries, delay=told.retry_delay, report=report)
    resolved = _resolved(before, learned, comparer, request.limit)
    types = comparer.result(resolved, request.selection.types or ())
    return DiffResult(before.described(), _side(None, archive, None), types, False)


def _learn(before: _File, selection: Selection) -> BaselineVisitor:
    learner = BaselineVisitor(selection)
    before.read(learner)
    return learner


def _resolved(before: _File, learned: BaselineVisitor, comparer: Comparer, limit: int) -> Resolver | None:
    if not limit or not comparer.removed:
        return None
    resolver = Resolver(learned, comparer.removed, limit)
    before.read(resolver)
    return resolver


def _left_to_read(before: _File, after: _File, selection: Selection) -> tuple[Selection, frozenset[str]]:
    """Return the selection without the types that the manifests show to be equal, and the names of these.

    Fingerprints are of durable content, so they say nothing of types or records that Consul moves by itself.
    """
    one, other = before.manifest_fingerprint, after.manifest_fingerprint
    if one is None or other is None or selection.volatile:
        return selection, frozenset()
    differing = frozenset(differing_types(one, other))
    if selection.types is None:
        return selection._replace(types=differing), frozenset({*one.types, *other.types}) - differing
    unread = frozenset(name for name in selection.types if is_durable(name)) - differing
    return selection._replace(types=selection.types - unread), unread


def _unchanged(types: frozenset[str]) -> dict[str, TypeChange]:
    return {name: TypeChange() for name in sorted(types)}


class _File:
    """An archive on disk, whose bytes must stay the same however often they are read."""

    def __init__(self, option: str, path: str) -> None:
        self._option, self._path = option, path
        self._digest = digest_of(path)
        self._manifest: Manifest | None = manifest_beside(path, self._digest).manifest
        self._archive: Archive | None = None

    @property
    def manifest_fingerprint(self) -> Fingerprint | None:
        """What the manifest beside it knows, if it is this archive's."""
        return self._manifest.fingerprint if self._manifest else None

    @property
    def side(self) -> Side | None:
        """What is known of it; None before it was read where no manifest tells."""
        if self._archive:
            return _side(self._path, self._archive, self._manifest)
        if self._manifest and self._manifest.fingerprint:
            told = self._manifest
            return Side(self._path, told.index, told.cluster, told.taken_at, self._manifest.fingerprint)
        return None

    def described(self) -> Side:
        """What is known of it after it was read."""
        side = self.side
        if side is None:
            raise ValueError("the archive was not read yet")
        return side

    def read(self, visitor: Visitor) -> None:
        """Read the archive while ``visitor`` looks on.

        :raises ArchiveError: it does not verify. :raises FileError: it can't be read, or was changed meanwhile.
        """
        checksum, size = hashlib.sha256(), 0

        def counted() -> Iterator[bytes]:
            nonlocal size
            for piece in read_pieces(self._path, checksum):
                size += len(piece)
                yield piece

        try:
            self._archive = read_archive(counted(), visitor=visitor)
        except ArchiveError as error:
            raise ArchiveError(
                f"{self._option}: {self._path} does not verify: {error.message}",
                fault=error.fault,
                hint=error.hint,
                retryable=False,
                path=self._path,
            ) from error
        if Digest(size, checksum.hexdigest()) != self._digest:
            raise FileError(
                f"{self._option}: {self._path} was changed while it was read",
                hint="Compare files that nobody writes to.",
                path=self._path,
            )


def _side(path: str | None, archive: Archive, manifest: Manifest | None) -> Side:
    origin = archive.state.origin
    cluster = manifest.cluster.completed(origin) if manifest else origin
    return Side(path, archive.meta.index, cluster, archive.meta.taken_at, archive.state.fingerprint)
