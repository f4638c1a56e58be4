# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a webhook gets: one JSON document about one run (pure). docs/notifications.md describes it.

It says what ran, for which clusters, and what came of it. It has no message and no name of a key: those are in the
output of the run, which its readers may see and a receiver need not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils._errors import printable
from ..module_utils._times import to_text

SCHEMA = "disaster_recovery.consul/notification"
VERSION = 1
LIMIT = 1000

ENTRY: dict[str, dict[str, Any]] = {
    "cluster": {"type": "str", "required": True},
    "host": {"type": "str"},
    "outcome": {"type": "str", "choices": ["success", "failure", "skipped"], "required": True},
    "result": {"type": "str"},
    "archive": {"type": "str"},
    "taken_at": {"type": "str"},
    "age": {"type": "float"},
    "size": {"type": "int"},
    "duration": {"type": "float"},
    "rto": {"type": "float"},
    "failure": {
        "type": "dict",
        "options": {"kind": {"type": "str", "required": True}, "phase": {"type": "str"}, "state": {"type": "str"}},
    },
}
"""An entry of ``clusters``, as in an argument spec."""


def event_of(
    *,
    operation: str,
    outcome: str,
    clusters: Iterable[Mapping[str, Any]],
    number: str,
    started_at: float | None,
    now: float,
) -> dict[str, Any]:
    """Return the document.

    :param clusters: entries as ``ENTRY`` describes them; what is missing becomes null.
    :param number: different for each event, so that a receiver notices one that arrives twice.
    :param started_at: when the run began, ``now``: seconds since the epoch.
    """
    duration = None if started_at is None else max(round(now - started_at, 3), 0.0)
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "id": number,
        "operation": printable(operation),
        "outcome": outcome,
        "started_at": to_text(started_at),
        "finished_at": to_text(now),
        "duration": duration,
        "clusters": [_entry_of(cluster) for cluster in clusters],
    }


def _entry_of(given: Mapping[str, Any]) -> dict[str, Any]:
    entry = {name: _plain(given.get(name)) for name in ENTRY if name != "failure"}
    failure = given.get("failure")
    parts = {name: _plain(failure.get(name)) for name in ENTRY["failure"]["options"]} if failure else None
    return {**entry, "failure": parts}


def _plain(value: Any) -> Any:
    """Return a number that JSON has, a text on one line, or null. Names come from hosts and archives."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return printable(value, LIMIT)
