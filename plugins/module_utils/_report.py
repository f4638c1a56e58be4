# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fleet's rehearsals: what each host brought back, put together for people and programs (pure).

Its shape is described by ``roles/rehearsal/files/report.schema.json``. It holds names and numbers, no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ._rehearsal import AGE, DIED, INCOMPLETE, NOT_PROVEN, PHASES, PROVEN, REFUSED, RTO
from ._report_words import advice_of, cluster_sentence, rehearsal_sentence, remark_sentence, verdict_sentence
from ._times import from_text, to_text

SCHEMA = "disaster_recovery.consul/rehearsal-report"
VERSION = 1

PASSED, MISSED, FAILED, UNKNOWN = "passed", "missed", "failed", "unknown"
STATES = (FAILED, UNKNOWN, MISSED, PASSED)
"""Of a cluster, the gravest first: it would not come back; nobody knows; it would, short of a target; it would."""

_NO_GOOD = (NOT_PROVEN, REFUSED, DIED)


class Limits(NamedTuple):
    """What a cluster is held to, in seconds; None asks for nothing."""

    rto: float | None
    age: float | None


def build_report(
    entries: Sequence[Mapping[str, Any]],
    *,
    now: float,
    earlier: Iterable[Mapping[str, Any]] = (),
    shown: int = 30,
) -> dict[str, Any]:
    """Return the report for what the hosts brought back.

    ``entries`` hold ``cluster``, ``host``, ``rehearsals`` (each ``archive``, ``confirmed_at``, ``result`` as the module
    returned it), ``problem`` (why there are none), and the targets ``max_rto`` and ``max_age``. Those are judged here,
    not by the module: only here it is known when an archive was last confirmed. ``earlier`` are reports of the past, of
    which the last ``shown`` make the history.
    """
    past = sorted((one for one in earlier if is_report(one)), key=lambda one: str(one["generated_at"]))
    past = [one for one in past if from_text(one["generated_at"]) <= now][-shown:] if shown else []
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        grouped.setdefault(str(entry["cluster"]), []).append(entry)
    clusters = [_cluster(name, found, now, past) for name, found in grouped.items()]
    clusters.sort(key=lambda one: (STATES.index(one["state"]), one["cluster"]))
    counts = {state: sum(one["state"] == state for one in clusters) for state in STATES}
    archives = sum(len(one["rehearsals"]) for one in clusters)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "generated_at": to_text(now),
        "passed": bool(clusters) and counts[PASSED] == len(clusters),
        "verdict": verdict_sentence(counts),
        "remark": remark_sentence(counts),
        "counts": {"clusters": len(clusters), "archives": archives, **counts},
        "rto": _measure(clusters, "rto"),
        "rpo": _measure(clusters, "age"),
        "clusters": clusters,
        "history": [_summary_of(one) for one in past],
    }


def is_report(document: object) -> bool:
    """Whether this is a report of the version that is written here, as far as its history needs one to be."""
    if not isinstance(document, dict) or (document.get("schema"), document.get("version")) != (SCHEMA, VERSION):
        return False
    try:
        from_text(document["generated_at"])
        return {*STATES, "clusters"} <= set(document["counts"]) and all(
            isinstance(one["cluster"], str) and one["state"] in STATES for one in document["clusters"]
        )
    except (KeyError, TypeError, ValueError):
        return False


def _cluster(
    name: str, entries: Sequence[Mapping[str, Any]], now: float, past: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    limits = _limits(entries)
    rehearsals = [_rehearsal(one, now, limits) for entry in entries for one in entry.get("rehearsals") or ()]
    # Those whose time is not known are no archives of anything; the newest of the others stands for the cluster.
    rehearsals.sort(key=lambda one: one["taken_at"] or "", reverse=True)
    proven = [one for one in rehearsals if one["verdict"] == PROVEN]
    head = proven[0] if proven else rehearsals[0] if rehearsals else None
    problem = next((str(entry["problem"]) for entry in entries if entry.get("problem")), None)
    state = _state(rehearsals, problem)
    history = [_point(one, seen) for one in past for seen in one["clusters"] if seen["cluster"] == name]
    before = [point["at"] for point in history if point["state"] in (PASSED, MISSED)]
    last = to_text(now) if proven else before[-1] if before else None
    cluster = {
        "cluster": name,
        "hosts": sorted({str(entry["host"]) for entry in entries}),
        "datacenter": head["datacenter"] if head else None,
        "cluster_id": head["cluster_id"] if head else None,
        "state": state,
        "problem": problem,
        "limits": limits._asdict(),
        "age": head["age"] if proven and head else None,
        "rto": head["rto"]["total"] if proven and head and head["rto"] else None,
        "last_proven_at": last,
        "head": rehearsals.index(head) if head else None,
        "rehearsals": rehearsals,
        "history": history,
    }
    return {**cluster, "sentence": cluster_sentence(cluster), "advice": advice_of(cluster)}


def _state(rehearsals: Sequence[Mapping[str, Any]], problem: str | None) -> str:
    if not any(one["verdict"] == PROVEN for one in rehearsals):
        return FAILED if any(one["verdict"] in _NO_GOOD for one in rehearsals) else UNKNOWN
    return PASSED if problem is None and all(one["passed"] for one in rehearsals) else MISSED


def _limits(entries: Sequence[Mapping[str, Any]]) -> Limits:
    """The strictest that any host of a cluster asks for; zero asks for nothing."""
    asked = ([float(entry.get(key) or 0) for entry in entries] for key in ("max_rto", "max_age"))
    return Limits(*(min(filter(None, limits), default=None) for limits in asked))


def _rehearsal(told: Mapping[str, Any], now: float, limits: Limits) -> dict[str, Any]:
    result = told.get("result") or {}
    verdict = result.get("verdict") or INCOMPLETE
    taken_at, confirmed_at = result.get("taken_at"), told.get("confirmed_at")
    age = _age(result, confirmed_at, now)
    measured = {RTO: (result.get("rto") or {}).get("total"), AGE: age}
    held = [
        {"name": name, "limit": limit, "actual": measured[name], "met": _kept(measured[name], limit)}
        for name, limit in limits._asdict().items()
        if limit is not None and (verdict == PROVEN or measured[name] is not None)
    ]
    rto = result.get("rto") or None
    proof = result.get("proof") or {}
    hint = str((result.get("failure") or {}).get("hint") or "")
    rehearsal = {
        "archive": str(told["archive"]),
        "verdict": verdict,
        "passed": verdict == PROVEN
        and all(one["met"] for one in held)
        and all(one["passed"] for one in result.get("assertions") or ()),
        "datacenter": result.get("datacenter"),
        "cluster_id": result.get("cluster_id"),
        "sha256": result.get("sha256"),
        "size": result.get("size"),
        "taken_at": taken_at,
        "confirmed_at": confirmed_at,
        "age": age,
        "archive_version": result.get("archive_version"),
        "server_version": result.get("server_version"),
        "records": counts_of(result.get("records") or {}),
        "rto": {name: rto.get(name) for name in (*PHASES, "total")} if rto else None,
        "memory_bytes": result.get("memory_bytes"),
        "isolation": result.get("isolation"),
        "differs": [str(name) for name in proof.get("differs") or ()],
        "changes": [_change(name, one) for name, one in sorted((result.get("changes") or {}).items())],
        "findings": [_finding(one) for one in result.get("findings") or ()],
        "assertions": [
            {"name": str(one["name"]), "passed": bool(one["passed"]), "detail": str(one.get("detail") or "")}
            for one in result.get("assertions") or ()
        ],
        "targets": held,
        "message": _message(result, hint) if verdict != PROVEN else None,
        "hint": hint or None,
        "kept_dir": result.get("kept_dir"),
    }
    return {**rehearsal, "sentence": rehearsal_sentence(rehearsal)}


def _message(result: Mapping[str, Any], hint: str) -> str | None:
    """What the module said, without what to do, which stands by itself."""
    text = str(result.get("msg") or "").strip()
    return (text[: -len(hint)].strip() if hint and text.endswith(hint) else text) or None


def _kept(actual: float | None, limit: float) -> bool:
    """What was not measured was not kept."""
    return actual is not None and actual <= limit


def _age(result: Mapping[str, Any], confirmed_at: str | None, now: float) -> float | None:
    """An archive is as old as the last look that found the cluster to hold just that."""
    known = [from_text(text) for text in (result.get("taken_at"), confirmed_at) if text]
    return max(0.0, round(now - max(known))) if known else None


def _change(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What another version made of the records of a type."""
    counts = {key: int(told.get(key) or 0) for key in ("added", "removed", "changed")}
    return {"type": str(name), **counts, "equal": bool(told.get("equal"))}


def _finding(told: Mapping[str, Any]) -> dict[str, Any]:
    listed = {key: told.get(key) for key in ("name", "severity", "sentence", "count")}
    words = told.get("last_words") or []
    lines = words.splitlines() if isinstance(words, str) else words
    return {**listed, "names": [str(one) for one in told.get("names") or ()], "last_words": [str(one) for one in lines]}


def counts_of(records: Mapping[str, Any]) -> dict[str, int]:
    """Return how many records there are of each type, from either way to tell it: a number, or its count and size."""
    told = ((name, stats["count"] if isinstance(stats, Mapping) else stats) for name, stats in records.items())
    return {str(name): int(count) for name, count in sorted(told)}


def _measure(clusters: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """The worst and the middle of what was measured, and how many are within their limits."""
    known = sorted((float(one[key]), one["cluster"]) for one in clusters if one[key] is not None)
    values = [value for value, _name in known]
    limited = [one for one in clusters if one[key] is not None and one["limits"][key] is not None]
    limits = {one["limits"][key] for one in clusters}
    return {
        "limit": limits.pop() if len(limits) == 1 else None,
        "limited": len(limited),
        "within": sum(one[key] <= one["limits"][key] for one in limited),
        "measured": len(values),
        "worst": values[-1] if values else None,
        "worst_cluster": known[-1][1] if known else None,
        "median": values[(len(values) - 1) // 2] if values else None,
    }


def _point(report: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": report["generated_at"], "state": seen["state"], "rto": seen.get("rto"), "age": seen.get("age")}


def _summary_of(report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "generated_at": report["generated_at"],
        "passed": bool(report.get("passed")),
        "counts": {key: int(report["counts"][key]) for key in ("clusters", *STATES)},
        "worst_rto": (report.get("rto") or {}).get("worst"),
        "worst_age": (report.get("rpo") or {}).get("worst"),
    }
