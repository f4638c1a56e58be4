# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a store, described by their manifests; one without a manifest by its first member.

Names, manifests and archives may come from anybody: nothing here follows a link, waits for a pipe, or reads more than a
bounded part of an object. A bucket is listed once, and its manifests are read by several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from .._errors import ArchiveError, FailureKind, SnapshotError, StoreError
from .._model.identity import ClusterIdentity
from .._snapshot.reader import Meta, read_meta
from .archive_names import is_archive_name, is_sealed, time_in_name
from .confirmation import by_archive
from .manifest import Manifest, servers_of
from .manifest_file import (
    ABSENT,
    MATCHES,
    SIGNATURE_SUFFIX,
    STALE,
    SUFFIX,
    UNREADABLE,
    concerns_the_store,
    manifest_path,
    manifest_text,
    signature_path,
    with_confirmations,
)
from .protocol import Item, Store

Found = TypeVar("Found")
Subject = TypeVar("Subject")

READERS = 16
"""Threads that read manifests from a bucket. More of them wait for Python rather than for the store."""
_BATCH = 256
"""Archives of a bucket whose manifests are read before somebody asks whether these will do."""
_BEGINNING = 1 << 16
"""Bytes of an archive that are read for its meta.json at most."""


@dataclass(frozen=True)
class Listed:
    """An archive. ``status`` says how its manifest stands to it; ``manifest`` is there with MATCHES alone.

    ``path``: its path or URL. ``size``: of its bytes as they are stored. ``taken_at``: seconds since the epoch, by the
    manifest, the archive's first member, its name, or the time when it was written. ``signed``: a signature lies beside
    its manifest, whosever it is.
    """

    path: str
    size: int
    status: str
    manifest: Manifest | None
    cluster: ClusterIdentity
    index: int | None
    taken_at: float
    signed: bool = False

    @property
    def name(self) -> str:
        """Its name in the store."""
        return self.path.rpartition("/")[2]

    @property
    def sealed(self) -> bool:
        """Whether it is encrypted."""
        return is_sealed(self.path) or (self.manifest is not None and self.manifest.sealed is not None)


class Skipped(NamedTuple):
    """What looks like an archive and is left alone, and why."""

    path: str
    reason: str


class Catalogue(NamedTuple):
    """The archives of a store, in no order, and what was left alone."""

    archives: list[Listed]
    skipped: list[Skipped]


def read_catalogue(
    store: Store, *, described: bool = False, enough: Callable[[list[Listed]], bool] | None = None
) -> Catalogue:
    """Return what lies in a store.

    :param described: only archives with a manifest that matches.
    :param enough: whether those that were found so far will do. Of a bucket those that were written or confirmed last
        are read first, by the store's own clock; a directory is always read as a whole.
    :raises FileError: the directory can't be read. :raises StoreError: the bucket can't be.
    """
    items = {item.name: item for item in store.list()}
    reader = _Reader(store, items, described)
    names = [name for name in sorted(items) if _may_be_archive(name, items, described)]
    at_once = len(names)
    if enough is not None and not store.location.is_local:
        names.sort(key=reader.last_written, reverse=True)
        at_once = _BATCH
    catalogue = Catalogue([], [])
    for begin in range(0, len(names), max(at_once, 1)):
        for found in each(store, reader.archive, names[begin : begin + at_once]):
            if isinstance(found, Skipped):
                catalogue.skipped.append(found)
            elif found is not None:
                catalogue.archives.append(found)
        if enough is not None and enough(catalogue.archives):
            break
    return catalogue


def with_servers(store: Store, name: str, manifest: Manifest) -> ClusterIdentity:
    """Return the cluster that a manifest names. Older ones don't name its servers; the archive's first member does."""
    cluster = manifest.cluster
    if cluster.servers or is_sealed(name):
        return cluster
    meta = _meta_of(store, name)
    is_its_own = meta is not None and meta.id == manifest.meta_id
    return cluster._replace(servers=servers_of(meta)) if meta and is_its_own else cluster


def _may_be_archive(name: str, items: Mapping[str, Item], described: bool) -> bool:
    if name.endswith((SUFFIX, SUFFIX + SIGNATURE_SUFFIX)):
        return False
    return manifest_path(name) in items or (is_archive_name(name) and not described)


class _LeaveAlone(Exception):
    """Why something in the store is left alone."""


def each(store: Store, read: Callable[[Subject], Found], subjects: Sequence[Subject]) -> list[Found]:
    """Return what ``read`` returns for each of them, in their order; of a bucket several are read at once."""
    if store.location.is_local or len(subjects) < 2:
        return [read(subject) for subject in subjects]
    with ThreadPoolExecutor(min(READERS, len(subjects))) as pool:
        try:
            return list(pool.map(read, subjects))
        except BaseException:  # also a signal: what has not begun is not waited for
            pool.shutdown(cancel_futures=True)
            raise


class _Reader:
    """Reads what describes one archive.

    :param items: what the store lists, by name. ``described``: only what has a manifest that matches is of interest.
    """

    def __init__(self, store: Store, items: Mapping[str, Item], described: bool) -> None:
        self._store = store
        self._items = items
        self._described = described
        self._now = time.time()
        self._confirmations = by_archive(items)

    def last_written(self, name: str) -> float:
        """Return when an archive was written, or the last of its confirmations, by the store's clock."""
        newest = self._confirmations.get(name, [])[:1]
        return max(self._items[one].modified for one in (name, *newest))

    def archive(self, name: str) -> Listed | Skipped | None:
        """Return an archive, why it is left alone, or None where only described ones are asked for."""
        try:
            return self._listed(name)
        except _LeaveAlone as reason:
            path = self._store.place(name).encode("utf-8", "backslashreplace").decode()
            return Skipped(path, str(reason))

    def _listed(self, name: str) -> Listed | None:
        item = self._items[name]
        if item.fault is not None:
            raise _LeaveAlone(item.fault)
        path, signed = self._store.place(name), signature_path(name) in self._items
        status, manifest = self._manifest_by_size(name, item.size)
        if manifest is not None and status == MATCHES:
            cluster = with_servers(self._store, name, manifest)
            return Listed(path, item.size, status, manifest, cluster, manifest.index, manifest.taken_at, signed)
        if self._described:
            return None
        meta = None if is_sealed(name) else _meta_of(self._store, name, must_be_readable=True)
        # Half an archive is still of the cluster that its manifest names, when both are of one snapshot.
        of_one_snapshot = manifest is not None and (meta is None or meta.id == manifest.meta_id)
        cluster = manifest.cluster if manifest is not None and of_one_snapshot else ClusterIdentity(None, None, None)
        cluster = cluster._replace(servers=(servers_of(meta) if meta else ()) or cluster.servers)
        times = (meta.taken_at if meta else None, time_in_name(path), item.modified)
        taken_at = next(moment for moment in times if moment is not None)
        return Listed(path, item.size, status, None, cluster, meta.index if meta else None, taken_at, signed)

    def _manifest_by_size(self, name: str, size: int) -> tuple[str, Manifest | None]:
        """Return how the manifest beside an archive stands to it, and the manifest itself, also a STALE one."""
        if manifest_path(name) not in self._items:
            return ABSENT, None
        try:
            told = manifest_text(self._store, name)
        except SnapshotError as error:
            if isinstance(error, StoreError) and concerns_the_store(error):
                raise
            return UNREADABLE, None
        if told is None:
            return ABSENT, None
        if told.manifest.stored.size != size:
            return STALE, told.manifest
        return MATCHES, with_confirmations(self._store, told.manifest, self._confirmations.get(name, ()), self._now)


def _meta_of(store: Store, name: str, *, must_be_readable: bool = False) -> Meta | None:
    """Return what an archive's first member says, unverified; None when that can't be read.

    :param must_be_readable: raise _LeaveAlone where it is not permitted to read it.
    """
    try:
        return read_meta([store.read_small(name, _BEGINNING)])
    except ArchiveError:
        return None
    except SnapshotError as error:
        if isinstance(error, StoreError) and concerns_the_store(error):
            raise
        denied = isinstance(error.__cause__, PermissionError) or (
            isinstance(error, StoreError) and error.kind is FailureKind.STORE_DENIED
        )
        if denied and must_be_readable:
            raise _LeaveAlone("can't be read: permission denied") from None
        return None
