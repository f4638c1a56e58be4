# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One archive of a report: what the module returned for it, and what is known of it from where it lies (pure).

Results come from other hosts, and names from archives: texts are bounded and made printable here, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._errors import printable
from ..._storage.chronology import is_ahead
from ..._times import from_text, to_text
from ..rehearse.verdict import AGE, INCOMPLETE, PHASES, PROVEN, RTO, VERDICTS
from .words import rehearsal_sentence

_TEXT, _LINES = 1000, 40


class Limits(NamedTuple):
    """What a cluster is held to, in seconds; None asks for nothing."""

    rto: float | None
    age: float | None


def limits_of(entries: Iterable[Mapping[str, Any]]) -> Limits:
    """Return the strictest that any host of a cluster asks for; zero asks for nothing."""
    entries = list(entries)
    asked = ([float(entry.get(key) or 0) for entry in entries] for key in ("max_rto", "max_age"))
    return Limits(*(min((limit for limit in limits if limit > 0), default=None) for limits in asked))


def text_of(value: object, limit: int = _TEXT) -> str:
    """Return text from outside on one line, printable and bounded."""
    return printable(" ".join(str(value).split()), limit)


def rehearsal_of(
    told: Mapping[str, Any], now: float, limits: Limits, listed: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what a report says of an archive.

    :param told: ``archive``, its path, and ``result``, what the module returned.
    :param listed: all archives of the cluster that the run looked at: one of them may confirm this one's content.
    """
    result = told.get("result") or {}
    verdict = result.get("verdict") if result.get("verdict") in VERDICTS else INCOMPLETE
    listed = list(listed)
    own = next((one for one in listed if one.get("path") == told["archive"]), {})
    sealed = next((one for one in (result.get("sealed"), own.get("sealed")) if isinstance(one, bool)), None)
    # The manifest of other bytes tells nothing of these.
    own = own if own.get("sha256") in (None, result.get("sha256")) else {"cluster": {}}
    by_leader = own.get("confirmed_by_leader")
    confirmed = _confirmed(result, own, listed, now)
    taken = _believed(result.get("taken_at"), now) if by_leader is not False else None
    known = [time for time in (taken, confirmed) if time is not None]
    age = max(0.0, float(round(now - max(known)))) if known else None
    measured = {RTO: (result.get("rto") or {}).get("total"), AGE: age}
    held = [
        {"name": name, "limit": limit, "actual": measured[name], "met": _kept(measured[name], limit)}
        for name, limit in limits._asdict().items()
        if limit is not None and (verdict == PROVEN or measured[name] is not None)
    ]
    rto = result.get("rto") or None
    hint = str((result.get("failure") or {}).get("hint") or "")
    assertions = [
        {"name": text_of(one["name"]), "passed": bool(one["passed"]), "detail": text_of(one.get("detail") or "")}
        for one in result.get("assertions") or ()
    ]
    rehearsal = {
        "archive": str(told["archive"]),
        "verdict": verdict,
        "passed": verdict == PROVEN and all(one["met"] for one in held) and all(one["passed"] for one in assertions),
        "datacenter": _optional(result.get("datacenter")),
        "cluster_id": _optional(result.get("cluster_id")),
        "saved_for": _optional((own.get("cluster") or {}).get("name")),
        "sha256": _optional(result.get("sha256")),
        "size": result.get("size"),
        "taken_at": _time(result.get("taken_at")),
        "dated_ahead": _ahead(result.get("taken_at"), now),
        "confirmed_at": to_text(confirmed),
        "confirmed_by_leader": by_leader if isinstance(by_leader, bool) else None,
        "age": age,
        "sealed": sealed,
        "key_works": _key_works(result, sealed),
        "signed_by": _optional(result.get("signed_by")),
        "archive_version": _optional(result.get("archive_version")),
        "server_version": _optional(result.get("server_version")),
        "records": counts_of(result.get("records") or {}),
        "rto": {name: rto.get(name) for name in (*PHASES, "total")} if rto else None,
        "memory_bytes": result.get("memory_bytes"),
        "isolation": _optional(result.get("isolation")),
        "differs": [text_of(name) for name in (result.get("proof") or {}).get("differs") or ()],
        "changes": [_change(name, one) for name, one in sorted((result.get("changes") or {}).items())],
        "findings": [_finding(one) for one in result.get("findings") or ()],
        "assertions": assertions,
        "targets": held,
        "message": _message(result, hint) if verdict != PROVEN else None,
        "hint": text_of(hint) or None,
        "kept_dir": _optional(result.get("kept_dir")),
    }
    return {**rehearsal, "sentence": rehearsal_sentence(rehearsal)}


def _key_works(result: Mapping[str, Any], sealed: bool | None) -> bool | None:
    """Whether the identity opened a sealed archive; None where that was not tried, or nothing is sealed.

    A result has ``sealed`` only once the archive was opened and verified.
    """
    if result.get("sealed") is True:
        return True
    cause = (result.get("failure") or {}).get("cause")
    return False if sealed and isinstance(cause, Mapping) and cause.get("kind") == "sealed" else None


def counts_of(records: Mapping[str, Any]) -> dict[str, int]:
    """Return how many records there are of each type, from either way to tell it: a number, or its count and size."""
    told = ((name, stats["count"] if isinstance(stats, Mapping) else stats) for name, stats in records.items())
    return {text_of(name, 100): int(count) for name, count in sorted(told)}


def _confirmed(
    result: Mapping[str, Any], own: Mapping[str, Any], listed: Iterable[Mapping[str, Any]], now: float
) -> float | None:
    """When this content was last confirmed to be the cluster's: by this archive's manifest, or by that of another
    archive of the same content."""
    same = [own] if own else []
    for key in ("sha256", "fingerprint"):
        if result.get(key):
            same += [one for one in listed if one.get(key) == result[key]]
    times = [_believed(one.get("confirmed_at"), now) for one in same if one.get("confirmed_by_leader") is not False]
    return max((time for time in times if time is not None), default=None)


def _believed(text: object, now: float) -> float | None:
    """A time that does not lie far ahead of now; a little ahead is now."""
    time = None if not isinstance(text, str) else _seconds(text)
    return None if time is None or is_ahead(time, now) else min(time, now)


def _ahead(text: object, now: float) -> bool:
    time = _seconds(text) if isinstance(text, str) else None
    return time is not None and is_ahead(time, now)


def _seconds(text: str) -> float | None:
    try:
        return from_text(text)
    except ValueError:
        return None


def _time(text: object) -> str | None:
    return text if isinstance(text, str) and _seconds(text) is not None else None


def _optional(value: object) -> str | None:
    return None if value is None or value == "" else text_of(value)


def _message(result: Mapping[str, Any], hint: str) -> str | None:
    """What the module said, without what to do, which stands by itself."""
    text = str(result.get("msg") or "").strip()
    return text_of(text[: -len(hint)].strip() if hint and text.endswith(hint) else text) or None


def _kept(actual: float | None, limit: float) -> bool:
    """What was not measured was not kept."""
    return actual is not None and actual <= limit


def _change(name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What another version made of the records of a type."""
    counts = {key: int(told.get(key) or 0) for key in ("added", "removed", "changed")}
    return {"type": text_of(name, 100), **counts, "equal": bool(told.get("equal"))}


def _finding(told: Mapping[str, Any]) -> dict[str, Any]:
    words = told.get("crash_log") or []
    lines = words.splitlines() if isinstance(words, str) else words
    return {
        **{key: text_of(told.get(key)) for key in ("name", "severity", "sentence")},
        "count": told.get("count"),
        "names": [text_of(one) for one in told.get("names") or ()][:_LINES],
        "crash_log": [printable(one, _TEXT) for one in lines][-_LINES:],
    }
