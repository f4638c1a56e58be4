# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a save is to go, and what lies there already."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from ..._errors import ArchiveError, DestinationError, FailureKind, FileError, OptionError, StoreError
from ..._model.identity import ClusterIdentity
from ..._snapshot.reader import begins_like_archive, read_archive
from ..._storage.archive_names import is_archive_name, is_sealed
from ..._storage.location import is_url, parse_location
from ..._storage.manifest import Consistency, cluster_of, manifest_for
from ..._storage.opening import open_store
from ..._storage.protocol import Store
from ..._storage.settings import StoreSettings
from ..._storage.store import Entry, described_by_manifest, entries_of, newest_of
from ..._system.atomic_files import digest_of, existing_part, free_bytes, read_pieces, require_directory


class Destination(NamedTuple):
    """``directory``: the path or URL of the store that gets the new archive.

    ``file``: the path of the archive; None where it gets a name of its own, as in every bucket. ``absent``: the
    directory isn't there yet, and is to be created.
    """

    directory: str
    file: str | None
    absent: bool

    @property
    def is_bucket(self) -> bool:
        """Whether it is a bucket, in which nothing is overwritten."""
        return is_url(self.directory)

    def open(self, settings: StoreSettings) -> Store:
        """Return the store. Nothing is asked of it yet.

        :raises MissingLibraryError: this host lacks the SDK. :raises OptionError: the settings don't fit.
        """
        return open_store(parse_location(self.directory, "dest"), settings)


def destination_of(dest: str, *, create_directory: bool, seals: bool = False) -> Destination:
    """Return where a save is to go: into a bucket or a directory, or to one file.

    It is a directory if there is one, or if the path ends with a slash. A URL of a bucket is that of a store.

    :param seals: the archive is to be encrypted.
    :raises FileError: no file can be put there. :raises OptionError: the name doesn't fit what is to be there.
    """
    location = parse_location(dest, "dest")
    if not location.is_local:
        if is_archive_name(location.path):
            raise OptionError(
                "dest: a URL names a store, and nothing is overwritten there",
                hint="End the URL with the prefix of the archives: each one gets a name of its own.",
            )
        return Destination(str(location.as_store()), None, False)
    dest = location.path
    into_directory = os.path.isdir(dest) or dest.endswith(os.sep)
    directory = dest.rstrip(os.sep) or os.sep if into_directory else os.path.dirname(dest) or "."
    absent = create_directory and not os.path.lexists(directory)
    require_directory(existing_part(directory) if absent else directory)
    if not into_directory and is_sealed(dest) != seals:
        raise OptionError(
            f"dest: {dest} is a name for a {'plain' if seals else 'sealed'} archive",
            hint="The name of a sealed archive ends with .age, and no other's: change dest, encrypt_to or both.",
        )
    return Destination(directory, None if into_directory else dest, absent)


def archives_at(
    destination: Destination, store: Store, *, force: bool, cluster: ClusterIdentity | None = None
) -> list[Entry]:
    """Return the archives that lie there: of a store all that have a manifest, of a file the one at its path.

    :param cluster: the one that is to be saved. Of a bucket no more is read than it takes to find its newest archive.
    :param force: whatever lies at the path may be overwritten.
    :raises FileError: it can't be read. :raises StoreError: the bucket can't be.
    :raises DestinationError: what lies there is not an archive.
    """
    if destination.absent:
        return []
    if destination.file is None:
        if cluster is None:
            return entries_of(store)
        return entries_of(store, enough=lambda found: newest_of(found, cluster, time.time()) is not None)
    # With force nothing depends on it, so that one without a manifest is not read to its end.
    entry = described_by_manifest(destination.file) if force else existing_archive(destination.file)
    return [entry] if entry else []


def clean(store: Store) -> list[str]:
    """Remove what killed saves left in a store, where nobody sees it; return a remark where that isn't permitted.

    :raises FileError: the directory can't be read. :raises StoreError: the bucket can't be reached.
    """
    try:
        store.clean()
    except StoreError as error:
        if error.kind is not FailureKind.STORE_DENIED:
            raise
        return [f"what interrupted saves left in {store.location} could not be looked for: {error.message}"]
    return []


def existing_archive(path: str) -> Entry | None:
    """Return the archive at a path, described by its manifest or by its own bytes; None when there is no whole one.

    :raises DestinationError: a file lies there that is not an archive. :raises FileError: it can't be read.
    """
    if not os.path.lexists(path):
        return None
    entry = described_by_manifest(path)
    if entry:
        return entry
    digest = digest_of(path)
    if is_sealed(path) and digest.size:
        raise DestinationError(
            f"dest: {path} has a sealed archive's name and no manifest that matches it, and would be overwritten",
            hint="Choose another path, or set force: true.",
            path=path,
        )
    try:
        archive = read_archive(read_pieces(path))
    except ArchiveError:
        # An empty file and the beginning of an archive are of no use; anything else may be of use to somebody.
        if digest.size == 0 or begins_like_archive(read_pieces(path)):
            return None
        raise DestinationError(
            f"dest: {path} is not a Consul snapshot archive and would be overwritten",
            hint="Choose another path, or set force: true.",
            path=path,
        ) from None
    consistency = Consistency(stale=False, last_contact_ms=None, known_leader=None)
    file = os.path.basename(path)
    return Entry(path, manifest_for(archive, digest, file=file, cluster=cluster_of(archive), consistency=consistency))


def require_room(directory: str, newest: Entry) -> None:
    """Make sure that a directory has room for another archive of the newest one's size.

    :raises FileError: it has not.
    """
    free = free_bytes(directory)
    if free < newest.manifest.stored.size:
        raise FileError(
            f"{directory} has {free} bytes left, and the newest archive took {newest.manifest.stored.size}",
            hint="Free space on that file system, or choose a directory elsewhere.",
            path=directory,
        )
