# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verifying reader: the one piece of code that says whether bytes are a whole archive, and what is in it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from .._errors import ArchiveError
from .._system.worker_process import Worker, WorkerProcess, is_of_use
from .gzip_tar import Member, gunzip, members
from .meta import Meta, compare_sums, parse_meta
from .records.kv_prefixes import KvPrefixes
from .records.visitor import Visitor
from .state import State, StateReader

META, STATE, SUMS = "meta.json", "state.bin", "SHA256SUMS"
_SMALL_MEMBER_LIMIT = 1 << 20
_LONG = 8 << 20
"""Bytes of a state from which on another process is worth its beginning."""


class Archive(NamedTuple):
    """A verified archive: its metadata and what its state holds."""

    meta: Meta
    state: State


def read_archive(
    pieces: Iterable[bytes], *, kv_prefixes: KvPrefixes | None = None, visitor: Visitor | None = None
) -> Archive:
    """Read an archive to its last byte and return what is in it.

    Verified are gzip, tar, the sums of both members, ``Size`` against the state's length, and every record to its end;
    the last two Consul itself leaves to the restore, where they cost the server (observed on 1.8.7 and 1.22.7).

    :param pieces: the archive's bytes, in order, in pieces of any size.
    :param visitor: looks at the records as they are read, before it is known whether the archive verifies.
    :raises ArchiveError: it is not a whole archive; ``fault`` says at which layer.
    """
    with records_reader(kv_prefixes=kv_prefixes, visitor=visitor) as records:
        return read_with(records, pieces)


@contextmanager
def records_reader(
    *, kv_prefixes: KvPrefixes | None = None, visitor: Visitor | None = None, ahead: bool = False
) -> Iterator[Worker[State | ArchiveError]]:
    """Give what ``read_with`` needs to read one state; a long one is read in a process of its own where that is of use.

    :param visitor: unless it is portable it wants to see the records in this process, so there is no other one with it.
    :param ahead: begin that process now, because threads will be about later, and then it can't be begun.
    """
    with ExitStack() as stack:
        records = _Records(StateReader(kv_prefixes, visitor, time.time()))
        if visitor is not None and not visitor.portable:
            yield records
        elif ahead:
            yield stack.enter_context(WorkerProcess(records)) if is_of_use() else records
        else:
            yield _WhenLong(records, stack)


def read_with(records: Worker[State | ArchiveError], pieces: Iterable[bytes]) -> Archive:
    """Do what ``read_archive`` does, with a reader that was begun beforehand.

    :raises ArchiveError: as there.
    """
    sums: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    state: State | ArchiveError | None = None
    size = 0
    for member in members(gunzip(pieces)):
        if member.name in sums or member.name in texts or member.name not in (META, STATE, SUMS):
            raise _fault("tar", f"the archive contains an unexpected member {member.name!r}")
        if member.name == STATE:
            state, sums[STATE] = _read_state(member, records)
            size = member.size
        else:
            texts[member.name] = read_small(member)
            if member.name == META:
                sums[META] = hashlib.sha256(texts[META]).hexdigest()
    missing = [name for name in (META, STATE, SUMS) if name not in sums and name not in texts]
    if state is None or missing:
        raise _fault("truncated", f"the archive does not contain {missing[0]}")
    compare_sums(texts[SUMS], sums)
    meta = parse_meta(texts[META])
    if meta.size != size:
        raise _fault("size", f"meta.json gives the size of the state as {meta.size} bytes, but it has {size}")
    if isinstance(state, ArchiveError):
        raise state
    return Archive(meta, state)


def begins_like_archive(pieces: Iterable[bytes]) -> bool:
    """Whether these bytes begin as Consul's archives do, whole or not."""
    try:
        return next(members(gunzip(pieces))).name in (META, STATE, SUMS)
    except (ArchiveError, StopIteration):
        return False


def read_meta(pieces: Iterable[bytes]) -> Meta:
    """Return what ``meta.json`` says, the first member of an archive; nothing of it is verified.

    :raises ArchiveError: it is not there, or can't be understood.
    """
    first = next(members(gunzip(pieces)), None)
    if first is None or first.name != META:
        raise _fault("tar", "the archive does not begin with meta.json")
    return parse_meta(read_small(first))


class _Records:
    """Reads a state's records, and keeps to itself what is wrong with them until the end.

    A record that can't be read is only at fault when everything around it is right: damage on the way, which a second
    try may mend, breaks records as well but shows in a checksum further on.
    """

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader
        self._broken: ArchiveError | None = None

    def put(self, piece: bytes) -> None:
        if self._broken is None:
            try:
                self._reader.feed(piece)
            except ArchiveError as error:
                self._broken = error

    def finish(self) -> State | ArchiveError:
        try:
            return self._broken or self._reader.finish()
        except ArchiveError as error:
            return error


class _WhenLong:
    """Hands a reader's work over to another process when the state turns out to be long."""

    def __init__(self, records: _Records, stack: ExitStack) -> None:
        self._records: Worker[State | ArchiveError] = records
        self._stack = stack
        self._here = 0

    def put(self, piece: bytes) -> None:
        if self._here < _LONG:
            self._here += len(piece)
            if self._here >= _LONG and is_of_use():
                # It goes on there from what was read here.
                self._records = self._stack.enter_context(WorkerProcess(self._records))
        self._records.put(piece)

    def finish(self) -> State | ArchiveError:
        return self._records.finish()


def _read_state(member: Member, records: Worker[State | ArchiveError]) -> tuple[State | ArchiveError, str]:
    digest = hashlib.sha256()
    for piece in member.pieces:
        records.put(piece)
        digest.update(piece)
    return records.finish(), digest.hexdigest()


def read_small(member: Member) -> bytes:
    """Return what a member holds that is small in every archive: all but the state.

    :raises ArchiveError: it is far too large.
    """
    if member.size > _SMALL_MEMBER_LIMIT:
        raise _fault("tar", f"member {member.name} is too large")
    return b"".join(member.pieces)


def _fault(fault: str, message: str) -> ArchiveError:
    return ArchiveError(
        message, fault=fault, hint="Don't use this archive. Take a new one, or use an older one that verifies."
    )
