# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of a report as its second page shows it: each cluster and store in a row (pure).

Nothing here is markup: the template escapes every text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._operations.report.slo_words import requirement_text
from ..module_utils._operations.report.words import (
    NAME_LIMIT,
    bytes_text,
    listed_names,
    plural,
    seconds_text,
    time_text,
)

_BAR, _HEIGHT, _LEAST = 4, 26, 2
_OTHERS = 20


def catalogue_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template needs. Clusters that miss their service level come first."""
    clusters = sorted(report["clusters"], key=lambda one: (_rank(one), one["cluster"]))
    stores = [store for one in clusters for store in one.get("stores") or ()]
    archives, size = (sum(store[key] for store in stores) for key in ("archives", "bytes"))
    places = {(store["store"], store["on"]) for store in stores}
    unread = [store for store in stores if store["problem"]]
    level = report.get("slo") or {"limited": 0, "met": 0}
    others = report.get("other_clusters") or []
    return {
        "title": _title(level, bool(stores)),
        "tone": "unknown" if not level["limited"] else "passed" if level["met"] == level["limited"] else "missed",
        "scope": f"{plural(archives, 'archive')} in {plural(len(places), 'store')}, {bytes_text(size)}",
        "unread": f"{plural(len(unread), 'listing')} could not be read." if unread else None,
        "others": _others(others),
        "missed": [_level(one) for one in clusters if _rank(one) == 0],
        "clusters": [_cluster(one) for one in clusters],
    }


def _others(names: Sequence[str]) -> str | None:
    if not names:
        return None
    count = plural(len(names), "other cluster")
    return f"{count} with archives there: {listed_names(names, _OTHERS)}. No host of this run represents them."


def _title(level: Mapping[str, int], looked: bool) -> str:
    met, limited = level["met"], level["limited"]
    if limited:
        if limited == 1:
            return f"The cluster {'meets' if met else 'misses'} its service level."
        return f"{'All' if met == limited else f'{met} of'} {limited} clusters meet their service level."
    return "No service level was set." if looked else "No store was looked at."


def _rank(cluster: Mapping[str, Any]) -> int:
    level = cluster.get("slo")
    return 2 if level is None else 1 if level["met"] else 0


def _name(text: str) -> str:
    return printable(text, NAME_LIMIT)


def _level(cluster: Mapping[str, Any]) -> dict[str, Any]:
    level = cluster.get("slo")
    requirements = level["requirements"] if level else []
    return {
        "cluster": _name(cluster["cluster"]),
        "met": level["met"] if level else None,
        "requirements": [{"met": one["met"], "text": requirement_text(one)} for one in requirements],
        "unread": plural(level["unread"], "store") if level and level["unread"] else None,
    }


def _cluster(cluster: Mapping[str, Any]) -> dict[str, Any]:
    last = cluster["last_proven_at"]
    return {
        **_level(cluster),
        "last": time_text(last) if last else "never",
        "stores": [_store(store, last) for store in cluster.get("stores") or ()],
    }


def _store(store: Mapping[str, Any], last: str | None) -> dict[str, Any]:
    count = store["archives"]
    return {
        "store": store["store"],
        "on": store["on"],
        "problem": store["problem"],
        "verified": f"{store['verified']:,}",
        "others": f"{count - store['verified']:,} not verified" if count > store["verified"] else None,
        "newest": time_text(store["newest_taken_at"]) if store["newest_taken_at"] else "none",
        "age": f"current {seconds_text(store['age'])} ago" if store["age"] is not None else None,
        "protection": _protection(store),
        "rehearsed": "this run" if store["proven"] else time_text(last) if last else "never",
        "elsewhere": not store["proven"] and last is not None,
        "size": bytes_text(store["bytes"]),
        "spark": _spark(store["sizes"]),
        "prune": _prune(store["next_prune"]),
    }


def _protection(store: Mapping[str, Any]) -> list[str]:
    """What keeps its archives from being read, forged or removed, in a few words each."""
    count = store["archives"]
    parts = [
        f"{name}: {'all' if number == count else f'{number} of {count}' if number else 'none'}"
        for name, number in (("encrypted", store["sealed"]), ("signed", store["signed"]))
        if count
    ]
    parts += [f"held: {store['held']}"] if store["held"] else []
    if store["locked"]:
        parts.append(f"locked: {store['locked']}, until {time_text(store['locked_until'])[:10]}")
    return parts


def _spark(sizes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """One bar for each archive, as high as it is large."""
    if len(sizes) < 2:
        return None
    most = max(one["size"] for one in sizes) or 1
    bars = []
    for number, one in enumerate(sizes):
        height = max(_LEAST, round(_HEIGHT * one["size"] / most))
        title = f"{time_text(one['at'])}: {bytes_text(one['size'])}"
        bars.append({"x": number * _BAR, "y": _HEIGHT - height, "width": _BAR - 1, "height": height, "title": title})
    first, final = (bytes_text(sizes[place]["size"]) for place in (0, -1))
    label = f"Sizes of {len(sizes)} archives, from {first} to {final}"
    return {"bars": bars, "box": f"0 0 {len(sizes) * _BAR} {_HEIGHT}", "height": _HEIGHT, "label": label}


def _prune(plan: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if plan is None:
        return None
    removes, kept = plan["removes"], plan["kept"]
    text = f"removes {removes:,} of {removes + kept:,}, frees {bytes_text(plan['frees'])}"
    text = text if removes else "removes nothing"
    more = removes + kept - len(plan["archives"])
    return {
        "text": text if plan["problem"] is None else "would fail",
        "problem": plan["problem"],
        "more": plural(more, "more archive") if more > 0 else None,
        "archives": [
            {
                "file": one["file"],
                "taken": time_text(one["taken_at"]),
                "size": bytes_text(one["size"]),
                "keep": one["keep"],
                "why": ", ".join(one["reasons"]) or "no rule keeps it",
            }
            for one in plan["archives"]
        ],
    }
