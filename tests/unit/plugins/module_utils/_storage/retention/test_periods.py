# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The periods that a time lies in, at the borders of calendars."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.periods import (
    name_of,
    periods_of,
)

UTC = datetime.timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    """Return a time with its zone as seconds since the epoch."""
    return datetime.datetime.fromisoformat(text).timestamp()


def names(text: str, zone: datetime.tzinfo = UTC) -> dict[str, str]:
    """Return the names of the periods of a time."""
    return {rule: name_of(rule, period) for rule, period in periods_of(at(text), zone).items()}


def test_the_periods_of_a_time() -> None:
    assert names("2026-11-26T02:15:00+00:00") == {
        "hourly": "2026-11-26T02",
        "daily": "2026-11-26",
        "weekly": "2026-W48",
        "monthly": "2026-11",
        "yearly": "2026",
    }


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("2026-12-31T00:00:00+00:00", "2026-W53"),
        ("2027-01-03T23:59:59+00:00", "2026-W53"),
        ("2027-01-04T00:00:00+00:00", "2027-W01"),
        ("2024-12-30T00:00:00+00:00", "2025-W01"),
    ],
)
def test_iso_weeks_at_the_turn_of_the_year(text: str, week: str) -> None:
    assert names(text)["weekly"] == week


def test_a_zone_moves_the_border_of_days() -> None:
    assert names("2026-11-25T23:30:00+00:00", BERLIN)["daily"] == "2026-11-26"
    assert names("2026-11-25T23:30:00+00:00")["daily"] == "2026-11-25"


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    summer = periods_of(at("2026-10-25T02:30:00+02:00"), BERLIN)
    winter = periods_of(at("2026-10-25T02:30:00+01:00"), BERLIN)
    assert summer["hourly"] != winter["hourly"]
    assert summer["daily"] == winter["daily"]


def test_a_leap_day_is_a_day() -> None:
    assert names("2028-02-29T12:00:00+00:00")["daily"] == "2028-02-29"


@pytest.mark.parametrize("moment", [-1e18, 1e18, float("-inf"), float("inf")])
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")])
def test_times_beyond_the_calendar(moment: float, zone: datetime.tzinfo) -> None:
    assert periods_of(moment, zone)["yearly"][0] in (1, 9999)
