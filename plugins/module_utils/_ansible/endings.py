# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module prints when it ends: a result, or a message and a ``failure``, fit for a terminal (pure)."""

from __future__ import annotations

import traceback
from typing import Any

from .._errors import FailureKind, SnapshotError, place_in_code, printable
from .interrupts import Interrupted

_FOR_PEOPLE = (
    "attempts",
    "complaint",
    "detail",
    "fault",
    "hint",
    "next_steps",
    "reason",
    "summary",
    "unknown",
    "warnings",
)
_NAMES = ("datacenter", "datacenters", "leader", "name", "node", "services", "version", "versions")
_VERSIONS = ("consul_version", "server_version")
_SENT = ("replaced", "unknown")
_LOOK_FIRST = "The archive was sent: look at the cluster before you do anything else (docs/runbook.md, section 1)."
_RUN_AGAIN = "Run the task again; it left no partial file."
_DEFECT = "This is a defect of the collection. Report it with the place that is named here."


def for_people(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result in which what is meant to be read can be shown on a terminal, as roles do.

    That is words, and names of servers, nodes and services. Names of keys and other records, and paths, stay as is.
    """
    return {
        name: _shown(value) if name in (*_FOR_PEOPLE, *_NAMES, *_VERSIONS) else _within(value)
        for name, value in result.items()
    }


def _within(value: Any) -> Any:
    if isinstance(value, dict):
        return for_people(value)
    return [_within(item) for item in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, None)
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, (list, tuple)) else value


def failure_of(error: BaseException, state: str | None = None) -> tuple[str, dict[str, Any]]:
    """Return the message and the ``failure`` of a module that ends with this error.

    :param state: what is known of the cluster's content, for a module that changes it.
    """
    known = {"state": state} if state else {}
    if isinstance(error, SnapshotError):
        return error.as_text(), {**known, **error.as_failure()}
    suffix = f" (the cluster: {state})" if state else ""
    if isinstance(error, (Interrupted, KeyboardInterrupt)):
        hint = _LOOK_FIRST if state in _SENT else _RUN_AGAIN
        failure = {**known, "kind": str(FailureKind.INTERRUPTED), "hint": hint}
        return f"interrupted by a signal{suffix}. {hint}", failure
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = place_in_code(where.filename, where.lineno or 0)
    failure = {**known, "kind": str(FailureKind.DEFECT), "hint": _DEFECT, "place": place}
    return printable(f"unexpected {type(error).__name__} at {place}{suffix}. {_DEFECT}", None), failure
