# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision, with a closer look at what it rests on: the newest archive's bytes, and the locks of what would go."""

from __future__ import annotations

from ..._errors import FailureKind, StoreError
from ..._storage.catalogue import each
from ..._storage.protocol import Properties, Store
from ..._storage.retention.decide import NEWEST, Candidate, Retained, decide
from ..._storage.store import Entry, is_intact
from .view import PruneRequest, View

_LEGAL_HOLD = "a legal hold of the store"


def retained_of(store: Store, request: PruneRequest, view: View, now: float) -> Retained:
    """Decide, look closer at what would stay as the newest and at what would go, and decide again with what was seen.

    Where nothing can be locked, what would go is not looked at.

    :param view: its candidates take on what is seen.
    :raises StoreError: the store can't be asked.
    """
    by_path = {archive.path: archive for archive in view.archives}
    looked_at: set[str] = set()
    # How many may go is asked last: what turns out to be locked doesn't go.
    unlimited = request.policy._replace(max_remove=len(view.candidates))
    while True:
        retained = decide(view.candidates.values(), unlimited, now, request.zone)
        # The newest of each cluster stands for all that goes, so it is looked at first.
        stays = [place for place in _newest_of(view, retained) if place not in looked_at]
        goes = [] if stays else [place for place in retained.removable if place not in looked_at]
        if not stays and not goes:
            return decide(view.candidates.values(), request.policy, now, request.zone)
        looked_at |= {*stays, *goes}
        if goes and not store.may_lock:
            continue
        for place in stays:
            archive = by_path[place]
            if archive.manifest and not is_intact(store, Entry(place, archive.manifest)):
                view.candidates[place] = view.candidates[place]._replace(verified=False)
        for place, seen in zip(goes, each(store, lambda place: properties_of(store, by_path[place].name), goes)):
            view.candidates[place] = _with_locks(view.candidates[place], seen)


def _newest_of(view: View, retained: Retained) -> list[str]:
    """Return the newest verified archive of each cluster of which others go."""
    groups = {view.candidates[place].group for place in retained.removable}
    newest: dict[str, Candidate] = {}
    for place, candidate in view.candidates.items():
        if candidate.group in groups and NEWEST in retained.reasons[place]:
            newest[candidate.group] = candidate
    return [candidate.place for candidate in newest.values()]


def properties_of(store: Store, name: str) -> Properties | None:
    """Return what the store says of an object; None where there is none.

    :raises StoreError: the store can't be asked.
    """
    try:
        return store.properties(name)
    except StoreError as error:
        if error.kind is FailureKind.STORE_MISSING:
            return None
        raise


def _with_locks(candidate: Candidate, seen: Properties | None) -> Candidate:
    if seen is None:
        return candidate
    held = _LEGAL_HOLD if seen.legal_hold else candidate.held
    return candidate._replace(locked_until=seen.locked_until, held=held)
