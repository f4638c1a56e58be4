# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What archives lie in a directory, told by their manifests; of one without, its first member tells.

Names, manifests and archives may come from anybody: nothing here follows a link, waits for a pipe, or reads more than a
bounded part of a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .._errors import ArchiveError, FileError, SnapshotError, printable
from .._model.identity import ClusterIdentity
from .._snapshot.reader import Meta, read_meta
from .._system.atomic_files import file_errors
from . import manifest as _manifest
from .archive_selection import told_by_name
from .manifest import ABSENT, MATCHES, STALE, UNREADABLE, Manifest

ENDING = ".snap"
_MANIFEST_LIMIT = 1 << 20
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
        described_here = name + _manifest.SUFFIX in names
        if name.endswith(_manifest.SUFFIX) or not (described_here or name.endswith(ENDING)):
            continue
        if described and not described_here:
            continue
        path = os.path.join(directory, name)
        try:
            found = _look(path, described=described)
        except _Left as left:
            catalogue.skipped.append(Skipped(path.encode("utf-8", "backslashreplace").decode(), str(left)))
        else:
            catalogue.archives.extend([found] if found else [])
    return catalogue


def read_manifest(path: str) -> Manifest | None:
    """Read a manifest's file; None when it is not there.

    :raises SnapshotError: it is not a manifest, not a file, or can't be read.
    """
    try:
        text = _beginning(path, _MANIFEST_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"can't read {printable(path)}: {error.strerror}", path=path) from error
    if len(text) > _MANIFEST_LIMIT:
        raise SnapshotError("the manifest is too large to be one")
    return _manifest.decode(text)


def meta_of(path: str) -> Meta | None:
    """Return what an archive's first member says, unverified; None when that can't be read."""
    try:
        return read_meta(_pieces(path))
    except (ArchiveError, OSError):
        return None


def with_servers(manifest: Manifest, path: str) -> ClusterIdentity:
    """Return the cluster that a manifest names. Older ones don't name its servers; the archive's first member does."""
    cluster = manifest.cluster
    if cluster.servers:
        return cluster
    meta = meta_of(path)
    known = meta is not None and meta.id == manifest.meta_id
    return cluster._replace(servers=_servers(meta)) if known else cluster


class _Left(Exception):
    """This one is left alone."""


def _look(path: str, *, described: bool) -> Listed | None:
    try:
        os.path.basename(path).encode("utf-8")
        status = os.lstat(path)
    except UnicodeEncodeError:
        raise _Left("its name is not UTF-8") from None
    except OSError as error:
        raise _Left(f"can't be looked at: {error.strerror}") from None
    if stat.S_ISLNK(status.st_mode):
        raise _Left("is a symbolic link")
    if not stat.S_ISREG(status.st_mode):
        raise _Left("is not a regular file")
    state, manifest = ABSENT, None
    try:
        manifest = read_manifest(_manifest.path_of(path))
        if manifest is not None:
            state = MATCHES if manifest.size == status.st_size else STALE
    except SnapshotError:
        state = UNREADABLE
    if manifest is not None and state == MATCHES:
        cluster = with_servers(manifest, path)
        return Listed(path, status.st_size, state, manifest, cluster, manifest.index, manifest.taken_at)
    if described:
        return None
    if not os.access(path, os.R_OK):
        raise _Left("can't be read: permission denied")
    meta = meta_of(path)
    # Half an archive is still of the cluster that its manifest names, when both are of one snapshot.
    known = manifest is not None and (meta is None or meta.id == manifest.meta_id)
    cluster = manifest.cluster if manifest is not None and known else ClusterIdentity(None, None, None)
    cluster = cluster._replace(servers=_servers(meta) or cluster.servers)
    told = [meta.taken_at if meta else None, told_by_name(path), status.st_mtime]
    taken_at = next(one for one in told if one is not None)
    return Listed(path, status.st_size, state, None, cluster, meta.index if meta else None, taken_at)


def _servers(meta: Meta | None) -> tuple[str, ...]:
    return tuple(sorted({server.id for server in meta.servers})) if meta else ()


def _open(path: str) -> int:
    # A pipe that nobody writes to would be waited for without O_NONBLOCK.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(0, "it is not a regular file")


def _beginning(path: str, limit: int) -> bytes:
    with open(_open(path), "rb") as source:
        return source.read(limit)


def _pieces(path: str) -> Iterator[bytes]:
    yield _beginning(path, _BEGINNING)
