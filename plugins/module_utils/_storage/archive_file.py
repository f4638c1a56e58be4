# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive, read from its first byte to its last, once: its digests, its manifest and its records."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from .._errors import ArchiveError, FileError, StoreError
from .._snapshot.reader import Archive, read_with, records_reader
from .._snapshot.records.kv_prefixes import KvPrefixes
from .._snapshot.records.visitor import Visitor
from .._system.atomic_files import Digest, Stamp, open_archive, open_unchanged, read_pieces
from .._system.scratch_file import ScratchFile
from .archive_source import ArchiveSource, Seen
from .manifest import Manifest
from .manifest_file import MATCHES, ManifestMatch, concerns_the_store, confirmed_manifest
from .trust import Beside, Signature, look_beside

IsEnough = Callable[[Manifest], bool]
"""Whether a manifest tells all that its reader needs, so that no record has to be read."""


class ArchiveFile(NamedTuple):
    """What was read. ``archive`` is None where the manifest is the archive's, may be trusted, and is enough.

    ``seen`` and both digests are those of the very bytes that were read: ``stored`` as they lie there, ``digest`` as
    Consul wrote them. ``beside``: what lies beside it. ``copy``: the plain bytes, where they were kept.
    """

    source: ArchiveSource
    seen: Seen
    stored: Digest
    digest: Digest
    match: ManifestMatch
    archive: Archive | None
    beside: Beside
    copy: ScratchFile | None = None

    @property
    def records(self) -> Archive:
        """The archive where its records were read, as they are without ``is_enough``."""
        if self.archive is None:
            raise ValueError("the records were not read")
        return self.archive

    @property
    def manifest(self) -> Manifest | None:
        """The manifest beside the archive, if it was written for these bytes. It is a hint unless it ``is_trusted``."""
        return self.match.manifest

    def confirmed_manifest(self) -> Manifest | None:
        """Return the same, with the newest confirmation that lies beside it. No signature covers that.

        :raises StoreError: the store can't be reached.
        """
        if self.manifest is None:
            return None
        try:
            return confirmed_manifest(self.source.store, self.source.name, self.manifest)
        except StoreError as error:
            if concerns_the_store(error):
                raise
        except FileError:
            # Who may not list what lies there can read the archive all the same.
            pass
        return self.manifest

    @property
    def is_trusted(self) -> bool:
        """Whether its manifest is its own and may stand in for its records."""
        return self.match.status == MATCHES and self.beside.is_trusted

    @property
    def signature(self) -> Signature:
        """What is known of the signature of what lies beside it."""
        return self.beside.signature

    def plain(self) -> Iterator[bytes]:
        """Yield the plain bytes once more.

        :raises SnapshotError: they can't be read.
        """
        return self.source.plain() if self.copy is None else read_pieces(self.copy.path)

    def open(self) -> BinaryIO:
        """Open the plain bytes that were read, and no others, as a file.

        :raises FileError: they were changed since. :raises ValueError: they are not on this host.
        """
        if self.copy is not None:
            return open_archive(self.copy.path)
        if self.source.path is None or self.source.is_sealed or not isinstance(self.seen, Stamp):
            raise ValueError("an archive that is not a plain file of this host has to be copied first")
        return open_unchanged(self.source.path, self.seen, self.digest)


def read_archive_file(
    source: ArchiveSource,
    *,
    is_enough: IsEnough = lambda manifest: False,
    kv_prefixes: KvPrefixes | None = None,
    visitor: Visitor | None = None,
    copy: ScratchFile | None = None,
) -> ArchiveFile:
    """Verify an archive: by its manifest where that may be trusted and is enough, record by record otherwise.

    Either takes one pass. Only a trusted manifest of other bytes of the same length costs a second one.

    :param visitor: sees the records where they are read.
    :param copy: gets the plain bytes.
    :raises ArchiveError: it does not verify. :raises SealedError: it can't be opened.
    :raises FileError: it can't be read, or was changed meanwhile. :raises StoreError: the same, in a bucket.
    """
    seen = source.look()
    beside = look_beside(source)
    earlier = None
    if _may_be_enough(beside, seen, is_enough):
        reading = _Reading(source, seen, copy)
        for piece in reading.pieces():
            del piece
        earlier = reading.digests
        match = beside.match(*earlier)
        if match.manifest:
            return ArchiveFile(source, seen, *earlier, match, None, beside, copy)
    reading = _Reading(source, seen, copy)
    # Where a thread is needed to open it, the other process has to be begun before.
    with records_reader(kv_prefixes=kv_prefixes, visitor=visitor, ahead=source.is_sealed) as records:
        archive = read_with(records, reading.pieces())
    if earlier not in (None, reading.digests):
        raise changed(source)
    return ArchiveFile(source, seen, *reading.digests, beside.match(*reading.digests), archive, beside, copy)


def changed(source: ArchiveSource) -> FileError:
    """Return the error for an archive whose bytes changed between two readings."""
    hint = "Name a file that nobody writes to."
    return FileError(f"{source.shown} was changed while it was read", hint=hint, path=source.shown)


def stored_digest(source: ArchiveSource) -> Digest:
    """Return the digest of an archive's bytes as they lie there.

    :raises SnapshotError: they can't be read.
    """
    passing = _Hash()
    for piece in passing.through(source.stored(source.look())):
        del piece
    return passing.digest


def _may_be_enough(beside: Beside, seen: Seen, is_enough: IsEnough) -> bool:
    manifest = beside.manifest
    return manifest is not None and beside.is_trusted and manifest.stored.size == seen.size and is_enough(manifest)


class _Hash:
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


class _Reading:
    """One pass over an archive."""

    def __init__(self, source: ArchiveSource, seen: Seen, copy: ScratchFile | None) -> None:
        self._source, self._seen, self._copy = source, seen, copy
        self._stored = _Hash()
        self._plain = _Hash() if source.is_sealed else self._stored

    @property
    def digests(self) -> tuple[Digest, Digest]:
        """The digests of the bytes as they lie there, and of the plain ones."""
        return self._stored.digest, self._plain.digest

    def pieces(self) -> Iterator[bytes]:
        """Yield the plain bytes.

        :raises SnapshotError: of any kind that reading and opening have.
        """
        if self._copy is not None:
            self._copy.truncate()
        pieces = self._stored.through(self._source.stored(self._seen))
        if self._source.is_sealed:
            pieces = self._plain.through(self._source.opened(pieces))
        for piece in pieces:
            if self._copy is not None:
                self._copy.write(piece)
            yield piece
        if self._stored.is_over and self._stored.digest.size == self._seen.size:
            return
        if self._source.path is not None:
            raise changed(self._source)
        raise ArchiveError("the archive does not have the length that its store names", fault="truncated")
