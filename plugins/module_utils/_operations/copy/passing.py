# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over an archive: read, opened, verified and written, all while it streams."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ..._errors import ArchiveError, FileError
from ..._snapshot.reader import Archive, read_with, records_reader
from ..._storage.archive_source import ArchiveSource
from ..._storage.protocol import Writer
from ..._system.atomic_files import Digest
from ..._system.worker_thread import WorkerThread

_SYNC_EVERY = 8 << 20
"""Bytes after which what was written is waited for, so that little is left for the end."""


class Passed(NamedTuple):
    """What an archive turned out to be. ``stored``: its bytes as they lie in their store.

    ``plain`` and ``archive`` are None where it is sealed and was not opened.
    """

    stored: Digest
    plain: Digest | None
    archive: Archive | None


def pass_on(source: ArchiveSource, writer: Writer, *, opens: bool, reseals: bool) -> Passed:
    """Read an archive to its last byte, and write it. Nothing is published here.

    :param writer: gets the bytes as they lie in their store or, with ``reseals``, the plain ones. Its name is set.
    :param opens: whether its plain bytes are read, and verified record by record.
    :raises ArchiveError: it does not verify. :raises SealedError: it can't be opened.
    :raises FileError, StoreError: it can't be read or written, or was changed meanwhile.
    """
    stored, plain, archive = _Passing(), _Passing(), None
    seen = source.look()
    with contextlib.ExitStack() as stack:
        # Another process can't be begun any more once there are threads.
        records = stack.enter_context(records_reader(ahead=True)) if opens else None
        writing = stack.enter_context(WorkerThread(_writer_of(writer)))
        pieces = stored.through(source.stored(seen))
        if records is None:
            for piece in pieces:
                writing.put(piece)
        else:
            reader = records
            reading = stack.enter_context(WorkerThread(lambda incoming: read_with(reader, incoming)))
            through = pieces if reseals else _also(pieces, writing.put)
            for piece in plain.through(source.opened(through)):
                reading.put(piece)
                if reseals:
                    writing.put(piece)
            archive = reading.finish()
        writing.finish()
    if not stored.is_over or stored.digest.size != seen.size:
        raise _changed(source)
    return Passed(stored.digest, plain.digest if opens else None, archive)


def _writer_of(writer: Writer) -> Callable[[Iterator[bytes]], None]:
    def write(pieces: Iterator[bytes]) -> None:
        unsynced = 0
        for piece in pieces:
            writer.write(piece)
            unsynced += len(piece)
            if unsynced >= _SYNC_EVERY:
                writer.sync()
                unsynced = 0
        writer.sync()

    return write


def _also(pieces: Iterable[bytes], give: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        give(piece)
        yield piece


def _changed(source: ArchiveSource) -> Exception:
    if source.path is None:
        return ArchiveError("the archive does not have the length that its store names", fault="truncated")
    hint = "Name a file that nobody writes to."
    return FileError(f"{source.shown} was changed while it was read", hint=hint, path=source.shown)


class _Passing:
    """Counts and hashes bytes as they pass."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size = 0
        self.is_over = False

    @property
    def digest(self) -> Digest:
        """The digest of what has passed so far."""
        return Digest(self._size, self._sha256.hexdigest())

    def through(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces."""
        for piece in pieces:
            self._size += len(piece)
            self._sha256.update(piece)
            yield piece
        self.is_over = True
