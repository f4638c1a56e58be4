# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a store that have a manifest: which one counts, whether it is whole, and how it is confirmed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from .._errors import FailureKind, FileError, SnapshotError, StoreError
from .._model.identity import ClusterIdentity
from .._system.atomic_files import digest_of
from .backends.local import LocalStore
from .catalogue import Listed, read_catalogue, with_servers
from .chronology import Stamp, in_order, is_ahead
from .confirmation import Confirmation, confirmation_name, encode_confirmation
from .manifest import Manifest, encode_manifest
from .manifest_file import (
    confirmations_of,
    confirmed_manifest,
    local,
    manifest_path,
    read_manifest,
    signature_path,
)
from .protocol import Store


class Entry(NamedTuple):
    """An archive of a store, with its manifest, in which the newest confirmation is noted. ``path``: path or URL."""

    path: str
    manifest: Manifest
    signed: bool = False
    """Whether a signature lies beside the manifest, whosever it is."""

    @property
    def name(self) -> str:
        """Its name in the store."""
        return self.path.rpartition("/")[2]


def entries_of(store: Store, *, enough: Callable[[list[Entry]], bool] | None = None) -> list[Entry]:
    """Return the archives of a store that have a manifest; only their length is compared, see ``is_intact``.

    :param enough: whether those that were found so far will do; see ``read_catalogue``.
    :raises FileError: the directory can't be read. :raises StoreError: the bucket can't be.
    """
    will_do = None if enough is None else lambda archives: enough(_entries(archives))
    return _entries(read_catalogue(store, described=True, enough=will_do).archives)


def _entries(archives: Iterable[Listed]) -> list[Entry]:
    return [Entry(one.path, replace(one.manifest, cluster=one.cluster), one.signed) for one in archives if one.manifest]


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
    """Return an archive of this host with its manifest when that lies beside it and names its length; else None.

    The bytes are not read: ``is_intact`` does that, once something depends on them.
    """
    try:
        manifest = read_manifest(archive)
        if manifest and os.path.isfile(archive) and os.path.getsize(archive) == manifest.stored.size:
            store, name = local(archive)
            manifest = confirmed_manifest(store, name, manifest)
            signed = os.path.lexists(signature_path(archive))
            return Entry(archive, replace(manifest, cluster=with_servers(store, name, manifest)), signed)
    except (SnapshotError, OSError):
        return None
    return None


def is_intact(store: Store, entry: Entry) -> bool:
    """Whether the archive still has the bytes that were verified when it was taken.

    A file is read for that. Of an object in a bucket the store itself is asked, which checks what it keeps: its length,
    and its checksum where that was noted.

    :raises StoreError: the bucket can't be reached.
    """
    stored = entry.manifest.stored
    if store.location.is_local:
        try:
            return digest_of(entry.path) == stored
        except FileError:
            return False
    try:
        properties = store.properties(entry.name)
    except StoreError as error:
        if error.kind is FailureKind.STORE_MISSING:
            return False
        raise
    return properties.size == stored.size and properties.sha256 in (None, stored.sha256)


def confirm(store: Store, entry: Entry) -> None:
    """Note beside an archive that its content was still the cluster's at ``confirmed_at`` of the entry's manifest.

    The note is a small object of its own; older ones are removed then, as far as that is allowed. In a directory the
    archive's modification time is renewed, as far as that is allowed: jobs that remove old files by their time then
    keep the archive that holds the cluster's content. A file without a manifest of its own gets one there.

    :raises FileError: the note can't be written. :raises StoreError: as in a bucket.
    """
    manifest, archive = entry.manifest, entry.name
    if isinstance(store, LocalStore) and not _is_described(entry):
        # It was known by its own bytes; from now on it has a manifest.
        store.overwrite(manifest_path(archive), encode_manifest(manifest), like=manifest_path(archive))
        _renew(entry)
        return
    name = confirmation_name(archive, manifest.confirmed_at)
    data = encode_confirmation(Confirmation(manifest.stored.sha256, manifest.confirmed_at, manifest.cluster))
    older = confirmations_of(store, archive)
    with _unless_there():
        if isinstance(store, LocalStore):
            store.put_small(name, data, like=manifest_path(archive))
        else:
            store.put_new(name, data)
    with contextlib.suppress(FileError, StoreError):
        # The oldest first: where it is still locked, or nothing may be removed, so it is with the others.
        for one in reversed(older):
            if one != name:
                store.remove(one)
    if store.location.is_local:
        _renew(entry)


def _is_described(entry: Entry) -> bool:
    try:
        manifest = read_manifest(entry.path)
    except SnapshotError:
        return False
    return manifest is not None and manifest.stored == entry.manifest.stored


def _renew(entry: Entry) -> None:
    """Renew the modification times of an archive, its manifest and its signature, as far as they are there."""
    for path in (entry.path, manifest_path(entry.path), signature_path(entry.path)):
        with contextlib.suppress(OSError):
            os.utime(path)


@contextlib.contextmanager
def _unless_there() -> Iterator[None]:
    # Two saves may confirm one archive in one second; their notes say the same.
    try:
        yield
    except StoreError as error:
        if error.kind is not FailureKind.STORE_EXISTS:
            raise


def extend_locks(store: Store, entry: Entry) -> float | None:
    """Lock an archive, its manifest and its signature for as long as the store's settings say, from now on.

    Return until when, in seconds since the epoch; None where no lock is asked for.

    :raises StoreError: it can't be locked.
    """
    until = store.extend_lock(entry.name)
    if until is not None:
        beside = [signature_path(entry.name)] if entry.signed else []
        for name in (*beside, manifest_path(entry.name)):
            store.extend_lock(name)
    return until
