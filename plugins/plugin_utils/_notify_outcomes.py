# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of each cluster in a run of a role, for a notification (pure).

Each role notes for every host what its tasks registered; several hosts may be of one cluster. Nothing in here repeats
a message: only words of our own, kinds of failures, names and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..module_utils._times import from_text
from ._backup_failures import has_no_result
from ._notify_request import FAILURE, SKIPPED, SUCCESS

Noted = Mapping[str, Any]
"""What a host noted: ``host``, ``cluster``, ``completed`` (whether it reached the end of the role), and what the
functions below read."""

UNREACHABLE, ABORTED = "unreachable", "error"


def backup_entry(noted: list[Noted], now: float) -> dict[str, Any]:
    """Return what became of a cluster's backup: ``kept``, ``confirmed``, ``unneeded`` (``max_age``), ``left_to_leader``
    (the hosts of the run do not work on it), or a failure.

    :param noted: of the cluster's hosts. ``result``: the fact backup_result; ``saved``, ``info``: what snapshot_save
        and cluster_info returned; ``pruned``: what snapshot_prune returned, store by store; ``idle``: whether the host
        left the cluster to its leader.
    """
    one = next((one for one in noted if one.get("result")), None)
    if one is None and all(each.get("idle") and each.get("completed") for each in noted):
        return {**_named(noted[0]), "outcome": SKIPPED, "result": "left_to_leader"}
    if one is None:
        return _failed(noted, (("save", "saved"), ("preflight", "info")))
    result, saved = one["result"], one.get("saved") or {}
    entry = {
        **_named(one),
        "archive": result.get("archive"),
        "taken_at": saved.get("taken_at"),
        "age": _age(saved.get("confirmed_at"), now),
        "size": result.get("size"),
        "duration": _total(saved),
    }
    failure = _backup_failure(result, one)
    if failure:
        return {**entry, "outcome": FAILURE, "result": "failed", "failure": failure}
    if not result.get("changed") and "capture" not in (saved.get("duration") or {}):
        return {**entry, "outcome": SKIPPED, "result": "unneeded"}
    return {**entry, "outcome": SUCCESS, "result": "kept" if result.get("changed") else "confirmed"}


def _backup_failure(result: Mapping[str, Any], one: Noted) -> dict[str, Any] | None:
    if result.get("missing_copies"):
        return {"kind": "missing_copies", "phase": "copy"}
    if not result.get("confirmed_by_leader", True):
        # As for metrics: it may be behind the cluster, and is no backup until a leader confirms it.
        return {"kind": "unconfirmed", "phase": "save"}
    pruned = one.get("pruned") or ()
    kinds = [_kind_of(each) or (ABORTED if has_no_result(each) else "") for each in pruned]
    kinds = [kind for kind in kinds if kind]
    if kinds:
        return {"kind": kinds[0], "phase": "prune"}
    return None if one.get("completed") else {"kind": ABORTED, "phase": "backup"}


def restore_entry(noted: list[Noted], now: float) -> dict[str, Any]:
    """Return what became of a cluster's restore: ``restored``, ``unchanged``, or a failure.

    :param noted: ``done``, ``asked``: what snapshot_restore and cluster_info returned; ``archive``: which one it was;
        ``sending``: whether something may have been sent.
    """
    one = next((one for one in noted if _was_restored(one.get("done") or {})), None)
    if one is None:
        return _failed(noted, (("restore", "done"), ("preflight", "asked")))
    done, changed = one["done"], bool(one["done"].get("changed"))
    entry = {**_named(one), "archive": one.get("archive"), "duration": _total(done)}
    if not all(each.get("completed") for each in noted):
        # The content is proven by then: a server is not healthy yet, or what was replaced could not be copied.
        failure = {"kind": ABORTED, "phase": "afterwards", "state": "replaced" if changed else None}
        return {**entry, "outcome": FAILURE, "result": "failed", "failure": failure}
    return {**entry, "outcome": SUCCESS, "result": "restored" if changed else "unchanged"}


def _was_restored(done: Mapping[str, Any]) -> bool:
    return "reason" in done and not done.get("failed")


def rehearsal_entry(noted: list[Noted], now: float) -> dict[str, Any]:
    """Return what became of a cluster's rehearsal: the ``state`` of the report, or a failure.

    :param noted: ``verdict``: what the report says of the cluster.
    """
    one = next((one for one in noted if one.get("verdict")), None)
    if one is None:
        return _failed(noted, ())
    verdict = one["verdict"]
    newest: Mapping[str, Any] = next(iter(verdict.get("rehearsals") or ()), {})
    state = str(verdict.get("state"))
    entry = {
        **_named(one),
        "result": state,
        "archive": newest.get("archive"),
        "taken_at": newest.get("taken_at"),
        "size": newest.get("size"),
        "age": verdict.get("age"),
        "rto": verdict.get("rto"),
    }
    if state == "passed":
        return {**entry, "outcome": SUCCESS}
    return {**entry, "outcome": FAILURE, "failure": {"kind": state, "phase": "rehearsal"}}


ENTRIES: dict[str, Callable[[list[Noted], float], dict[str, Any]]] = {
    "backup": backup_entry,
    "restore": restore_entry,
    "rehearsal": rehearsal_entry,
}


def lost_entry(cluster: str, host: str) -> dict[str, Any]:
    """Return the entry of a cluster whose hosts left the play before they could say anything."""
    failure = {"kind": UNREACHABLE, "phase": "preflight"}
    return {"cluster": cluster, "host": host, "outcome": FAILURE, "result": "failed", "failure": failure}


def outcome_of(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the outcome of several clusters: one failure is a failure, and one that was skipped is no success."""
    outcomes = {entry["outcome"] for entry in entries}
    return next((one for one in (FAILURE, SKIPPED) if one in outcomes), SUCCESS)


def _failed(noted: list[Noted], phases: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Return the failure of the first host that has one, in the first of these phases; ``phases``: name and key."""
    for phase, key in phases:
        for one in noted:
            kind = _kind_of(one.get(key) or {})
            if kind:
                failure = (one[key].get("failure") or {}) if phase == "restore" else {}
                return _failure_of(one, kind, phase, failure.get("state"))
    one = noted[0]
    return _failure_of(one, ABORTED, "preflight", "unknown" if any(each.get("sending") for each in noted) else None)


def _failure_of(one: Noted, kind: str, phase: str, state: Any) -> dict[str, Any]:
    failure = {"kind": kind, "phase": phase, "state": state}
    return {**_named(one), "outcome": FAILURE, "result": "failed", "failure": failure}


def _kind_of(result: Mapping[str, Any]) -> str:
    """Return the kind of failure of a module's result; empty where it did not fail."""
    if result.get("unreachable"):
        return UNREACHABLE
    # Ansible says failed: false where the role judges a failure later.
    failure = result.get("failure")
    return str(failure.get("kind") or ABORTED) if failure else ABORTED if result.get("failed") else ""


def _named(one: Noted) -> dict[str, Any]:
    return {"cluster": str(one["cluster"]), "host": str(one["host"])}


def _total(result: Mapping[str, Any]) -> Any:
    return (result.get("duration") or {}).get("total")


def _age(text: Any, now: float) -> float | None:
    try:
        return max(round(now - from_text(str(text)), 1), 0.0) if text else None
    except ValueError:
        return None
