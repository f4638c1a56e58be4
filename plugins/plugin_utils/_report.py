# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fleet's rehearsals: what each host brought back, put together for people and programs (pure).

Its shape is described by ``roles/rehearsal/files/report.schema.json``. It holds names and numbers, no secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils._operations.rehearse.verdict import DIED, NOT_PROVEN, PROVEN, REFUSED
from ..module_utils._operations.report.catalogue import other_clusters, stores_of
from ..module_utils._operations.report.history import (
    FAILED,
    MISSED,
    PASSED,
    SCHEMA,
    STATES,
    UNKNOWN,
    VERSION,
    Known,
    Past,
    history_of,
)
from ..module_utils._operations.report.input import Limits, limits_of, rehearsal_of, text_of
from ..module_utils._operations.report.names import faults_of, others_of
from ..module_utils._operations.report.slo import Slo, judged, slo_of
from ..module_utils._operations.report.slo_words import slo_advice, slo_sentence
from ..module_utils._operations.report.words import (
    RTO_LEAVES_OUT,
    advice_of,
    cluster_sentence,
    figure_sentences,
    file_text,
    left_out_remark,
    left_out_sentence,
    listed_names,
    plural,
    remark_sentence,
    remarks_of,
    verdict_sentence,
)
from ..module_utils._times import from_text, to_text

_NO_GOOD = (NOT_PROVEN, REFUSED, DIED)
_NEWEST = "newest"
_NO_ARCHIVES = ("is a symbolic link", "is not a regular file")
"""Reasons of snapshot_list for what people keep beside archives."""


def build_report(
    entries: Sequence[Mapping[str, Any]],
    *,
    now: float,
    earlier: Iterable[object] = (),
    shown: int = 30,
    known: Mapping[str, Known] | None = None,
    limited: bool = False,
) -> dict[str, Any]:
    """Return the report for what the hosts brought back.

    ``entries`` hold ``cluster``, ``host``, ``pick``, ``rehearsals`` (each ``archive`` and ``result`` as the module
    returned it), ``archives`` and ``skipped`` (as snapshot_list returned them), ``missing`` (that there is no archive),
    ``problem`` (why nothing could be looked at), and the targets ``max_rto`` and ``max_age``. Those are judged here,
    not by the module: only here it is known when a content was last confirmed. ``catalogue`` holds what was seen of the
    cluster's archives in each store (see ``catalogue.stores_of``), ``signed_only`` whether they count only when an
    allowed signer signed them, and ``slo`` what is asked of them. ``earlier`` are reports of the past, of which the
    last ``shown`` make the history.

    :param known: what earlier reports say of clusters; of those that no entry is of, the report says that.
    :param limited: whether the run left clusters out on purpose.
    """
    past = history_of(earlier, now, shown)
    grouped: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        grouped.setdefault(str(entry["cluster"]), []).append(entry)
    listed = {
        name: [archive for entry in found for archive in entry.get("archives") or ()] for name, found in grouped.items()
    }
    faults = faults_of(listed, now)
    clusters = [_cluster(name, found, listed[name], faults.get(name, []), now, past) for name, found in grouped.items()]
    left_out = {name: told for name, told in (known or {}).items() if name not in grouped}
    clusters += [_as_known(name, told, now, past) for name, told in left_out.items()]
    clusters.sort(key=lambda one: (STATES.index(one["state"]), one["cluster"]))
    counts = {state: sum(one["state"] == state for one in clusters) for state in STATES}
    rto, rpo = _measure(clusters, "rto"), _measure(clusters, "age")
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "generated_at": to_text(now),
        "limited": limited,
        "passed": bool(clusters) and counts[PASSED] == len(clusters),
        "verdict": verdict_sentence(counts),
        "remark": " ".join(filter(None, [remark_sentence(counts), left_out_sentence(left_out)])),
        "counts": {
            "clusters": len(clusters),
            "archives": sum(len(one["rehearsals"]) for one in clusters),
            "would_come_back": counts[PASSED] + counts[MISSED],
            **counts,
        },
        "rto": {**rto, "leaves_out": list(RTO_LEAVES_OUT)},
        "rpo": rpo,
        "figures": figure_sentences(rto, rpo),
        "slo": {
            "limited": sum(one["slo"] is not None for one in clusters),
            "met": sum(one["slo"] is not None and one["slo"]["met"] for one in clusters),
        },
        "clusters": clusters,
        "other_clusters": other_clusters((look for entry in entries for look in _looks(entry)), list(grouped)),
        "history": [one.run for one in past],
    }


def _cluster(
    name: str,
    entries: Sequence[Mapping[str, Any]],
    listed: Sequence[Mapping[str, Any]],
    faults: list[str],
    now: float,
    past: Sequence[Past],
) -> dict[str, Any]:
    faults = faults + others_of(name, listed)
    limits, slo, rehearsals, problems = _read(entries, listed, now)
    # The one whose content is nearest to the cluster's comes first; those of which no time is known come last.
    rehearsals.sort(key=lambda one: one["taken_at"] or "", reverse=True)
    rehearsals.sort(key=lambda one: float("inf") if one["age"] is None else one["age"])
    proven = [one for one in rehearsals if one["verdict"] == PROVEN]
    head = proven[0] if proven else rehearsals[0] if rehearsals else None
    missing = next((text_of(entry["missing"]) for entry in entries if entry.get("missing")), None)
    problem = next(iter([*faults, *problems, *([missing] if missing else [])]), None)
    history = [one.points[name] for one in past if name in one.points]
    before = [point["at"] for point in history if point["state"] in (PASSED, MISSED)]
    last = to_text(now) if proven and not faults else before[-1] if before else None
    stores = stores_of(
        (look for entry in entries for look in _looks(entry)),
        now=now,
        proven={one["sha256"] for one in proven},
        signed_only=any(entry.get("signed_only") for entry in entries),
    )
    level = judged(slo, stores, rehearsal_age=None if last is None else max(0.0, round(now - from_text(last))))
    state = _state(rehearsals, problem=problem, faults=faults, looked=not problems)
    if state == PASSED and level is not None and not level["met"]:
        state = MISSED
    known = proven and state in (PASSED, MISSED)
    cluster = {
        "cluster": name,
        "hosts": sorted({str(entry["host"]) for entry in entries}),
        "datacenter": head["datacenter"] if head else None,
        "cluster_id": head["cluster_id"] if head else None,
        "state": state,
        "pick": next((text_of(one["pick"], 40) for one in entries if one.get("pick")), _NEWEST),
        "problem": problem,
        "faults": faults,
        "limits": limits._asdict(),
        "age": head["age"] if known and head else None,
        "rto": head["rto"]["total"] if known and head and head["rto"] else None,
        "last_proven_at": last,
        "head": rehearsals.index(head) if head else None,
        "rehearsals": rehearsals,
        "stores": stores,
        "slo": level,
        "history": history,
        "remarks": remarks_of(head, listed, [one for entry in entries for one in entry.get("skipped") or ()]),
    }
    sentences = [cluster_sentence(cluster), slo_sentence(level)]
    advice = [*advice_of(cluster), *slo_advice(level)]
    return {**cluster, "sentence": " ".join(filter(None, sentences)), "advice": list(dict.fromkeys(advice))}


def _looks(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [look for look in entry.get("catalogue") or () if isinstance(look, Mapping) and look.get("store")]


def _as_known(name: str, known: Known, now: float, past: Sequence[Past]) -> dict[str, Any]:
    """A cluster that this run left out, as an earlier report knew it. How old its newest archive is, nobody knows."""
    nothing = _cluster(name, [{"cluster": name, "host": host} for host in known.hosts], [], [], now, past)
    return {
        **nothing,
        "as_of": known.at,
        "state": known.state,
        "problem": None,
        "datacenter": known.datacenter,
        "rto": known.rto,
        "last_proven_at": known.last_proven_at,
        "sentence": known.sentence,
        "advice": list(known.advice),
        "remarks": [left_out_remark(known.at)],
    }


def _read(
    entries: Sequence[Mapping[str, Any]], listed: Sequence[Mapping[str, Any]], now: float
) -> tuple[Limits, Slo | None, list[dict[str, Any]], list[str]]:
    """Limits, service level, rehearsals, and what stood in the way. What a host returned may be anything; that is its
    own problem."""
    problems = [text_of(entry["problem"]) for entry in entries if entry.get("problem")]
    unread = [one for entry in entries for one in entry.get("skipped") or () if one.get("reason") not in _NO_ARCHIVES]
    if unread:
        # Any of them may be the newest archive.
        names = listed_names([file_text(one) for one in unread])
        problems.append(f"{plural(len(unread), 'file')} could not be read: {names}")
    try:
        limits = limits_of(entries)
    except (TypeError, ValueError):
        limits = Limits(None, None)
        problems.append("rehearsal_max_rto and rehearsal_max_age must be numbers of seconds")
    try:
        slo = slo_of(entry.get("slo") for entry in entries)
    except ValueError as error:
        slo = None
        problems.append(f"rehearsal_slo is not valid: {error}")
    rehearsals = []
    for entry in entries:
        for told in entry.get("rehearsals") or ():
            try:
                rehearsals.append(rehearsal_of(told, now, limits, listed))
            except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
                problems.append(
                    f"what the rehearsal for {text_of(entry['host'])} returned is not a result of the module"
                )
    return limits, slo, rehearsals, problems


def _state(rehearsals: Sequence[Mapping[str, Any]], *, problem: str | None, faults: Sequence[str], looked: bool) -> str:
    if faults:
        # Something was restored, and nobody knows of which cluster.
        return UNKNOWN
    if any(one["verdict"] == PROVEN for one in rehearsals):
        return PASSED if problem is None and all(one["passed"] for one in rehearsals) else MISSED
    if any(one["verdict"] in _NO_GOOD for one in rehearsals):
        return FAILED
    # Where all was looked at and nothing was found, nothing can be restored.
    return FAILED if looked and not rehearsals and problem else UNKNOWN


def _measure(clusters: Sequence[Mapping[str, Any]], key: str) -> dict[str, Any]:
    """The worst and the middle of what was measured, and how many are within their limits.

    A cluster that would not come back has no such figure: it is unbounded, and no limit of its own is met.
    """
    known = sorted((float(one[key]), one["cluster"]) for one in clusters if one[key] is not None)
    values = [value for value, _name in known]
    unbounded = sum(one["state"] == FAILED for one in clusters)
    limited = [one for one in clusters if one["limits"][key] is not None]
    limited = [one for one in limited if one[key] is not None or one["state"] == FAILED]
    limits = {one["limits"][key] for one in clusters}
    return {
        "limit": limits.pop() if len(limits) == 1 else None,
        "limited": len(limited),
        "within": sum(one[key] is not None and one[key] <= one["limits"][key] for one in limited),
        "measured": len(values),
        "unbounded": unbounded,
        "unknown": len(clusters) - len(values) - unbounded,
        "worst": values[-1] if values else None,
        "worst_cluster": known[-1][1] if known else None,
        "median": values[(len(values) - 1) // 2] if values else None,
    }
