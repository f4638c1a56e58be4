# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing archives, each with what lies beside it, and what an earlier run left."""

from __future__ import annotations

from collections.abc import Sequence

from ..._errors import SnapshotError
from ..._storage.catalogue import Listed, each
from ..._storage.confirmation import by_archive
from ..._storage.hold import holds_by_archive
from ..._storage.manifest_file import SUFFIX, manifest_path, manifest_text, signature_path
from ..._storage.protocol import Store
from ..journal import Journal
from .look import properties_of
from .view import PruneRequest, View

ORPHANED_AFTER = 3600.0
"""Seconds after which a manifest without an archive is one that a prune was killed at, and not one that is copied."""


def remove(store: Store, view: View, going: Sequence[Listed], journal: Journal, *, check: bool) -> int:
    """Remove archives, the oldest first, each with what lies beside it; its manifest goes last.

    From a bucket several are removed at once. After the first that can't be, none is begun.

    :param journal: shows what was removed, also after a failure: ``removed`` and ``freed_bytes``.
    :return: how many went, or would.
    :raises StoreError: one can't be removed. :raises FileError: so in a directory.
    """
    beside = by_archive(view.items)
    holds = holds_by_archive(view.items)
    freed: dict[str, int] = {}

    def act(archive: Listed) -> None:
        name, bytes_of = archive.name, 0
        names = [name, *beside.get(name, ()), *holds.get(name, ()), signature_path(name), manifest_path(name)]
        for one in names:
            if one in view.items:
                if not check:
                    store.remove(one)
                bytes_of += view.items[one].size
        freed[archive.path] = bytes_of

    try:
        each(store, act, going)
    finally:
        removed = [archive.path for archive in going if archive.path in freed]
        journal.show({"removed": removed, "freed_bytes": sum(freed.values())})
    return len(removed)


def remove_orphans(
    store: Store, request: PruneRequest, view: View, journal: Journal, now: float, *, check: bool
) -> int:
    """Remove manifests of ours whose archive is gone: what a prune leaves that is killed.

    :param journal: shows them: ``leftovers``.
    """
    if request.policy.is_empty:
        return 0
    leftovers: list[str] = []
    journal.show({"leftovers": leftovers})
    beside = by_archive(view.items)
    alone = [
        name[: -len(SUFFIX)]
        for name in sorted(view.items)
        if name.endswith(SUFFIX)
        and name[: -len(SUFFIX)] not in view.items
        and view.items[name].modified < now - ORPHANED_AFTER
    ]
    ours = each(store, lambda archive: _is_ours(store, archive, request), alone)
    for archive in (archive for archive, is_ours in zip(alone, ours) if is_ours):
        # It may have been put there since.
        if properties_of(store, archive) is not None:
            continue
        for one in (*beside.get(archive, ()), signature_path(archive), manifest_path(archive)):
            if one in view.items and not check:
                store.remove(one)
        leftovers.append(store.place(manifest_path(archive)))
    return len(leftovers)


def _is_ours(store: Store, archive: str, request: PruneRequest) -> bool:
    try:
        told = manifest_text(store, archive)
    except SnapshotError:
        return False
    return told is not None and request.cluster in (None, told.manifest.cluster.name)
