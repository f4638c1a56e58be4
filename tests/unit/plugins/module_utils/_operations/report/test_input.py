# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report takes from a rehearsal's result."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.input import (
    Limits,
    counts_of,
    limits_of,
    rehearsal_of,
    text_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

NOW = from_text("2026-11-24T00:00:00Z")
NO_LIMITS = Limits(None, None)
PHASES = {"start": 1.0, "restore": 1.0, "ready": 0.2, "proof": 0.3, "total": 2.5}


def result(**more: Any) -> dict[str, Any]:
    """What snapshot_rehearse returned."""
    return {
        "verdict": "proven",
        "taken_at": "2026-11-23T23:00:00Z",
        "sha256": "a" * 64,
        "rto": PHASES,
        "records": {"KVS": {"count": 3, "size": 120}},
        **more,
    }


def told(listed: tuple[dict[str, Any], ...] = (), limits: Limits = NO_LIMITS, **more: Any) -> dict[str, Any]:
    """What the report says of it."""
    return rehearsal_of({"archive": "/kept/a.snap", "result": result(**more)}, NOW, limits, listed)


def test_the_strictest_limit_counts_and_zero_is_none() -> None:
    entries: list[dict[str, Any]] = [{"max_rto": 60, "max_age": 0}, {"max_rto": "30"}, {}]
    assert limits_of(entries) == Limits(30.0, None)


def test_counts_of_both_shapes() -> None:
    assert counts_of({"KVS": {"count": 3, "size": 9}, "ACLToken": 2}) == {"ACLToken": 2, "KVS": 3}


def test_text_is_one_printable_bounded_line() -> None:
    text = text_of("a\n\x1b[2J" + "b" * 5000)
    assert text.isprintable()
    assert len(text) < 1200


@pytest.mark.parametrize(
    ("limits", "passed"),
    [
        (Limits(3.0, 3600.0), True),
        (Limits(2.0, None), False),
        (Limits(None, 1800.0), False),
    ],
)
def test_targets(limits: Limits, passed: bool) -> None:
    assert told(limits=limits)["passed"] == passed


def test_what_was_not_measured_was_not_kept() -> None:
    unknown = told(limits=Limits(None, 3600.0), taken_at=None)
    assert unknown["age"] is None
    assert not unknown["passed"]


def test_a_date_far_ahead_is_not_believed() -> None:
    ahead = told(taken_at="2026-12-24T00:00:00Z")
    assert (ahead["age"], ahead["dated_ahead"]) == (None, True)


def test_a_confirmation_by_another_archive_of_the_same_content_counts() -> None:
    other = {"path": "/kept/b.snap", "sha256": "a" * 64, "confirmed_at": "2026-11-23T23:59:00Z"}
    assert told((other,))["age"] == 60.0
    assert told((other | {"sha256": "b" * 64},))["age"] == 3600.0
    assert told((other | {"confirmed_by_leader": False},))["age"] == 3600.0


def test_the_manifest_of_other_bytes_says_nothing_of_these() -> None:
    own = {"path": "/kept/a.snap", "sha256": "b" * 64, "cluster": {"name": "x"}, "confirmed_by_leader": False}
    assert told((own,))["saved_for"] is None
    assert told((own | {"sha256": "a" * 64},))["saved_for"] == "x"


def test_no_result_and_an_unknown_verdict_are_incomplete() -> None:
    assert rehearsal_of({"archive": "/kept/a.snap", "result": None}, NOW, NO_LIMITS, ())["verdict"] == "incomplete"
    assert told(verdict="splendid")["verdict"] == "incomplete"


def test_a_failure_is_told_without_its_advice() -> None:
    failed = told(verdict="refused", msg="it is cut short. Take another.", failure={"hint": "Take another."})
    assert (failed["message"], failed["hint"]) == ("it is cut short.", "Take another.")
