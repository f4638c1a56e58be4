# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives, each with its manifest beside it: what is in it, and how an archive is put there."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from .._errors import FileError, SnapshotError, printable
from .._model.identity import ClusterIdentity
from .._system.atomic_files import AtomicFile, digest_of, directory_lock, require_no_directory, sync_directory
from .archive_names import archive_name
from .catalogue import read_catalogue, with_servers
from .chronology import Stamp, in_order, is_ahead
from .manifest import Manifest, encode_manifest
from .manifest_file import manifest_path, read_manifest, write_manifest

Prepare = Callable[[str, str], None]
"""Gets the path of a new file, and the one where it is to be."""


class Entry(NamedTuple):
    """An archive of the store, with its manifest."""

    path: str
    manifest: Manifest


def entries_of(directory: str) -> list[Entry]:
    """Return the archives in a directory that have a manifest; only their length is compared, ``is_intact`` reads them.

    :raises FileError: the directory can't be read.
    """
    archives = read_catalogue(directory, described=True).archives
    return [Entry(one.path, replace(one.manifest, cluster=one.cluster)) for one in archives if one.manifest]


def newest_of(
    entries: Iterable[Entry], cluster: ClusterIdentity, now: float, *, reached: int | None = None
) -> Entry | None:
    """Return the newest archive of a cluster; None when there is none.

    A cluster with a name owns the archives that were saved for that name, and those without a name that are certainly
    of the same servers; a cluster without a name owns the latter.

    :param reached: the index that the cluster has reached. An archive that is dated ahead and has a higher index is
        not of this raft history.
    """
    own = [entry for entry in entries if _belongs(entry.manifest.cluster, cluster)]
    if reached is not None:
        own = [one for one in own if one.manifest.index <= reached or not is_ahead(one.manifest.taken_at, now)]
    stamps = [Stamp(one.manifest.cluster.servers, one.manifest.index, one.manifest.taken_at) for one in own]
    places = in_order(stamps, now)
    return own[places[0].position] if places else None


def _belongs(known: ClusterIdentity, cluster: ClusterIdentity) -> bool:
    if cluster.name is not None and known.name is not None:
        return known.name == cluster.name
    return known.is_same(cluster)


def described_by_manifest(archive: str) -> Entry | None:
    """Return an archive with its manifest when one lies beside it that names the archive's length; else None.

    The bytes are not read: ``is_intact`` does that, once something depends on them.
    """
    try:
        manifest = read_manifest(archive)
        if manifest and os.path.isfile(archive) and os.path.getsize(archive) == manifest.size:
            return Entry(archive, replace(manifest, cluster=with_servers(manifest, archive)))
    except (SnapshotError, OSError):
        return None
    return None


def is_intact(entry: Entry) -> bool:
    """Whether the archive still has the bytes that were verified when it was taken."""
    try:
        digest = digest_of(entry.path)
    except FileError:
        return False
    return (digest.size, digest.sha256) == (entry.manifest.size, entry.manifest.sha256)


def archive_path(directory: str, cluster: ClusterIdentity, taken_at: float, index: int) -> str:
    """Return where a new archive belongs in a directory. There is no file of that name there.

    :raises FileError: the name would lead out of the directory.
    """
    for number in itertools.count(1):
        name = archive_name(cluster, taken_at, index, number)
        path = os.path.join(directory, name)
        if os.path.dirname(os.path.abspath(path)) != os.path.abspath(directory):
            raise FileError(f"{printable(name)} is not a name for a file in {printable(directory)}", path=directory)
        if not os.path.lexists(path) and not os.path.lexists(manifest_path(path)):
            return path
    raise AssertionError("numbers do not end")


def put(partial: AtomicFile, dest: str, manifest: Manifest, *, prepare: Prepare | None = None) -> None:
    """Put a finished archive and its manifest in place, each in one step, and see both onto the disk.

    Both are on the disk before the first of them is renamed. A crash between the two leaves a whole archive whose
    manifest is another's, which is noticed and costs nothing.

    :param prepare: gets the path of each new file, and the one where it is to be, before the first is put there.
    :raises FileError: one of them can't be put there; what was there before is there still.
    """
    with _locked(partial, os.path.dirname(dest) or ".") as described:
        _publish(partial, described, dest, manifest, prepare)


def put_new(partial: AtomicFile, directory: str, manifest: Manifest, *, prepare: Prepare | None = None) -> Entry:
    """Do what ``put`` does under a new name; no file that is there is replaced, whoever put it there.

    :raises FileError: as for ``put``.
    """
    with _locked(partial, directory) as described:
        path = archive_path(directory, manifest.cluster, manifest.taken_at, manifest.index)
        manifest = replace(manifest, file=os.path.basename(path))
        _publish(partial, described, path, manifest, prepare)
    return Entry(path, manifest)


@contextlib.contextmanager
def _locked(partial: AtomicFile, directory: str) -> Iterator[AtomicFile]:
    """Hold the directory's lock, give a file for the manifest, and wait in the end until new names are on the disk."""
    partial.sync()
    with AtomicFile(directory) as described, directory_lock(directory):
        yield described
    sync_directory(directory)


def _publish(
    partial: AtomicFile, described: AtomicFile, dest: str, manifest: Manifest, prepare: Prepare | None
) -> None:
    described.write(encode_manifest(manifest))
    described.sync()
    for new, path in ((partial, dest), (described, manifest_path(dest))):
        require_no_directory(path)
        if prepare is not None:
            prepare(new.path, path)
    partial.publish(dest)
    described.publish(manifest_path(dest))


def confirm(archive: str, manifest: Manifest) -> None:
    """Put a newer manifest beside an archive that stays, and renew the archive's modification time if that is allowed.

    Jobs that remove old files by their time then keep the archive that holds the cluster's content.

    :raises FileError: the manifest can't be written.
    """
    write_manifest(archive, manifest)
    with contextlib.suppress(OSError):
        os.utime(archive)
