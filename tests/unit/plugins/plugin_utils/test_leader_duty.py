# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who backs a cluster up, where only its leader's host does."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.leader_duty import leader_duty
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

NOW = from_text("2026-11-23T12:00:00Z")


def answer(leader: Any, **more: Any) -> dict[str, Any]:
    """What cluster_info returns, as far as it matters."""
    return {"agent": {"id": "x", "leader": leader}, "summary": "dc1", **more}


def duty(hosts: dict[str, Any], **options: Any) -> dict[str, Any]:
    answers = {name: told if isinstance(told, dict) else answer(told) for name, told in hosts.items()}
    decided = leader_duty(list(hosts), answers, now=NOW, **options)
    assert isinstance(decided, dict)
    return decided


def newest(text: str | None) -> dict[str, Any]:
    return {"archives": [{}] if text else [], "newest_confirmed_at": text}


def test_the_leader_works_and_others_stand_by_in_case_it_fails() -> None:
    decided = duty({"a": False, "b": True, "c": False})
    assert (decided["works"], decided["hosts"], decided["asks"]) == (True, ["b", "a", "c"], False)
    assert duty({"b": True}, fallback_after="36h")["works"]


def test_a_host_that_does_not_lead_does_nothing() -> None:
    decided = duty({"a": False})
    assert (decided["works"], decided["fault"], decided["asks"]) == (False, "", False)
    assert decided["reason"] == "a is not the leader"
    assert duty({"a": False, "c": False})["reason"] == "a, c are not the leader"


@pytest.mark.parametrize("told", [None, "true", 1, {}, {"agent": None}, {"agent": "x"}, {"agent": {"leader": "yes"}}])
def test_a_host_that_cannot_tell_works(told: Any) -> None:
    # Two archives do no harm; none does.
    decided = duty({"a": told})
    assert decided["works"]
    assert "agent_prefix" in decided["reason"]


def test_one_that_leads_is_preferred_to_one_that_cannot_tell() -> None:
    assert duty({"a": None, "b": True})["hosts"] == ["b", "a"]


@pytest.mark.parametrize(
    ("confirmed", "works"),
    [
        ("2026-11-22T00:00:01Z", False),
        ("2026-11-22T00:00:00Z", False),
        ("2026-11-21T23:59:59Z", True),
        ("1970-01-01T00:00:00Z", True),
        ("2026-11-23T18:00:00Z", False),
        (None, True),
    ],
)
def test_the_age_of_the_newest_archive_decides_for_others(confirmed: str | None, works: bool) -> None:
    asked = duty({"a": False}, fallback_after="36h")
    assert (asked["works"], asked["asks"]) == (False, True)
    decided = duty({"a": False}, fallback_after="36h", listed=newest(confirmed))
    assert (decided["works"], decided["asks"], decided["fault"]) == (works, False, "")
    assert "a is not the leader" in decided["reason"]


@pytest.mark.parametrize(
    "listed",
    [
        {"failed": True, "failure": {"kind": "store_denied"}, "msg": "access denied"},
        {"unreachable": True, "msg": "no route"},
        {"skipped": True},
        {"archives": [], "newest_confirmed_at": "yesterday"},
    ],
)
def test_an_age_that_is_not_known_is_a_fault(listed: dict[str, Any]) -> None:
    decided = duty({"a": False}, fallback_after="36h", listed=listed)
    assert not decided["works"]
    assert decided["fault"].startswith("a is not the leader, and the age of the newest archive is not known")
    assert listed.get("msg", "") in decided["fault"]


@pytest.mark.parametrize("leader", [True, False])
@pytest.mark.parametrize("after", ["1m", "soon", "-1h", "36", "0h"])
def test_a_time_that_cannot_be_read_is_a_fault_on_every_host(after: str, leader: bool) -> None:
    decided = duty({"a": leader}, fallback_after=after)
    assert not decided["works"]
    assert decided["fault"].startswith(f'backup_fallback_after is "{after}"')


def test_names_are_shown_without_what_a_terminal_obeys() -> None:
    assert "\x1b" not in duty({"a\x1b[2J": False})["reason"]


def test_other_input_is_said_to_be_wrong() -> None:
    with pytest.raises(AnsibleFilterError, match="leader_duty needs"):
        leader_duty(["a"], None)  # type: ignore[arg-type]
