# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read back of earlier reports: only what a new one needs, and only what is of the right type (pure).

Anybody who may write into the directory of the reports may have written them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ..._errors import printable
from ..._times import from_text, to_name, to_text

SCHEMA = "disaster_recovery.consul/rehearsal-report"
VERSION = 1

PASSED, MISSED, FAILED, UNKNOWN = "passed", "missed", "failed", "unknown"
STATES = (FAILED, UNKNOWN, MISSED, PASSED)
"""Of a cluster, the gravest first: it would not come back; nobody knows; it would, short of a target; it would."""

_MOST = 1e15
_TEXT, _ADVICE = 1000, 10
_NAMED = re.compile(r"(\d{8}T\d{6}Z)(-[0-9a-f]+)?\.(?:json|html)", re.ASCII)


class Past(NamedTuple):
    """An earlier report: its line of the history, and how each of its clusters did, by name."""

    run: dict[str, Any]
    points: dict[str, dict[str, Any]]


class Known(NamedTuple):
    """What an earlier report says of a cluster that a later run leaves out. ``at``: when that was."""

    at: str
    hosts: tuple[str, ...]
    state: str
    sentence: str
    advice: tuple[str, ...]
    datacenter: str | None
    rto: float | None
    last_proven_at: str | None


def is_limited(document: object) -> bool:
    """Whether a report is of a run that left clusters out on purpose."""
    return isinstance(document, Mapping) and document.get("limited") is True


def known_of(earlier: Iterable[object], hosts: Collection[str], now: float) -> dict[str, Known]:
    """Return what is known of the clusters of a fleet, each from the newest report that has it.

    :param earlier: reports, the newest first. The first one that is not limited ends the search. What is no report, or
        of the future, is left out.
    :param hosts: those of the inventory. A cluster of which none is left there is left out.
    """
    found: dict[str, Known] = {}
    for document in earlier:
        past = past_of(document)
        if past is None or not isinstance(document, Mapping) or from_text(past.run["generated_at"]) > now:
            continue
        for cluster in document["clusters"]:
            known = _known(cluster, past.points[cluster["cluster"]], hosts)
            if known.hosts:
                found.setdefault(cluster["cluster"], known)
        if not is_limited(document):
            break
    return found


def expired(names: Iterable[str], keep: int, now: float) -> list[str]:
    """Return the names of reports that are older than the newest ``keep`` runs, the oldest first; 0 keeps all.

    A run's files share what comes before the ending. What is not named as a report, and what is dated ahead of now, is
    neither counted nor returned.
    """
    runs: dict[str, list[str]] = {}
    for name in names:
        match = _NAMED.fullmatch(name)
        if match and match.group(1) <= to_name(now):
            runs.setdefault(name.rpartition(".")[0], []).append(name)
    old = sorted(runs)[:-keep] if keep > 0 else []
    return [name for run in old for name in sorted(runs[run])]


def is_report(document: object) -> bool:
    """Whether this is a report of the version that is written here, as far as its history needs one to be."""
    return past_of(document) is not None


def read(told: object) -> object:
    """Return the data of an earlier report that comes as text; None for what is not JSON."""
    if not isinstance(told, (str, bytes)):
        return told
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return None


def history_of(earlier: Iterable[object], now: float, shown: int) -> list[Past]:
    """Return the last ``shown`` of the earlier reports, the oldest first. What is no report, or of the future, is left
    out."""
    read_back = [past for past in map(past_of, earlier) if past is not None]
    read_back = [past for past in read_back if from_text(past.run["generated_at"]) <= now]
    read_back.sort(key=lambda past: str(past.run["generated_at"]))
    return read_back[-shown:] if shown > 0 else []


def past_of(document: object) -> Past | None:
    """Return what the history needs of a report; None when it is not one."""
    if not isinstance(document, Mapping) or (document.get("schema"), document.get("version")) != (SCHEMA, VERSION):
        return None
    try:
        at = str(document["generated_at"])
        from_text(at)
        counts = {key: _count(document["counts"][key]) for key in ("clusters", *STATES)}
        if sum(counts[state] for state in STATES) != counts["clusters"]:
            return None
        points = {_name(one["cluster"]): _point(one, at) for one in document["clusters"]}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    run = {
        "generated_at": at,
        "passed": document.get("passed") is True,
        "counts": counts,
        "worst_rto": _worst(document.get("rto")),
        "worst_age": _worst(document.get("rpo")),
    }
    return Past(run, points)


def _known(cluster: Mapping[str, Any], point: Mapping[str, Any], hosts: Collection[str]) -> Known:
    named, advice = cluster.get("hosts"), cluster.get("advice")
    told = named if isinstance(named, list) else []
    return Known(
        at=point["at"],
        hosts=tuple(sorted({one for one in told if isinstance(one, str) and one in hosts})),
        state=point["state"],
        sentence=_line(cluster.get("sentence")) or "",
        advice=tuple(filter(None, map(_line, advice if isinstance(advice, list) else [])))[:_ADVICE],
        datacenter=_line(cluster.get("datacenter")),
        rto=point["rto"],
        last_proven_at=_moment(cluster.get("last_proven_at")),
    )


def _line(value: object) -> str | None:
    return printable(" ".join(value.split()), _TEXT) if isinstance(value, str) and value else None


def _moment(value: object) -> str | None:
    try:
        return to_text(from_text(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _point(cluster: Mapping[str, Any], at: str) -> dict[str, Any]:
    if cluster["state"] not in STATES:
        raise ValueError("not a state")
    return {"at": at, "state": cluster["state"], "rto": _number(cluster.get("rto")), "age": _number(cluster.get("age"))}


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a name")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError("not a number of something")
    return value


def _worst(measure: object) -> float | None:
    return _number(measure.get("worst")) if isinstance(measure, Mapping) else None


def _number(value: object) -> float | None:
    """A duration as it can be shown; None for what is not one."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _MOST:
        return None
    return float(value) if math.isfinite(value) else None
