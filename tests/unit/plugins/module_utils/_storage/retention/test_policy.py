# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as users write them, and what lies that much before a time."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.policy import (
    Duration,
    Policy,
    parse_duration,
)

UTC = datetime.timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    """Return a time with its zone as seconds since the epoch."""
    return datetime.datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30d", Duration(days=30)),
        ("12w", Duration(days=84)),
        ("36h", Duration(hours=36)),
        ("6mo", Duration(months=6)),
        ("1y", Duration(months=12)),
        (" 1Y 6mo 2d ", Duration(months=18, days=2)),
        ("1d1d", Duration(days=2)),
    ],
)
def test_durations(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("7m", "minutes or months"),
        ("7", "with units"),
        ("", "with units"),
        ("d", "with units"),
        ("3 weeks", "weeks is not a unit"),
        ("-3d", "with units"),
        ("1d and more", "with units"),
        ("0d", "longer than nothing"),
        ("1234567d", "with units"),
        ("\u0663d", "with units"),
    ],
)
def test_what_is_no_duration(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "moment", "zone", "before"),
    [
        ("1mo", "2026-03-31T12:00:00+00:00", UTC, "2026-02-28T12:00:00+00:00"),
        ("1mo", "2028-03-31T12:00:00+00:00", UTC, "2028-02-29T12:00:00+00:00"),
        ("1y", "2028-02-29T12:00:00+00:00", UTC, "2027-02-28T12:00:00+00:00"),
        ("1mo", "2026-01-15T12:00:00+00:00", UTC, "2025-12-15T12:00:00+00:00"),
        # Days are counted on the clock of the zone, hours are not.
        ("1d", "2026-03-29T12:00:00+02:00", BERLIN, "2026-03-28T12:00:00+01:00"),
        ("24h", "2026-03-29T12:00:00+02:00", BERLIN, "2026-03-28T11:00:00+01:00"),
    ],
)
def test_what_lies_before(text: str, moment: str, zone: datetime.tzinfo, before: str) -> None:
    assert parse_duration(text).before(at(moment), zone) == at(before)


def test_before_the_calendar_begins_is_never() -> None:
    assert Duration(months=12 * 999_999).before(at("2026-01-01T00:00:00+00:00"), UTC) == float("-inf")


@pytest.mark.parametrize(
    ("policy", "empty"),
    [
        (Policy(), True),
        (Policy(minimum=5, max_remove=3, max_shrink=10), True),
        (Policy(last=1), False),
        (Policy(within=Duration(days=1)), False),
        (Policy(yearly=1), False),
    ],
)
def test_which_policies_hold_no_rule(policy: Policy, empty: bool) -> None:
    assert policy.is_empty is empty
