# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every catalogue and every policy. RETENTION_CASES=50000 tries more of them."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
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

hypothesis = pytest.importorskip("hypothesis", reason="not among what the oldest Python is tested with")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

HOUR, DAY = 3600.0, 86_400.0
# Just before summer time ends in Berlin, after which ISO week, month and leap day are a short way off.
START = datetime.datetime(2027, 10, 31, 0, tzinfo=datetime.timezone.utc).timestamp()
ZONES = [datetime.timezone.utc, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Chatham"), ZoneInfo("America/St_Johns")]
RULES = ("last", "hourly", "daily", "weekly", "monthly", "yearly")

thorough = settings(
    max_examples=int(os.environ.get("RETENTION_CASES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Scene:
    """A catalogue, a policy without limits to what may go, a clock and a zone."""

    archives: list[Candidate]
    policy: Policy
    now: float
    zone: datetime.tzinfo

    def decided(self, archives: list[Candidate] | None = None, **changes: object) -> Retained:
        """Decide, with some of the policy changed."""
        policy = self.policy._replace(**changes)  # type: ignore[arg-type]
        return decide(self.archives if archives is None else archives, policy, self.now, self.zone)


STEPS = st.sampled_from([0.0, 60.0, HOUR / 2, HOUR, 5 * HOUR, DAY, 6.5 * DAY, 29 * DAY, 120 * DAY])
CANDIDATES = st.builds(
    lambda step, group, index, verified, rehearsed, held, lock, keys: (
        step,
        Candidate("", group, 0.0, index, verified, rehearsed, "reason" if held else None, lock, (("keys", keys),)),
    ),
    STEPS,
    st.sampled_from("ab"),
    st.integers(0, 3),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, False, False, True]),
    st.sampled_from([None, None, None, START, START + 500 * DAY]),
    st.integers(0, 9),
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Return a scene; some archives may be dated ahead of its clock."""
    archives, moment = [], START
    for number, (step, candidate) in enumerate(draw(st.lists(CANDIDATES, max_size=24))):
        moment += step
        archives.append(candidate._replace(place=f"{number}", taken_at=moment))
    within = draw(st.sampled_from([None, Duration(days=2), Duration(months=1), Duration(hours=3)]))
    counts = {rule: draw(st.sampled_from([0, 0, 0, 1, 2, 3, 7])) for rule in RULES}
    policy = Policy(within=within, **counts, minimum=draw(st.integers(1, 3)), max_remove=1000, max_shrink=100)
    return Scene(archives, policy, moment - draw(STEPS), draw(st.sampled_from(ZONES)))


def counting(scene: Scene, group: str) -> list[Candidate]:
    """Return the verified archives of a cluster that are not dated ahead, the newest first."""
    own = [one for one in scene.archives if one.group == group and one.verified and one.taken_at <= scene.now + DAY]
    return sorted(own, key=lambda one: (one.taken_at, one.raft_index, one.place), reverse=True)


@thorough
@given(scenes())
def test_the_newest_verified_never_goes(scene: Scene) -> None:
    removable = scene.decided().removable
    for group in "ab":
        newest = counting(scene, group)[: scene.policy.minimum]
        assert not {archive.place for archive in newest} & set(removable)


@thorough
@given(scenes())
def test_nothing_held_or_locked_or_dated_ahead_goes(scene: Scene) -> None:
    safe = {
        one.place
        for one in scene.archives
        if one.held is not None or (one.locked_until or 0) > scene.now or one.taken_at > scene.now + DAY
    }
    assert not safe & set(scene.decided().removable)


@thorough
@given(scenes())
def test_the_newest_proven_one_never_goes(scene: Scene) -> None:
    removable = scene.decided().removable
    for group in "ab":
        proven = [one.place for one in counting(scene, group) if one.rehearsed]
        assert not set(proven[:1]) & set(removable)


@thorough
@given(scenes(), st.randoms())
def test_the_order_of_what_is_given_does_not_matter(scene: Scene, random: object) -> None:
    shuffled = list(scene.archives)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert scene.decided(shuffled) == scene.decided()
    assert list(scene.decided(shuffled).reasons) == list(scene.decided().reasons)


@thorough
@given(scenes())
def test_a_second_run_removes_nothing_more(scene: Scene) -> None:
    gone = set(scene.decided().removable)
    left = [archive for archive in scene.archives if archive.place not in gone]
    assert scene.decided(left).removable == []


@thorough
@given(scenes(), st.sampled_from(RULES), st.integers(1, 9), st.sampled_from([None, Duration(months=3)]))
def test_more_rules_never_remove_more(scene: Scene, rule: str, more: int, within: Duration | None) -> None:
    if scene.policy.is_empty:
        return
    changes: dict[str, object] = {rule: getattr(scene.policy, rule) + more}
    if within and scene.policy.within in (None, Duration(hours=3), Duration(days=2), Duration(months=1)):
        changes["within"] = within
    assert set(scene.decided(**changes).removable) <= set(scene.decided().removable)


@thorough
@given(scenes())
def test_one_cluster_says_nothing_of_another(scene: Scene) -> None:
    own = [archive for archive in scene.archives if archive.group == "a"]
    alone, together = scene.decided(own).reasons, scene.decided().reasons
    assert {place: together[place] for place in alone} == alone


@thorough
@given(scenes(), st.integers(0, 5))
def test_no_more_go_than_the_limit(scene: Scene, limit: int) -> None:
    retained = scene.decided(max_remove=limit)
    groups = [archive.group for archive in scene.archives if archive.place in retained.removable]
    assert all(groups.count(group) <= limit for group in "ab")
    assert all(retained.reasons[one.place] for one in scene.archives if one.group in retained.refused)


@thorough
@given(scenes())
def test_every_archive_is_answered(scene: Scene) -> None:
    assert set(scene.decided().reasons) == {archive.place for archive in scene.archives}
