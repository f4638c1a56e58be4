# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives stay, and why: each rule by itself."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.decide import (
    Candidate,
    Retained,
    decide,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.policy import (
    Duration,
    Policy,
)

DAY = 86_400.0
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc).timestamp()
ALL = 1000


def daily(count: int, **facts: object) -> list[Candidate]:
    """Return archives of the last days, the newest (d0) of now."""
    return [Candidate(f"d{day}", "production", NOW - day * DAY, **facts) for day in range(count)]  # type: ignore[arg-type]


def kept(retained: Retained) -> set[str]:
    """Return the places that stay."""
    return {place for place, reasons in retained.reasons.items() if reasons}


def decided(archives: list[Candidate], now: float = NOW, **rules: object) -> Retained:
    """Decide without a limit to what may go, unless one is given."""
    return decide(archives, Policy(**{"max_remove": ALL, **rules}), now)  # type: ignore[arg-type]


def test_an_empty_policy_removes_nothing() -> None:
    retained = decided(daily(5))
    assert retained.removable == []
    assert set(retained.reasons["d4"]) == {"the policy is empty"}


def test_the_last() -> None:
    assert kept(decided(daily(9), last=3)) == {"d0", "d1", "d2"}


def test_within_counts_from_the_newest_and_not_from_now() -> None:
    # The backup stopped a year ago: nothing is lost by waiting.
    assert kept(decided(daily(9), now=NOW + 365 * DAY, within=Duration(days=3))) == {"d0", "d1", "d2", "d3"}


def test_the_newest_of_each_period() -> None:
    twice = [Candidate(f"e{day}", "production", NOW - day * DAY - 3600) for day in range(9)]
    assert kept(decided(daily(9) + twice, daily=4)) == {"d0", "d1", "d2", "d3"}


def test_periods_without_archives_do_not_count() -> None:
    archives = [daily(400)[day] for day in (0, 1, 50, 51, 300, 301)]
    assert kept(decided(archives, daily=4)) == {"d0", "d1", "d50", "d51"}
    assert kept(decided(archives, yearly=2)) == {"d0", "d301"}


def test_the_oldest_stays_while_a_rule_is_not_full() -> None:
    retained = decided(daily(40), monthly=12)
    assert kept(retained) == {"d0", "d26", "d39"}
    assert retained.reasons["d39"] == ("monthly, the oldest so far",)


def test_days_begin_where_the_zone_says() -> None:
    archives = [
        Candidate("late", "production", NOW - 12.5 * 3600),
        Candidate("noon", "production", NOW),
        Candidate("old", "production", NOW - 9 * DAY),
    ]
    policy = Policy(daily=2, max_remove=ALL)
    assert kept(decide(archives, policy, NOW)) == {"noon", "late"}
    assert kept(decide(archives, policy, NOW, ZoneInfo("Europe/Berlin"))) == {"noon", "old"}


def test_the_minimum_is_of_verified_ones() -> None:
    archives = [*daily(6)[2:], Candidate("broken", "production", NOW, verified=False)]
    retained = decided(archives, yearly=1, minimum=2)
    assert kept(retained) == {"d2", "d3", "broken"}
    assert retained.reasons["broken"] == ("newer than the newest verified",)


def test_with_none_verified_nothing_goes() -> None:
    assert decided(daily(9, verified=False), last=1).removable == []


def test_what_is_held_or_locked_stays() -> None:
    archives = daily(9)
    archives[5] = archives[5]._replace(held="before the migration")
    archives[6] = archives[6]._replace(locked_until=NOW + 1)
    archives[7] = archives[7]._replace(locked_until=NOW - 1)
    retained = decided(archives, last=1)
    assert kept(retained) == {"d0", "d5", "d6"}
    assert retained.reasons["d5"] == ("held: before the migration",)
    assert retained.reasons["d6"] == ("locked until 2026-11-26T12:00:01Z",)


def test_a_reason_to_hold_is_shown_as_text() -> None:
    archives = daily(3)
    archives[2] = archives[2]._replace(held="a\x1b[2Jb")
    assert decided(archives, last=1).reasons["d2"] == ("held: a\\x1b[2Jb",)


def test_the_newest_that_was_proven_stays() -> None:
    archives = daily(9)
    archives[4], archives[6] = archives[4]._replace(rehearsed=True), archives[6]._replace(rehearsed=True)
    assert kept(decided(archives, last=1)) == {"d0", "d4"}


def test_a_date_ahead_stays_and_displaces_nothing() -> None:
    archives = [*daily(4), *(Candidate(f"ahead{n}", "production", NOW + (2 + n) * DAY) for n in range(5))]
    retained = decided(archives, last=2)
    assert kept(retained) == {"d0", "d1", *(f"ahead{n}" for n in range(5))}


def test_each_cluster_is_decided_by_itself() -> None:
    others = [archive._replace(place=f"o{archive.place}", group="other") for archive in daily(3)]
    assert kept(decided(daily(9) + others, last=2)) == {"d0", "d1", "od0", "od1"}


@pytest.mark.parametrize(("count", "last", "refused"), [(10, 5, False), (10, 4, True), (2, 1, False), (3, 1, True)])
def test_more_than_half_is_refused(count: int, last: int, refused: bool) -> None:
    retained = decided(daily(count), last=last, max_remove=None)
    assert bool(retained.refused) is refused
    assert len(retained.removable) == (0 if refused else count - last)


def test_what_is_refused_says_how_many_and_the_limit() -> None:
    retained = decided(daily(9), last=1, max_remove=7)
    assert retained.refused == {"production": "8 of 9 archives would go, and max_remove is 7"}
    assert retained.reasons["d8"] == ("8 of 9 archives would go, and max_remove is 7",)


def test_a_refusal_for_one_cluster_leaves_the_others() -> None:
    others = [archive._replace(place=f"o{archive.place}", group="other") for archive in daily(3)]
    assert decided(daily(9) + others, last=2, max_remove=1).removable == ["od2"]


@pytest.mark.parametrize(
    ("before", "newest", "braked"),
    [
        ({"keys": 100}, {"keys": 50}, False),
        ({"keys": 100}, {"keys": 49}, True),
        ({"keys": 100}, {}, True),
        ({}, {"keys": 5}, False),
        ({"keys": 10, "tokens": 4}, {"keys": 90, "tokens": 1}, True),
    ],
)
def test_nothing_goes_when_the_newest_has_lost_much(
    before: dict[str, int], newest: dict[str, int], braked: bool
) -> None:
    archives = daily(9, counts=tuple(before.items()))
    archives[0] = archives[0]._replace(counts=tuple(newest.items()))
    retained = decided(archives, last=3)
    assert bool(retained.braked) is braked
    assert len(retained.removable) == (0 if braked else 6)


def test_the_brake_says_what_was_lost() -> None:
    archives = daily(3, counts=(("keys", 7),))
    archives[0] = archives[0]._replace(counts=(("keys", 0),))
    (reason,) = decided(archives, last=1).braked.values()
    assert reason == "the newest archive has 0 of the 7 keys that the one before it has"


def test_the_brake_can_be_loosened() -> None:
    archives = daily(3, counts=(("keys", 7),))
    archives[0] = archives[0]._replace(counts=())
    assert decided(archives, last=1, max_shrink=100).removable == ["d1", "d2"]
