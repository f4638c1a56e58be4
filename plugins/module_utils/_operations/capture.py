# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot taken from a live cluster and verified while it streams in."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from .._consul.client import Client, Headers
from .._errors import ArchiveError, StaleError
from .._model.identity import ClusterIdentity
from .._snapshot.reader import Archive, read_with, records_reader
from .._snapshot.records.visitor import Visitor
from .._storage.archive_names import archive_name
from .._system.atomic_files import Digest
from .._system.worker_thread import WorkerThread

_HINTS = {
    "not_gzip": "Check that host, port and path lead to Consul's HTTP API, and that no proxy responds instead.",
    "gzip": "The archive was damaged on its way. Try again.",
    "truncated": "The response is incomplete. Try again, and read the log of the server.",
    "trailing": "Consul appends an error's text to the response when a save fails late. Try again, and read its log.",
}
_SYNC_EVERY = 8 << 20
"""Bytes after which what was written is seen onto the disk."""


Naming = Callable[[Headers], str]
"""Returns the name of an archive, given what the server says before it sends it."""


class Sink(Protocol):
    """What the bytes of a snapshot are written to; see ``_storage.protocol.Writer``."""

    def restart(self, name: str) -> None:
        """Drop what was written, and begin anew under this name."""

    def write(self, data: bytes) -> None:
        """Append bytes."""

    def sync(self) -> None:
        """Wait until what was written so far is where it is to be."""


class Capture(NamedTuple):
    """A verified snapshot: what the server said of it, what is in it, and its bytes' digest."""

    headers: Headers
    archive: Archive
    digest: Digest


def named_after(cluster: ClusterIdentity, number: int = 1) -> Naming:
    """Return what names archives of a cluster by this host's clock, and by the index that the server announces.

    :param number: becomes a part of the name if it is above 1.
    """
    return lambda headers: archive_name(cluster, time.time(), headers.index or 0, number)


def capture(
    client: Client,
    sink: Sink | None,
    *,
    name_of: Naming | None = None,
    datacenter: str | None = None,
    stale: bool = False,
    max_stale: int | None = None,
    visitor: Visitor | None = None,
) -> Capture:
    """Take one snapshot, verify it, and write it to ``sink`` (None: keep nothing but what is known of it).

    The archive is on the disk, or in the store, when this returns, but nobody sees it yet.

    :param name_of: returns the name that the archive gets where it must have one before its first byte is written, as
        in a bucket. None: the name of the datacenter that is asked for is in it.
    :param max_stale: milliseconds since the answering server heard from the leader, at most.
    :param visitor: looks at the records as they are read, in another thread, before it is known whether all is well.
    :raises SnapshotError: of any kind; nothing is in place then.
    """
    digest, size = hashlib.sha256(), 0
    with _answer_of_a_server(), contextlib.ExitStack() as stack:
        records = stack.enter_context(records_reader(visitor=visitor, ahead=True))
        headers, pieces = stack.enter_context(client.snapshot(datacenter=datacenter, stale=stale))
        _refuse_too_stale(headers, stale, max_stale)
        if sink is not None:
            sink.restart((name_of or named_after(ClusterIdentity(datacenter, None, None)))(headers))
        # Three do their part of the work at once: what reads it, what checks it, and what waits for the disk.
        reading = stack.enter_context(WorkerThread(lambda pieces: read_with(records, pieces)))
        writing = None if sink is None else stack.enter_context(WorkerThread(_writer_of(sink)))
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


def _writer_of(sink: Sink) -> Callable[[Iterator[bytes]], None]:
    """Return what writes pieces and sees them onto the disk as they come: little is left for the end."""

    def write(pieces: Iterator[bytes]) -> None:
        unsynced = 0
        for piece in pieces:
            sink.write(piece)
            unsynced += len(piece)
            if unsynced >= _SYNC_EVERY:
                sink.sync()
                unsynced = 0
        sink.sync()

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
