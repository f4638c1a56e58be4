# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as its page shows it: texts, and the geometry of its charts in percent of their width (pure).

Nothing here is markup: the template escapes every text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._operations.rehearse.verdict import PHASES
from ..module_utils._operations.report.history import FAILED, PASSED, STATES
from ..module_utils._operations.report.words import NAME_LIMIT, STATE_WORDS, bytes_text, plural, seconds_text, time_text
from ._catalogue_view import catalogue_of

CHART_ROWS = 30
"""Bars that a chart shows at most; the table below holds all."""
_NAME = 34
_ROW, _TOP, _COLUMN_HEIGHT, _LEAST_SLOTS = 42, 24, 96, 14
_ORDER = tuple(reversed(STATES))

_VERDICT_WORDS = {
    "proven": "proven",
    "not_proven": "content differs",
    "refused": "refused",
    "died": "server died",
    "incomplete": "not finished",
}
_ISOLATION_WORDS = {"network_namespace": "a network of its own", "loopback": "loopback only"}


def view_of(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template needs, ready to be shown."""
    clusters = report["clusters"]
    counts = report["counts"]
    total = counts["clusters"]
    history = [*report["history"], _now(report)]
    return {
        "verdict": report["verdict"],
        "remark": report["remark"],
        "passed": report["passed"],
        "tone": next((state for state in STATES if counts[state]), "unknown"),
        "generated": time_text(report["generated_at"]),
        "generated_at": report["generated_at"],
        "scope": f"{plural(total, 'cluster')}, {plural(counts['archives'], 'archive')}",
        "states": [
            {
                "state": state,
                "word": STATE_WORDS[state],
                "count": counts[state],
                "share": _percent(counts[state], total),
            }
            for state in _ORDER
        ],
        "rpo": _tile(report["rpo"]),
        "rto": _tile(report["rto"]),
        "todo": [_shown(one) for one in clusters if one["state"] != PASSED],
        "rto_chart": _rto_chart(clusters, report["rto"]["limit"]),
        "age_chart": _age_chart(clusters, report["rpo"]["limit"]),
        "clusters": [_shown(one) for one in clusters],
        "history": [_run(one) for one in reversed(history)] if len(history) > 1 else [],
        "history_chart": _history_chart(history) if len(history) > 1 else None,
        "leaves_out": report["rto"].get("leaves_out", ()),
        "catalogue": catalogue_of(report),
    }


def domain_of(values: Sequence[float], limit: float | None) -> float:
    """Return the right end of an axis: all values if they are of one size, or else what is worth comparing."""
    top = max(values, default=0.0)
    if limit:
        # One archive that was forgotten for a year must not make all others invisible.
        return max(limit * 1.25, min(top * 1.02, limit * 3))
    return top * 1.02 or 1.0


def short(name: str) -> str:
    """Return a name that fits above a bar on a phone."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 12]}…{name[-11:]}"


def _percent(value: float, whole: float) -> float:
    return round(100 * value / whole, 2) if whole else 0.0


def _tile(measure: Mapping[str, Any]) -> dict[str, Any]:
    limit, worst, measured = measure["limit"], measure["worst"], measure["measured"]
    met = measure["within"] == measure["limited"] if measure["limited"] else None
    unbounded = measure["unbounded"]
    whose = "their own targets" if limit is None else seconds_text(limit) if unbounded else "it"
    return {
        "value": f"unbounded for {unbounded}" if unbounded else seconds_text(worst) if worst is not None else "–",
        "unbounded": unbounded,
        "others": seconds_text(worst) if unbounded and worst is not None else None,
        "of": None if worst is None else _name(measure["worst_cluster"]),
        "limit": None if limit is None else seconds_text(limit),
        "met": met,
        "within": f"{measure['within']} of {measure['limited']} within {whose}" if measure["limited"] else None,
        "median": None if measure["median"] is None or measured < 2 else seconds_text(measure["median"]),
        "unknown": measure["unknown"],
        "share": None if limit is None or worst is None or unbounded else min(100.0, _percent(worst, limit)),
    }


def _bars(rows: Sequence[dict[str, Any]], limit: float | None, domain: float) -> dict[str, Any]:
    for number, row in enumerate(rows):
        row["y"] = _TOP + number * _ROW
    return {
        "rows": rows,
        "height": _TOP + len(rows) * _ROW,
        "limit": None if limit is None else {"text": seconds_text(limit), "x": _percent(limit, domain)},
        "cut": any(row["cut"] for row in rows),
    }


def _rto_chart(clusters: Sequence[Mapping[str, Any]], limit: float | None) -> dict[str, Any]:
    # Of a cluster that the run left out, the phases are not known.
    measured = [one for one in clusters if one["rto"] is not None and one["head"] is not None]
    measured.sort(key=lambda one: -one["rto"])
    domain = domain_of([one["rto"] for one in measured], limit)
    rows = []
    for one in measured[:CHART_ROWS]:
        phases, start = one["rehearsals"][one["head"]]["rto"], 0.0
        bars: list[dict[str, Any]] = []
        for name in PHASES:
            length = phases[name] or 0.0
            end = min(start + length, domain)
            x = _percent(start, domain)
            width = round(max(_percent(end, domain) - x, 0.0), 2)
            bars.append({"phase": name, "text": seconds_text(length), "x": x, "width": width})
            start = end
        late = _is_late(one, "rto")
        rows.append({**_labelled(one, one["rto"]), "bars": bars, "late": late, "cut": one["rto"] > domain})
    return {**_bars(rows, limit, domain), **_rest(measured, "rto"), "phases": PHASES}


def _age_chart(clusters: Sequence[Mapping[str, Any]], limit: float | None) -> dict[str, Any]:
    measured = [one for one in clusters if one["age"] is not None]
    measured.sort(key=lambda one: -one["age"])
    domain = domain_of([one["age"] for one in measured], limit)
    rows = []
    for one in measured[:CHART_ROWS]:
        late = _is_late(one, "age")
        width = _percent(min(one["age"], domain), domain)
        rows.append({**_labelled(one, one["age"]), "width": width, "late": late, "cut": one["age"] > domain})
    return {**_bars(rows, limit, domain), **_rest(measured, "age")}


def _labelled(cluster: Mapping[str, Any], value: float) -> dict[str, Any]:
    name = _name(cluster["cluster"])
    return {"cluster": name, "name": short(name), "text": seconds_text(value)}


def _is_late(cluster: Mapping[str, Any], key: str) -> bool:
    limit = cluster["limits"][key]
    return limit is not None and cluster[key] > limit


def _rest(measured: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    more = measured[CHART_ROWS:]
    return {"more": len(more), "most": seconds_text(more[0][key]) if more else None}


def _now(report: Mapping[str, Any]) -> dict[str, Any]:
    counts = report["counts"]
    return {
        "generated_at": report["generated_at"],
        "passed": report["passed"],
        "counts": counts,
        "worst_rto": report["rto"]["worst"],
        "worst_age": report["rpo"]["worst"],
    }


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    counts = run["counts"]
    return {
        "generated": time_text(run["generated_at"]),
        "clusters": counts["clusters"],
        "counts": [{"state": state, "word": STATE_WORDS[state], "count": counts[state]} for state in _ORDER],
        "worst_rto": seconds_text(run["worst_rto"]) if run["worst_rto"] is not None else "–",
        "worst_age": _worst_age(run),
    }


def _worst_age(run: Mapping[str, Any]) -> str:
    if run["counts"][FAILED]:
        return f"unbounded for {run['counts'][FAILED]}"
    return seconds_text(run["worst_age"]) if run["worst_age"] is not None else "–"


def _name(text: str) -> str:
    """Names come from inventories; bidi marks would let one look like another."""
    return printable(text, NAME_LIMIT)


def _history_chart(history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    most = max(one["counts"]["clusters"] for one in history) or 1
    slot = 100 / max(len(history), _LEAST_SLOTS)
    first = 100 - slot * len(history)
    columns = []
    for number, one in enumerate(history):
        bottom, parts = float(_COLUMN_HEIGHT), []
        for state in _ORDER:
            height = round(_COLUMN_HEIGHT * one["counts"][state] / most, 2)
            bottom -= height
            parts += [{"state": state, "y": round(bottom, 2), "height": height}] if height else []
        said = ", ".join(f"{one['counts'][state]} {STATE_WORDS[state]}" for state in _ORDER if one["counts"][state])
        title = f"{time_text(one['generated_at'])}: {said or 'no cluster'}"
        columns.append(
            {"x": round(first + slot * number, 2), "width": round(slot * 0.78, 2), "parts": parts, "title": title}
        )
    return {
        "columns": columns,
        "height": _COLUMN_HEIGHT,
        "first": time_text(history[0]["generated_at"])[:10],
        "first_x": round(first, 2),
        "last": time_text(history[-1]["generated_at"])[:10],
    }


def _shown(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """A cluster in the table and in its details."""
    rehearsals = [_rehearsed(one) for one in cluster["rehearsals"]]
    head = rehearsals[cluster["head"]] if cluster["head"] is not None else None
    strip = [
        {"state": one["state"], "title": f"{time_text(one['at'])}: {STATE_WORDS[one['state']]}"}
        for one in cluster["history"]
    ]
    good = sum(one["state"] == PASSED for one in cluster["history"])
    return {
        "cluster": _name(cluster["cluster"]),
        "datacenter": cluster["datacenter"],
        "cluster_id": cluster["cluster_id"],
        "hosts": ", ".join(map(_name, cluster["hosts"])),
        "state": cluster["state"],
        "word": STATE_WORDS[cluster["state"]],
        "sentence": cluster["sentence"],
        "advice": cluster["advice"],
        "remarks": cluster["remarks"],
        "age": _figure(cluster, "age"),
        "rto": _figure(cluster, "rto"),
        "phases": head["phases"] if head and cluster["rto"] is not None else [],
        "records": head["total"] if head else "–",
        "version": head["version"] if head else "–",
        "last": time_text(cluster["last_proven_at"]) if cluster["last_proven_at"] else "never",
        "strip": strip,
        "strip_text": f"{good} of the last {plural(len(strip), 'rehearsal')} proven"
        if strip
        else "no earlier rehearsal",
        "rehearsals": rehearsals,
    }


def _figure(cluster: Mapping[str, Any], key: str) -> str:
    if cluster["state"] == FAILED:
        return "unbounded"
    return seconds_text(cluster[key]) if cluster[key] is not None else "unknown"


def _rehearsed(one: Mapping[str, Any]) -> dict[str, Any]:
    old, new = one["archive_version"], one["server_version"]
    rto = one["rto"] or {}
    return {
        "file": printable(one["archive"].rpartition("/")[2], NAME_LIMIT),
        "archive": printable(one["archive"], None),
        "verdict": one["verdict"],
        "word": _VERDICT_WORDS.get(one["verdict"], one["verdict"]),
        "passed": one["passed"],
        "sentence": one["sentence"],
        "version": (f"{old} → {new}" if old and new and old != new else old or new) or "–",
        "facts": [(name, value) for name, value in _facts(one) if value],
        "phases": [{"phase": name, "text": seconds_text(rto[name])} for name in PHASES if rto.get(name) is not None],
        "total": f"{sum(one['records'].values()):,}" if one["records"] else "–",
        "records": [{"type": name, "count": f"{count:,}"} for name, count in one["records"].items()],
        "assertions": one["assertions"],
        "targets": [{**held, "text": _target(held)} for held in one["targets"]],
        "findings": one["findings"],
        "changes": [_change(told) for told in one["changes"]],
        "differs": ", ".join(one["differs"]),
    }


def _change(told: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{told[key]} {key}" for key in ("added", "removed", "changed") if told[key])
    return (
        f"{told['type']}: {counts or 'nothing counted'}, {'which means the same' if told['equal'] else 'not the same'}"
    )


def _target(held: Mapping[str, Any]) -> str:
    words = {"rto": "RTO", "age": "RPO"}
    name = words.get(held["name"], held["name"])
    return f"{name} {seconds_text(held['actual'])}, target {seconds_text(held['limit'])}"


def _sealed(one: Mapping[str, Any]) -> str | None:
    if not one["sealed"]:
        return None
    return {True: "yes; the key opens it", False: "yes; the key does not open it"}.get(one["key_works"], "yes")


def _facts(one: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    return [
        ("Saved for", one["saved_for"]),
        (
            "Taken",
            time_text(one["taken_at"]) + (" (ignored)" if one["dated_ahead"] else "") if one["taken_at"] else None,
        ),
        ("Confirmed", time_text(one["confirmed_at"]) if one["confirmed_at"] else None),
        ("Size", bytes_text(one["size"]) if one["size"] is not None else None),
        ("SHA-256", one["sha256"]),
        ("Encrypted", _sealed(one)),
        ("Signed by", one["signed_by"]),
        ("Taken by Consul", one["archive_version"]),
        ("Rehearsed in Consul", one["server_version"]),
        ("Kept apart by", _ISOLATION_WORDS.get(one["isolation"] or "", one["isolation"])),
        ("Memory of the server", bytes_text(one["memory_bytes"]) if one["memory_bytes"] is not None else None),
        ("Kept on failure", one["kept_dir"]),
    ]
