# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Earlier reports, which anybody may have written who may write into their directory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import history
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

AT = "2026-11-23T02:15:00Z"
NOW = from_text("2026-11-24T00:00:00Z")


def report(at: str = AT, **more: Any) -> dict[str, Any]:
    """The parts of a report that its history is made of."""
    return {
        "schema": history.SCHEMA,
        "version": history.VERSION,
        "generated_at": at,
        "passed": True,
        "counts": {"clusters": 1, "passed": 1, "missed": 0, "failed": 0, "unknown": 0},
        "rto": {"worst": 2.5},
        "rpo": {"worst": None},
        "clusters": [{"cluster": "a", "state": "passed", "rto": 2.5, "age": 60}],
        **more,
    }


def test_what_is_kept_of_a_report() -> None:
    past = history.past_of(report())
    assert past is not None
    assert past.run["worst_rto"] == 2.5
    assert past.run["worst_age"] is None
    assert past.points == {"a": {"at": AT, "state": "passed", "rto": 2.5, "age": 60.0}}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        report(schema="other"),
        report(version=2),
        report(generated_at="yesterday"),
        report(counts={"clusters": 2, "passed": 1, "missed": 0, "failed": 0, "unknown": 0}),
        report(counts={"clusters": True, "passed": 1, "missed": 0, "failed": 0, "unknown": 0}),
        report(clusters=[{"cluster": "a", "state": "splendid"}]),
        report(clusters=[{"cluster": 7, "state": "passed"}]),
        report(clusters=[None]),
    ],
)
def test_what_is_no_report(document: Any) -> None:
    assert not history.is_report(document)


@pytest.mark.parametrize("value", [-1, True, "1", float("inf"), float("nan"), 1e16])
def test_numbers_that_cannot_be_shown_are_unknown(value: Any) -> None:
    past = history.past_of(report(clusters=[{"cluster": "a", "state": "passed", "rto": value, "age": None}]))
    assert past is not None
    assert past.points["a"]["rto"] is None


def test_the_last_ones_in_order_and_none_of_the_future() -> None:
    days = [f"2026-11-{day:02}T00:00:00Z" for day in (22, 20, 21, 25)]
    shown = history.history_of([*map(report, days), {"no": "report"}], NOW, 2)
    assert [past.run["generated_at"][8:10] for past in shown] == ["21", "22"]
    assert history.history_of(map(report, days), NOW, 0) == []


def test_text_that_is_no_json() -> None:
    assert history.read(json.dumps(report())) == report()
    assert history.read("{") is None
    assert history.read("[" * 100_000) is None
    assert history.read({"a": 1}) == {"a": 1}
