# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive file, read from its first byte to its last, once: its digest, its manifest and its records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .._errors import FileError, SnapshotError
from .._snapshot.reader import Archive, read_archive
from .._snapshot.records.kv_prefixes import KvPrefixes
from .._snapshot.records.visitor import Visitor
from .._system.atomic_files import READ_SIZE, Digest, Stamp, file_errors, open_unchanged, stamp_of
from .manifest import Manifest
from .manifest_file import ManifestMatch, manifest_beside, read_manifest

IsEnough = Callable[[Manifest], bool]
"""Whether a manifest tells all that its reader needs, so that no record has to be read."""


class ArchiveFile(NamedTuple):
    """What was read. ``archive`` is None where the manifest is the archive's and is enough.

    ``stamp`` and ``digest`` are those of the very bytes that were read: see ``open_unchanged``.
    """

    path: str
    stamp: Stamp
    digest: Digest
    match: ManifestMatch
    archive: Archive | None

    @property
    def records(self) -> Archive:
        """The archive where its records were read, as they are without ``is_enough``."""
        if self.archive is None:
            raise ValueError("the records were not read")
        return self.archive

    @property
    def manifest(self) -> Manifest | None:
        """The manifest beside the archive, if it was written for these bytes."""
        return self.match.manifest


def read_archive_file(
    path: str,
    *,
    is_enough: IsEnough = lambda manifest: False,
    kv_prefixes: KvPrefixes | None = None,
    visitor: Visitor | None = None,
) -> ArchiveFile:
    """Verify an archive file: by its manifest where that is enough, record by record otherwise.

    Either takes one pass. Only a manifest of other bytes of the same length costs a second one.

    :param visitor: sees the records where they are read.
    :raises ArchiveError: it does not verify. :raises FileError: it can't be read, or was changed meanwhile.
    """
    stamp = stamp_of(path)
    digest = None
    if _may_be_enough(path, stamp, is_enough):
        digest = _digest(path, stamp)
        match = manifest_beside(path, digest)
        if match.manifest and is_enough(match.manifest):
            return ArchiveFile(path, stamp, digest, match, None)
    reading = _Reading()
    archive = read_archive(reading.pieces(path, stamp), kv_prefixes=kv_prefixes, visitor=visitor)
    if digest not in (None, reading.digest):
        raise FileError(f"{path} was changed while it was read", hint="Name a file that nobody writes to.", path=path)
    return ArchiveFile(path, stamp, reading.digest, manifest_beside(path, reading.digest), archive)


def _may_be_enough(path: str, stamp: Stamp, is_enough: IsEnough) -> bool:
    try:
        manifest = read_manifest(path)
    except SnapshotError:
        return False
    return manifest is not None and manifest.size == stamp.size and is_enough(manifest)


def _digest(path: str, stamp: Stamp) -> Digest:
    reading = _Reading()
    for piece in reading.pieces(path, stamp):
        del piece
    return reading.digest


class _Reading:
    """Counts and hashes a file's bytes as they pass."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size = 0

    @property
    def digest(self) -> Digest:
        """The digest of what has passed so far."""
        return Digest(self._size, self._sha256.hexdigest())

    def pieces(self, path: str, stamp: Stamp) -> Iterator[bytes]:
        """Yield the bytes of a file that still has this stamp.

        :raises FileError: it hasn't, or can't be read.
        """
        with open_unchanged(path, stamp) as source:
            while True:
                with file_errors("read", path):
                    piece = source.read(READ_SIZE)
                if not piece:
                    return
                self._size += len(piece)
                self._sha256.update(piece)
                yield piece
