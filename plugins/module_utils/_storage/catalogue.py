# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a directory, described by their manifests; one without a manifest by its first member.

Names, manifests and archives may come from anybody: nothing here follows a link, waits for a pipe, or reads more than a
bounded part of a file.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import NamedTuple

from .._errors import ArchiveError, SnapshotError
from .._model.identity import ClusterIdentity
from .._snapshot.reader import Meta, read_meta
from .._system.atomic_files import file_errors, read_beginning
from .archive_names import ENDING, time_in_name
from .manifest import Manifest, servers_of
from .manifest_file import ABSENT, MATCHES, STALE, SUFFIX, UNREADABLE, read_manifest

_BEGINNING = 1 << 16
"""Bytes of an archive that are read for its meta.json at most."""


@dataclass(frozen=True)
class Listed:
    """An archive. ``status`` says how its manifest stands to it; ``manifest`` is there with MATCHES alone.

    ``taken_at``: seconds since the epoch, by the manifest, the archive's first member, its name, or the file's time.
    """

    path: str
    size: int
    status: str
    manifest: Manifest | None
    cluster: ClusterIdentity
    index: int | None
    taken_at: float


class Skipped(NamedTuple):
    """What looks like an archive and is left alone, and why."""

    path: str
    reason: str


class Catalogue(NamedTuple):
    """The archives of a directory, in no order, and what was left alone."""

    archives: list[Listed]
    skipped: list[Skipped]


def read_catalogue(directory: str, *, described: bool = False) -> Catalogue:
    """Return what lies in a directory.

    :param described: only archives with a manifest that matches.
    :raises FileError: the directory can't be read.
    """
    catalogue = Catalogue([], [])
    with file_errors("look into", directory):
        names = set(os.listdir(directory))
    for name in sorted(names):
        has_manifest = name + SUFFIX in names
        if name.endswith(SUFFIX) or not (has_manifest or (name.endswith(ENDING) and not described)):
            continue
        path = os.path.join(directory, name)
        try:
            archive = _listed(path, described=described)
        except _LeaveAlone as reason:
            catalogue.skipped.append(Skipped(path.encode("utf-8", "backslashreplace").decode(), str(reason)))
        else:
            catalogue.archives.extend([archive] if archive else [])
    return catalogue


def with_servers(manifest: Manifest, path: str) -> ClusterIdentity:
    """Return the cluster that a manifest names. Older ones don't name its servers; the archive's first member does."""
    cluster = manifest.cluster
    if cluster.servers:
        return cluster
    meta = _meta_of(path)
    is_its_own = meta is not None and meta.id == manifest.meta_id
    return cluster._replace(servers=servers_of(meta)) if meta and is_its_own else cluster


class _LeaveAlone(Exception):
    """Why something in the directory is left alone."""


def _listed(path: str, *, described: bool) -> Listed | None:
    size, modified = _regular_file(path)
    status, manifest = _manifest_by_size(path, size)
    if manifest is not None and status == MATCHES:
        cluster = with_servers(manifest, path)
        return Listed(path, size, status, manifest, cluster, manifest.index, manifest.taken_at)
    if described:
        return None
    if not os.access(path, os.R_OK):
        raise _LeaveAlone("can't be read: permission denied")
    meta = _meta_of(path)
    # Half an archive is still of the cluster that its manifest names, when both are of one snapshot.
    of_one_snapshot = manifest is not None and (meta is None or meta.id == manifest.meta_id)
    cluster = manifest.cluster if manifest is not None and of_one_snapshot else ClusterIdentity(None, None, None)
    cluster = cluster._replace(servers=(servers_of(meta) if meta else ()) or cluster.servers)
    times = (meta.taken_at if meta else None, time_in_name(path), modified)
    taken_at = next(time for time in times if time is not None)
    return Listed(path, size, status, None, cluster, meta.index if meta else None, taken_at)


def _regular_file(path: str) -> tuple[int, float]:
    """Return a file's size and modification time."""
    try:
        os.path.basename(path).encode("utf-8")
        status = os.lstat(path)
    except UnicodeEncodeError:
        raise _LeaveAlone("its name is not UTF-8") from None
    except OSError as error:
        raise _LeaveAlone(f"can't be examined: {error.strerror}") from None
    if stat.S_ISLNK(status.st_mode):
        raise _LeaveAlone("is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise _LeaveAlone("is not a regular file")
    return status.st_size, status.st_mtime


def _manifest_by_size(path: str, size: int) -> tuple[str, Manifest | None]:
    """Return how the manifest beside an archive stands to it, and the manifest itself, also a STALE one."""
    try:
        manifest = read_manifest(path)
    except SnapshotError:
        return UNREADABLE, None
    if manifest is None:
        return ABSENT, None
    return (MATCHES if manifest.size == size else STALE), manifest


def _meta_of(path: str) -> Meta | None:
    """Return what an archive's first member says, unverified; None when that can't be read."""
    try:
        return read_meta([read_beginning(path, _BEGINNING)])
    except (ArchiveError, OSError):
        return None
