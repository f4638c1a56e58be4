# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be pruned, and what lies in the store: archives of ours, by cluster, and what holds them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from ..._storage.catalogue import Listed, each, read_catalogue
from ..._storage.hold import LIMIT, decode_hold, holds_by_archive
from ..._storage.location import Location
from ..._storage.manifest import Manifest
from ..._storage.manifest_file import MATCHES, STALE
from ..._storage.protocol import Item, Store
from ..._storage.retention.decide import Candidate
from ..._storage.retention.groups import members_of
from ..._storage.retention.policy import Policy
from ..._storage.settings import StoreSettings

_COUNTED = {"KVS": "keys", "ACLToken": "tokens"}


class PruneRequest(NamedTuple):
    """What is to be pruned: see the module's options. ``rehearsed``: the SHA-256 of archives that were proven."""

    location: Location
    policy: Policy
    zone: datetime.tzinfo = datetime.timezone.utc
    cluster: str | None = None
    store: StoreSettings = StoreSettings()
    rehearsed: frozenset[str] = frozenset()


class View(NamedTuple):
    """The store as it was listed. ``items`` by name, ``candidates`` by path: the archives that may be decided on.

    ``foreign``: how many archives are not ours; they are left alone.
    """

    items: dict[str, Item]
    archives: list[Listed]
    candidates: dict[str, Candidate]
    foreign: int


def view_of(store: Store, request: PruneRequest, now: float) -> View:
    """Return what lies in a store, and which archives there are ours.

    :raises StoreError: it can't be read. :raises FileError: so for a directory.
    """
    catalogue = read_catalogue(store)
    # Listed after the manifests were read: what is held by then counts.
    items = {item.name: item for item in store.list()}
    ours = [one for one in catalogue.archives if one.status in (MATCHES, STALE) and one.name in items]
    holds = holds_by_archive(items)
    held = each(store, lambda one: _held(store, holds.get(one.name, []), now), ours)
    members = members_of([one.cluster for one in ours])
    candidates = {}
    for archive, member, why in zip(ours, members, held):
        if request.cluster is not None and archive.cluster.name != request.cluster:
            continue
        manifest = archive.manifest
        counts = manifest.user_records if manifest else {}
        candidates[archive.path] = Candidate(
            place=archive.path,
            group=member.group,
            history=member.history,
            taken_at=archive.taken_at,
            raft_index=archive.index or 0,
            verified=archive.status == MATCHES,
            rehearsed=manifest is not None and bool(_sums(manifest) & request.rehearsed),
            held=why,
            counts=tuple((label, counts.get(name, 0)) for name, label in _COUNTED.items()),
        )
    chosen = [one for one in ours if one.path in candidates]
    return View(items, chosen, candidates, len(catalogue.archives) - len(ours) + len(catalogue.skipped))


def _held(store: Store, holds: Sequence[str], now: float) -> str | None:
    """Return why an archive is held; None where it is not. Its newest hold counts."""
    for name in holds[:1]:
        hold = decode_hold(store.read_small(name, LIMIT + 1))
        return hold.as_text() if hold.holds_at(now) else None
    return None


def _sums(manifest: Manifest) -> set[str]:
    return {manifest.sha256, manifest.stored.sha256}
