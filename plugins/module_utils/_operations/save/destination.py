# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a save is to go, and what lies there already."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..._errors import ArchiveError, DestinationError, FileError
from ..._snapshot.reader import begins_like_archive, read_archive
from ..._storage.manifest import Consistency, cluster_of, manifest_for
from ..._storage.store import Entry, described_by_manifest, entries_of
from ..._system.atomic_files import digest_of, existing_part, free_bytes, read_pieces, require_directory


class Destination(NamedTuple):
    """``directory`` gets the new archive. ``file`` is its path; None where it gets a name of its own.

    ``absent``: the directory isn't there yet, and is to be created.
    """

    directory: str
    file: str | None
    absent: bool


def destination_of(dest: str, *, create_directory: bool) -> Destination:
    """Return where a save is to go: into a directory, if there is one or the path ends with a slash, or to one file.

    :raises FileError: no file can be put there.
    """
    into_directory = os.path.isdir(dest) or dest.endswith(os.sep)
    directory = dest.rstrip(os.sep) or os.sep if into_directory else os.path.dirname(dest) or "."
    absent = create_directory and not os.path.lexists(directory)
    require_directory(existing_part(directory) if absent else directory)
    return Destination(directory, None if into_directory else dest, absent)


def archives_at(destination: Destination, *, force: bool) -> list[Entry]:
    """Return the archives that lie there: of a directory all that have a manifest, of a file the one at its path.

    :param force: whatever lies at the path may be overwritten.
    :raises FileError: it can't be read. :raises DestinationError: what lies there is not an archive.
    """
    if destination.absent:
        return []
    if destination.file is None:
        return entries_of(destination.directory)
    # With force nothing depends on it, so that one without a manifest is not read to its end.
    entry = described_by_manifest(destination.file) if force else existing_archive(destination.file)
    return [entry] if entry else []


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
    if free < newest.manifest.size:
        raise FileError(
            f"{directory} has {free} bytes left, and the newest archive took {newest.manifest.size}",
            hint="Free space on that file system, or choose a directory elsewhere.",
            path=directory,
        )
