# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last step of a save: a new archive is put in place, or the one that is there is confirmed."""

from __future__ import annotations

import os
from dataclasses import replace

from ..._model.identity import ClusterIdentity
from ..._storage.archive_names import archive_name
from ..._storage.manifest import Manifest
from ..._storage.new_archive import NewArchive, archive_path
from ..._storage.protocol import Store
from ..._storage.store import Entry, confirm
from .destination import Destination


def publish(archive: NewArchive, destination: Destination, manifest: Manifest) -> Entry:
    """Put a verified snapshot in place, its manifest beside it, and return it.

    :raises FileError: it can't be put there; what was there before is there still.
    :raises StoreError: the same of a bucket.
    """
    entry = archive.publish(manifest)
    return entry if destination.file is None else entry._replace(path=destination.file)


def foretold(destination: Destination, store: Store, manifest: Manifest, *, ending: str = "") -> Entry:
    """Return what ``publish`` would return; nothing is written. ``ending``: what sealing adds to a name."""
    cluster, taken_at, index = manifest.cluster, manifest.taken_at, manifest.index
    path = destination.file
    if path is None and destination.is_bucket:
        path = store.place(archive_name(cluster, taken_at, index) + ending)
    elif path is None:
        path = archive_path(destination.directory, cluster, taken_at, index, ending=ending)
    return Entry(path, replace(manifest, file=os.path.basename(path)))


def confirm_existing(store: Store, existing: Entry, snapshot: Manifest, *, now: float, check: bool) -> Entry:
    """Note beside an archive that its content is still the cluster's, and return the archive with that noted.

    :param snapshot: the manifest of the snapshot that showed it; it confirms nothing when no leader confirmed it.
    :param check: write nothing.
    :raises FileError: the note can't be written. :raises StoreError: the same of a bucket.
    """
    if not snapshot.confirmed_by_leader:
        return existing
    entry = existing._replace(manifest=confirmed(existing.manifest, snapshot.cluster, snapshot.taken_at, now))
    if not check:
        confirm(store, entry)
    return entry


def confirmed(manifest: Manifest, cluster: ClusterIdentity, taken_at: float, now: float) -> Manifest:
    """Return the manifest of an archive whose content the cluster had at ``taken_at``.

    It names the cluster's servers of today, and its name, if it has one. A confirmation never lies ahead of now, and
    never goes back to an earlier time.
    """
    seen_at = min(taken_at, now)
    was_confirmed = manifest.confirmed_by_leader and manifest.confirmed_at <= now
    known = manifest.cluster._replace(servers=cluster.servers, name=cluster.name or manifest.cluster.name)
    return replace(
        manifest,
        confirmed_at=max(seen_at, manifest.confirmed_at) if was_confirmed else seen_at,
        cluster=known.completed(cluster),
        confirmed_by_leader=True,
    )
