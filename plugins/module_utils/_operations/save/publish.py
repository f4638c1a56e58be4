# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last step of a save: a new archive is put in place, or the one that is there is confirmed."""

from __future__ import annotations

from dataclasses import replace

from ..._model.identity import ClusterIdentity
from ..._storage.manifest import Manifest
from ..._storage.store import Entry, Prepare, archive_path, confirm, put, put_new
from ..._system.atomic_files import AtomicFile
from .destination import Destination


def publish(
    partial: AtomicFile | None, destination: Destination, manifest: Manifest, *, prepare: Prepare | None
) -> Entry:
    """Put a verified snapshot in place, its manifest beside it, and return it.

    :param partial: holds the snapshot. None in check mode: nothing is written, and what would be there is returned.
    :raises FileError: it can't be put there; what was there before is there still.
    """
    directory, path = destination.directory, destination.file
    if partial is None:
        return Entry(path or archive_path(directory, manifest.cluster, manifest.taken_at, manifest.index), manifest)
    if path is None:
        return put_new(partial, directory, manifest, prepare=prepare)
    put(partial, path, manifest, prepare=prepare)
    return Entry(path, manifest)


def confirm_existing(existing: Entry, snapshot: Manifest, *, now: float, check: bool) -> Entry:
    """Note in an archive's manifest that its content is still the cluster's, and return the archive with that manifest.

    :param snapshot: the manifest of the snapshot that showed it; it confirms nothing when no leader confirmed it.
    :param check: write nothing.
    :raises FileError: the manifest can't be written.
    """
    if not snapshot.confirmed_by_leader:
        return existing
    entry = existing._replace(manifest=confirmed(existing.manifest, snapshot.cluster, snapshot.taken_at, now))
    if not check:
        confirm(entry.path, entry.manifest)
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
