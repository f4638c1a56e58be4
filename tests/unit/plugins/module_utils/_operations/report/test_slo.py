# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a service level asks for, and whether archives in several stores are that."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.slo import (
    Slo,
    judged,
    slo_of,
)

DAY = 86400.0
SLO = Slo(copies=3, places=2, age=DAY, rehearsal_age=7 * DAY)


def store(verified: int = 2, age: float | None = 60.0, problem: str | None = None) -> dict[str, Any]:
    return {"verified": verified, "age": age, "problem": problem}


def missed(*stores: dict[str, Any], slo: Slo = SLO, rehearsal_age: float | None = 60.0) -> set[str]:
    level = judged(slo, stores, rehearsal_age=rehearsal_age)
    assert level is not None
    found = {one["name"] for one in level["requirements"] if not one["met"]}
    assert level["met"] == (not found)
    return found


def test_the_strictest_of_all_hosts_counts() -> None:
    asked = [{"copies": 2, "max_age": "7200"}, {"copies": "3", "places": 0, "max_age": 3600}, None, {}]
    assert slo_of(asked) == Slo(copies=3, places=None, age=3600, rehearsal_age=None)


@pytest.mark.parametrize("asked", [[], [None], [{}], [{"copies": 0, "max_age": None}]])
def test_nothing_is_asked_for(asked: list[Any]) -> None:
    assert slo_of(asked) is None
    assert judged(None, [store()], rehearsal_age=None) is None


@pytest.mark.parametrize(
    "asked",
    [
        *({"copies": -1}, {"copies": "many"}, {"copies": True}, {"copies": 1.5}, {"max_age": "26h"}),
        *({"max_age": float("inf")}, {"max_age": "nan"}, {"age": 3}, ["copies"], "copies"),
    ],
)
def test_what_is_no_service_level(asked: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|keys are"):
        slo_of([asked])


def test_all_is_there() -> None:
    assert missed(store(2), store(1)) == set()


@pytest.mark.parametrize(
    ("stores", "requirements"),
    [
        ([store(2)], {"copies", "places"}),
        ([store(1), store(1)], {"copies"}),
        ([store(3), store(0, None)], {"places"}),
        # A store whose copies stopped coming is no second place, and what it has are copies all the same.
        ([store(3), store(9, 3 * DAY)], {"places"}),
        ([store(3), store(9, None)], {"places"}),
        ([store(3, 2 * DAY), store(3, 2 * DAY)], {"places", "age"}),
        ([store(2), store(5, 10.0, "timed out")], {"copies", "places"}),
        # Nothing at all is a violation of everything, and no gap.
        ([], {"copies", "places", "age"}),
        ([store(0, None)], {"copies", "places", "age"}),
    ],
)
def test_what_is_missing(stores: list[dict[str, Any]], requirements: set[str]) -> None:
    assert missed(*stores) == requirements


@pytest.mark.parametrize(("age", "met"), [(None, False), (7 * DAY, True), (7 * DAY + 1, False)])
def test_a_proof_must_not_be_older_than_that(age: float | None, met: bool) -> None:
    assert ("rehearsal_age" not in missed(store(2), store(2), rehearsal_age=age)) == met


def test_the_limits_themselves_are_met() -> None:
    slo = Slo(copies=4, places=2, age=60, rehearsal_age=None)
    assert missed(store(2, 60), store(2, 60), slo=slo) == set()
    assert missed(store(2, 61), store(2, 61), slo=slo) == {"places", "age"}


def test_without_an_age_every_store_with_an_archive_is_a_place() -> None:
    slo = Slo(copies=None, places=2, age=None, rehearsal_age=None)
    assert missed(store(1, None), store(1, 1e9), slo=slo) == set()


def test_stores_that_could_not_be_read_are_counted() -> None:
    level = judged(SLO, [store(4), store(0, None, "gone")], rehearsal_age=1)
    assert level is not None
    assert (level["unread"], level["met"]) == (1, False)
