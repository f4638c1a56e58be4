# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives, each with its manifest beside it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import NamedTuple

from . import _manifest
from ._archive import Archive
from ._errors import FileError, SnapshotError
from ._files import (
    Digest,
    Partial,
    digest_of,
    directory_lock,
    file_errors,
    require_no_directory,
    sync_directory,
    write_private,
)
from ._identity import Cluster
from ._manifest import Consistency, Manifest
from ._times import to_name

FITS, ABSENT, OTHER, UNREADABLE = "fits", "absent", "other", "unreadable"
_MANIFEST_LIMIT = 1 << 20


class Beside(NamedTuple):
    """What lies beside an archive: FITS, ABSENT, OTHER or UNREADABLE; a manifest comes with FITS alone."""

    status: str
    manifest: Manifest | None


class Entry(NamedTuple):
    """An archive of the store, with its manifest."""

    path: str
    manifest: Manifest


def archive_name(cluster: Cluster, taken_at: float, index: int) -> str:
    """Return the name of a new archive: ``dc1-20261123T021500Z-3135.snap``."""
    return f"{cluster.datacenter or 'unknown'}-{to_name(taken_at)}-{index}.snap"


def manifest_for(
    archive: Archive, digest: Digest, *, file: str, cluster: Cluster, consistency: Consistency
) -> Manifest:
    """Return the manifest of an archive that was just verified; its age is the server's own word where it gives one."""
    taken_at = archive.meta.taken_at or time.time()
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
        findings={finding.name: finding.count for finding in archive.state.findings},
        peerings=archive.state.peerings,
    )


def manifest_beside(archive: str, digest: Digest) -> Beside:
    """Return the manifest beside an archive when it was written for bytes with this digest."""
    try:
        manifest = _read(_manifest.path_of(archive))
    except SnapshotError:
        return Beside(UNREADABLE, None)
    if manifest is None:
        return Beside(ABSENT, None)
    fits = (manifest.size, manifest.sha256) == (digest.size, digest.sha256)
    return Beside(FITS, manifest) if fits else Beside(OTHER, None)


def newest_of(directory: str, cluster: Cluster) -> Entry | None:
    """Return the newest archive of a cluster that lies in the directory with a manifest; None when there is none.

    Only its length is compared here; ``is_intact`` reads it.

    :raises FileError: the directory can't be read.
    """
    with file_errors("look into", directory):
        names = sorted(os.listdir(directory))
    found = []
    for name in names:
        entry = None
        if name.endswith(_manifest.SUFFIX):
            entry = described_by_manifest(os.path.join(directory, name[: -len(_manifest.SUFFIX)]))
        if entry and entry.manifest.cluster.is_same(cluster):
            found.append(entry)
    return max(found, key=lambda entry: (entry.manifest.taken_at, entry.manifest.index), default=None)


def described_by_manifest(archive: str) -> Entry | None:
    """Return an archive with its manifest when one lies beside it that names the archive's length; else None.

    The bytes are not read: ``is_intact`` does that, once something depends on them.
    """
    try:
        manifest = _read(_manifest.path_of(archive))
        if manifest and os.path.isfile(archive) and os.path.getsize(archive) == manifest.size:
            return Entry(archive, manifest)
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


def put(partial: Partial, dest: str, manifest: Manifest) -> None:
    """Put a finished archive and its manifest in place, each in one step, and see both onto the disk.

    Both are on the disk before the first of them is renamed. A crash between the two leaves a whole archive whose
    manifest is another's, which is noticed and costs nothing.

    :raises FileError: one of them can't be put there; what was there before is there still.
    """
    directory = os.path.dirname(dest) or "."
    partial.sync()
    with Partial(directory) as described, directory_lock(directory):
        described.write(_manifest.encode(manifest))
        described.sync()
        for path in (dest, _manifest.path_of(dest)):
            require_no_directory(path)
        partial.publish(dest)
        described.publish(_manifest.path_of(dest))
    sync_directory(directory)


def write_manifest(archive: str, manifest: Manifest) -> None:
    """Put a manifest beside an archive that is there already; one that it replaces hands on its permissions.

    :raises FileError: it can't be written.
    """
    directory = os.path.dirname(archive) or "."
    with directory_lock(directory):
        path = _manifest.path_of(archive)
        write_private(path, _manifest.encode(manifest), like=path)
    sync_directory(directory)


def _read(path: str) -> Manifest | None:
    try:
        with open(path, "rb") as source:
            return _manifest.decode(source.read(_MANIFEST_LIMIT))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"can't read {path}: {error.strerror}", path=path) from error
