# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot taken from a live cluster and verified while it streams in."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .._consul.client import Client, Headers
from .._errors import ArchiveError, StaleError
from .._snapshot.reader import Archive, read_with, records_reader
from .._snapshot.records.visitor import Visitor
from .._system.atomic_files import AtomicFile, Digest
from .._system.worker_thread import WorkerThread

_HINTS = {
    "not_gzip": "Check that host, port and path lead to Consul's HTTP API, and that no proxy responds instead.",
    "gzip": "The archive was damaged on its way. Try again.",
    "truncated": "The response is incomplete. Try again, and read the log of the server.",
    "trailing": "Consul appends an error's text to the response when a save fails late. Try again, and read its log.",
}
_SYNC_EVERY = 8 << 20
"""Bytes after which what was written is seen onto the disk."""


class Capture(NamedTuple):
    """A verified snapshot: what the server said of it, what is in it, and its bytes' digest."""

    headers: Headers
    archive: Archive
    digest: Digest


def capture(
    client: Client,
    partial: AtomicFile | None,
    *,
    datacenter: str | None = None,
    stale: bool = False,
    max_stale: int | None = None,
    visitor: Visitor | None = None,
) -> Capture:
    """Take one snapshot, verify it, and write it to ``partial`` (None: keep nothing but what is known of it).

    The archive is on the disk when this returns, but not yet in its place.

    :param max_stale: milliseconds since the answering server heard from the leader, at most.
    :param visitor: looks at the records as they are read, in another thread, before it is known whether all is well.
    :raises SnapshotError: of any kind; nothing is in place then.
    """
    digest, size = hashlib.sha256(), 0
    if partial is not None:
        partial.truncate()
    with _answer_of_a_server(), contextlib.ExitStack() as stack:
        records = stack.enter_context(records_reader(visitor=visitor, ahead=True))
        headers, pieces = stack.enter_context(client.snapshot(datacenter=datacenter, stale=stale))
        _refuse_too_stale(headers, stale, max_stale)
        # Three do their part of the work at once: what reads it, what checks it, and what waits for the disk.
        reading = stack.enter_context(WorkerThread(lambda pieces: read_with(records, pieces)))
        writing = None if partial is None else stack.enter_context(WorkerThread(_writer_of(partial)))
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            reading.put(piece)
            if writing is not None:
                writing.put(piece)
        if writing is not None:
            writing.finish()
        archive = reading.finish()
    if headers.index is not None and headers.index != archive.meta.index:
        raise ArchiveError(
            f"the response announced index {headers.index} and the archive in it has {archive.meta.index}",
            fault="index",
            hint="Something between here and Consul mixed up two responses; use a server's own address.",
        )
    return Capture(headers, archive, Digest(size, digest.hexdigest()))


def _writer_of(partial: AtomicFile) -> Callable[[Iterator[bytes]], None]:
    """Return what writes pieces to a file and sees them onto the disk as they come: little is left for the end."""

    def write(pieces: Iterator[bytes]) -> None:
        unsynced = 0
        for piece in pieces:
            partial.write(piece)
            unsynced += len(piece)
            if unsynced >= _SYNC_EVERY:
                partial.sync()
                unsynced = 0
        partial.sync()

    return write


@contextlib.contextmanager
def _answer_of_a_server() -> Iterator[None]:
    """Give errors the advice that fits what was sent over the network; where they come from it is for files."""
    try:
        yield
    except ArchiveError as error:
        error.hint = _HINTS.get(error.fault, error.hint)
        raise


def _refuse_too_stale(headers: Headers, stale: bool, max_stale: int | None) -> None:
    if not stale or max_stale is None:
        return
    # KnownLeader can't be relied on: it still says true just after the leader is lost (observed on 1.8.7 and 1.22.7).
    if headers.last_contact_ms is None:
        raise StaleError(
            "the response does not say how stale it is", hint="Use a server's own address, or leave out max_stale."
        )
    if headers.last_contact_ms > max_stale:
        raise StaleError(
            f"the server heard from the leader {headers.last_contact_ms} ms ago, and max_stale is {max_stale}",
            hint="Raise max_stale, or ask another server.",
            last_contact_ms=headers.last_contact_ms,
        )
