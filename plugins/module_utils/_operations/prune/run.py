# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of a prune: list, decide with a closer look, remove."""

from __future__ import annotations

from typing import Any

from ..._errors import RetentionError, listed
from ..._storage.opening import open_store
from ..._storage.retention.decide import Retained
from ..._times import to_text
from ..journal import Journal
from .look import retained_of
from .remove import remove, remove_orphans
from .view import PruneRequest, View, view_of


def prune(request: PruneRequest, journal: Journal, now: float, *, check: bool) -> bool:
    """Remove what the policy doesn't keep; return whether anything was, or would be, removed.

    :param journal: gets the phases ``list``, ``look`` and ``remove``, and shows the result, also of a run that fails.
    :raises RetentionError: more would go than ``max_remove``; nothing was removed.
    :raises StoreError: the store refused, or can't be reached. :raises FileError: so for a directory.
    """
    store = open_store(request.location, request.store)
    with journal.phase("list"):
        view = view_of(store, request, now)
    with journal.phase("look"):
        retained = retained_of(store, request, view, now)
    removable = set(retained.removable)
    going = [archive for archive in view.archives if archive.path in removable]
    going.sort(key=lambda archive: archive.taken_at)
    journal.show(_result(view, retained), warnings=_warnings(retained))
    if retained.refused:
        raise _refusal(retained)
    with journal.phase("remove"):
        removed = remove(store, view, going, journal, check=check)
        removed += remove_orphans(store, request, view, journal, now, check=check)
    return removed > 0


def _result(view: View, retained: Retained) -> dict[str, Any]:
    newest_first = sorted(view.archives, key=lambda archive: (archive.taken_at, archive.path), reverse=True)
    return {
        "archives": [
            {
                "path": archive.path,
                "cluster": view.candidates[archive.path].group,
                "taken_at": to_text(archive.taken_at),
                "size": archive.size,
                "keep": bool(retained.reasons[archive.path]),
                "reasons": list(retained.reasons[archive.path]),
            }
            for archive in newest_first
        ],
        "kept": sum(bool(reasons) for reasons in retained.reasons.values()),
        "foreign": view.foreign,
        "removed": [],
        "leftovers": [],
        "freed_bytes": 0,
    }


def _warnings(retained: Retained) -> list[str]:
    return [
        f"no archive of the cluster {name} is removed: {why}. Find out what happened to it, or raise max_shrink."
        for name, why in retained.braked.items()
    ]


def _refusal(retained: Retained) -> RetentionError:
    reasons = [f"of the cluster {name} {why}" for name, why in retained.refused.items()]
    return RetentionError(
        f"nothing was removed: {listed(reasons)}",
        hint="Look at the archives that would go, with check mode. Then raise max_remove for one run.",
        clusters=sorted(retained.refused),
    )
