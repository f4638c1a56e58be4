# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives, each with its manifest beside it."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from typing import NamedTuple

from .._errors import FileError, SnapshotError, printable
from .._model.identity import ClusterIdentity, name_for_file
from .._snapshot.reader import Archive
from .._system.atomic_files import (
    AtomicFile,
    Digest,
    digest_of,
    directory_lock,
    require_no_directory,
    sync_directory,
    write_private,
)
from .._times import to_name
from . import manifest as _manifest
from .catalogue import ENDING, read_catalogue, read_manifest, with_servers
from .chronology import Stamp, in_order, is_ahead
from .manifest import ABSENT, MATCHES, STALE, UNREADABLE, Consistency, Manifest

Prepare = Callable[[str, str], None]
"""Gets the path of a new file, and the one where it is to be."""


class ManifestMatch(NamedTuple):
    """What lies beside an archive: MATCHES, ABSENT, STALE or UNREADABLE; a manifest comes with MATCHES alone."""

    status: str
    manifest: Manifest | None


class Entry(NamedTuple):
    """An archive of the store, with its manifest."""

    path: str
    manifest: Manifest


def archive_name(cluster: ClusterIdentity, taken_at: float, index: int) -> str:
    """Return the name of a new archive: ``dc1-20261123T021500Z-3135.snap``, whatever a datacenter calls itself."""
    return f"{name_for_file(cluster.datacenter)}-{to_name(taken_at)}-{index}{ENDING}"


def archive_path(directory: str, cluster: ClusterIdentity, taken_at: float, index: int) -> str:
    """Return where a new archive belongs in a directory. There is no file of that name there.

    :raises FileError: the name would lead out of the directory.
    """
    name = archive_name(cluster, taken_at, index)
    for number in itertools.count(2):
        path = os.path.join(directory, name)
        if os.path.dirname(os.path.abspath(path)) != os.path.abspath(directory):
            raise FileError(f"{printable(name)} is not a name for a file in {printable(directory)}", path=directory)
        if not os.path.lexists(path) and not os.path.lexists(_manifest.path_of(path)):
            return path
        name = f"{archive_name(cluster, taken_at, index)[: -len(ENDING)]}-{number}{ENDING}"
    raise AssertionError("numbers do not end")


def cluster_of(archive: Archive, live: ClusterIdentity | None = None, name: str | None = None) -> ClusterIdentity:
    """Return which cluster an archive is of. It knows best; what it doesn't tell is taken from a live look."""
    cluster = archive.state.origin.completed(live or ClusterIdentity(None, None, None))
    servers = tuple(sorted({server.id for server in archive.meta.servers}))
    return cluster._replace(servers=servers or cluster.servers, name=name)


def manifest_for(
    archive: Archive, digest: Digest, *, file: str, cluster: ClusterIdentity, consistency: Consistency
) -> Manifest:
    """Return the manifest of an archive that was just verified; see ``taken_at_of`` for its time."""
    taken_at = taken_at_of(archive, time.time())
    return Manifest(
        file=file,
        size=digest.size,
        sha256=digest.sha256,
        meta_id=archive.meta.id,
        index=archive.meta.index,
        taken_at=taken_at,
        confirmed_at=taken_at,
        cluster=cluster,
        consistency=consistency,
        fingerprint=archive.state.fingerprint,
        records={name: asdict(stats) for name, stats in archive.state.records.items()},
        user_records=dict(archive.state.user_records),
        config_kinds=tuple(sorted(archive.state.config_kinds)),
        confirmed_by_leader=consistency.by_leader,
        findings={finding.name: finding.count for finding in archive.state.findings},
        peerings=archive.state.peerings,
    )


def taken_at_of(archive: Archive, now: float) -> float:
    """Return when an archive was taken: the server's own word, unless that is none or lies too far ahead of now."""
    told = archive.meta.taken_at
    return now if told is None or is_ahead(told, now) else told


def manifest_beside(archive: str, digest: Digest) -> ManifestMatch:
    """Return the manifest beside an archive when it was written for bytes with this digest."""
    try:
        manifest = read_manifest(_manifest.path_of(archive))
    except SnapshotError:
        return ManifestMatch(UNREADABLE, None)
    if manifest is None:
        return ManifestMatch(ABSENT, None)
    fits = (manifest.size, manifest.sha256) == (digest.size, digest.sha256)
    return ManifestMatch(MATCHES, manifest) if fits else ManifestMatch(STALE, None)


def entries_of(directory: str) -> list[Entry]:
    """Return the archives in a directory that have a manifest; only their length is compared, ``is_intact`` reads them.

    :raises FileError: the directory can't be read.
    """
    found = read_catalogue(directory, described=True).archives
    return [Entry(one.path, replace(one.manifest, cluster=one.cluster)) for one in found if one.manifest]


def newest_of(
    entries: Iterable[Entry], cluster: ClusterIdentity, now: float, *, reached: int | None = None
) -> Entry | None:
    """Return the newest archive of a cluster; None when there is none.

    With a name, those count that were saved for it, and such without a name that are certainly of the same servers;
    without one, those that are.

    :param reached: the index that the cluster has come to. An archive dated ahead that is beyond it is not of this raft
        history.
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
        manifest = read_manifest(_manifest.path_of(archive))
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


def put(partial: AtomicFile, dest: str, manifest: Manifest, *, prepare: Prepare | None = None) -> None:
    """Put a finished archive and its manifest in place, each in one step, and see both onto the disk.

    Both are on the disk before the first of them is renamed. A crash between the two leaves a whole archive whose
    manifest is another's, which is noticed and costs nothing.

    :param prepare: gets the path of each new file, and the one where it is to be, before the first is put there.
    :raises FileError: one of them can't be put there; what was there before is there still.
    """
    with _settled(partial, os.path.dirname(dest) or ".", prepare) as publish:
        publish(dest, manifest)


def put_new(partial: AtomicFile, directory: str, manifest: Manifest, *, prepare: Prepare | None = None) -> Entry:
    """Do the same under a name of its own; no file that is there is replaced, whoever put it there.

    :raises FileError: as there.
    """
    with _settled(partial, directory, prepare) as publish:
        path = archive_path(directory, manifest.cluster, manifest.taken_at, manifest.index)
        manifest = replace(manifest, file=os.path.basename(path))
        publish(path, manifest)
    return Entry(path, manifest)


@contextlib.contextmanager
def _settled(partial: AtomicFile, directory: str, prepare: Prepare | None) -> Iterator[Callable[[str, Manifest], None]]:
    partial.sync()
    with AtomicFile(directory) as described, directory_lock(directory):

        def publish(dest: str, manifest: Manifest) -> None:
            described.write(_manifest.encode(manifest))
            described.sync()
            for new, path in ((partial, dest), (described, _manifest.path_of(dest))):
                require_no_directory(path)
                if prepare is not None:
                    prepare(new.path, path)
            partial.publish(dest)
            described.publish(_manifest.path_of(dest))

        yield publish
    sync_directory(directory)


def confirm(archive: str, manifest: Manifest) -> None:
    """Put a newer manifest beside an archive that stays, and renew the archive's modification time if that is allowed.

    The time is renewed so that whoever removes old files by it does not remove the content that is the cluster's.

    :raises FileError: the manifest can't be written.
    """
    write_manifest(archive, manifest)
    with contextlib.suppress(OSError):
        os.utime(archive)


def write_manifest(archive: str, manifest: Manifest) -> None:
    """Put a manifest beside an archive that is there already; one that it replaces hands on its permissions.

    :raises FileError: it can't be written.
    """
    directory = os.path.dirname(archive) or "."
    with directory_lock(directory):
        path = _manifest.path_of(archive)
        write_private(path, _manifest.encode(manifest), like=path)
    sync_directory(directory)
