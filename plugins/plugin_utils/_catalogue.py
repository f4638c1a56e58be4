# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stores that the role rehearsal looks at, and what it saw of each (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._places import place_of

_LISTED = ("exists", "archives", "other_clusters", "msg", "failure", "failed", "unreachable")
_PRUNED = ("archives", "msg", "failure", "failed", "unreachable")


def stores_named(entries: Iterable[object], *, default: str, store: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``{path, local, store}`` of each store of a catalogue, each place once.

    :param entries: paths and URLs, or mappings with ``path`` and ``store``. What is neither gets an empty path.
    :param default: the place that is meant by no entry at all.
    :param store: how a URL without a ``store`` of its own is reached.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in list(entries) or [default]:
        own: Mapping[str, Any] = (
            entry if isinstance(entry, Mapping) else {"path": entry if isinstance(entry, str) else ""}
        )
        place = place_of(str(own.get("path") or ""), store=True)
        reached = own.get("store") or store
        options = dict(reached) if isinstance(reached, Mapping) and not place["local"] else {}
        found.setdefault(place["path"], {"path": place["path"], "local": place["local"], "store": options})
    return list(found.values())


def looks_of(
    stores: Sequence[Mapping[str, Any]],
    *,
    listed: Iterable[Mapping[str, Any]],
    pruned: Iterable[Mapping[str, Any]],
    host: str,
) -> list[dict[str, Any]]:
    """Return ``{store, on, listed, pruned}`` of each store: what the report needs of what the modules returned.

    :param stores: what ``stores_named`` returned.
    :param listed: what snapshot_list returned in a loop, each with the number of its store as ``item``.
    :param pruned: so for snapshot_prune.
    :param host: where paths are.
    """
    lists, prunes = _by_number(listed), _by_number(pruned)
    return [
        {
            "store": store["path"],
            "on": host if store["local"] else "",
            "listed": _part(lists.get(number), _LISTED),
            "pruned": _part(prunes.get(number), _PRUNED),
        }
        for number, store in enumerate(stores)
    ]


def _by_number(results: Iterable[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    return {int(result["item"]): result for result in results if "item" in result and not result.get("skipped")}


def _part(result: Mapping[str, Any] | None, keys: Sequence[str]) -> dict[str, Any] | None:
    return None if result is None else {key: result[key] for key in keys if key in result}
