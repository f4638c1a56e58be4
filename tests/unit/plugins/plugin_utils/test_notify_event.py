# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document for a webhook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._notify_event import event_of
from env import places


def event(*clusters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    told = {"operation": "backup", "outcome": "failure", "number": "1", "started_at": 1e9, "now": 1e9 + 12.34567}
    return event_of(clusters=clusters, **{**told, **changes})


def test_all_of_it_is_as_the_schema_says() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="not among what the oldest Python is tested with")
    path = places.CHECKOUT / "docs" / "notifications" / "notification.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    least = {"cluster": "a", "outcome": "success"}
    most = {**least, "outcome": "failure", "age": 3.5, "size": 7, "failure": {"kind": "no_leader", "phase": "save"}}
    made = event(least, most)
    jsonschema.validate(made, schema, cls=jsonschema.Draft202012Validator)
    # The schema has each field, and no other.
    assert set(made) == set(schema["properties"])
    assert set(made["clusters"][0]) == set(schema["$defs"]["cluster"]["properties"])
    assert (made["duration"], made["started_at"], made["finished_at"]) == (
        12.346,
        "2001-09-09T01:46:40Z",
        "2001-09-09T01:46:52Z",
    )
    assert made["clusters"][1]["failure"] == {"kind": "no_leader", "phase": "save", "state": None}


def test_a_clock_that_went_back_and_a_start_that_is_not_known() -> None:
    assert event(now=1e9 - 5)["duration"] == 0.0
    assert event(started_at=None)["duration"] is None


def test_hostile_names_are_one_line_and_bounded() -> None:
    (one,) = event({"cluster": "a\nb\u202e\x1b[2J", "outcome": "failure", "archive": "x" * 5000, "age": float("nan")})[
        "clusters"
    ]
    assert one["cluster"] == "a\\nb\\u202e\\x1b[2J"
    assert len(one["archive"]) == 1000
    assert one["age"] is None
