# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sends what."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.notify_plan import notify_plan
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._notify_plan import digest_of

SAVED = {"duration": {"capture": 1}}
KEPT = {"result": {"changed": True}, "saved": SAVED, "completed": True}
LOST = {"saved": {"failure": {"kind": "no_leader"}}, "completed": False}
URL = "https://hc.example/a"


def member(host: str, cluster: str, ping: str = "p", webhook: str = "", **more: Any) -> dict[str, Any]:
    return {"host": host, "cluster": cluster, "ping": ping, "webhook": webhook, **more}


def noted(host: str, cluster: str, told: dict[str, Any]) -> dict[str, Any]:
    return {"host": host, "cluster": cluster, **told}


def ends(members: list[dict[str, Any]], notes: list[dict[str, Any]], *lost: list[Any]) -> dict[str, Any]:
    """By host and channel, the outcome and the clusters with theirs."""
    plan = notify_plan(members, operation="backup", noted=notes, lost=lost)
    return {
        f"{host} {'+'.join(notice['channels'])}": (
            notice["outcome"],
            {entry["cluster"]: entry["outcome"] for entry in notice["clusters"]},
        )
        for host, notices in plan.items()
        for notice in notices
    }


def test_one_url_is_one_ping_and_each_url_has_its_own() -> None:
    members = [member("h1", "a"), member("h2", "a"), member("h3", "b", ping="q"), member("h4", "c", ping="")]
    assert notify_plan(members) == {
        host: [{"channels": ["ping"], "outcome": "start", "clusters": []}] for host in ("h1", "h3")
    }
    notes = [noted("h1", "a", KEPT), noted("h2", "a", {}), noted("h3", "b", LOST), noted("h4", "c", KEPT)]
    assert ends(members, notes) == {
        "h1 ping": ("success", {"a": "success"}),
        "h3 ping": ("failure", {"b": "failure"}),
    }


def test_no_start_where_nothing_may_follow() -> None:
    assert notify_plan([member("h1", "a"), member("h2", "b", may_skip=True)]) == {}


def test_a_host_that_failed_does_not_keep_another_from_sending() -> None:
    members = [member("h1", "a", webhook="w"), member("h2", "b", webhook="w")]
    # The first can't be reached any more.
    assert ends(members, [noted("h2", "b", KEPT)]) == {
        "h2 ping": ("failure", {"a": "failure", "b": "success"}),
        "h2 webhook": ("failure", {"a": "failure", "b": "success"}),
    }
    assert ends(members, []) == {}


def test_what_was_skipped_is_no_ping() -> None:
    young = {"result": {"changed": False}, "saved": {"duration": {"look": 1}}, "completed": True}
    assert ends([member("h1", "a", webhook="w")], [noted("h1", "a", young)]) == {
        "h1 webhook": ("skipped", {"a": "skipped"})
    }


def test_a_host_that_was_lost_before_counts_where_its_url_is_the_same() -> None:
    members, notes = [member("h1", "a", ping=digest_of(URL))], [noted("h1", "a", KEPT)]
    failed = {"h1 ping": ("failure", {"a": "success", "b": "failure"})}
    assert ends(members, notes, ["h2", {"ping_url": URL}, "b"]) == failed
    assert ends(members, notes, ["h2", {"ping_url": f"{URL}2"}, "b"]) == {"h1 ping": ("success", {"a": "success"})}
    # Another host of the same cluster did its work.
    assert ends(members, notes, ["h2", {"ping_url": URL}, "", "a"]) == {"h1 ping": ("success", {"a": "success"})}


def test_a_lost_host_whose_url_is_not_known_counts_where_there_is_only_one() -> None:
    members, notes = [member("h1", "a")], [noted("h1", "a", KEPT)]
    assert ends(members, notes, ["h2", {}, "", ""]) == {"h1 ping": ("failure", {"a": "success", "h2": "failure"})}
    members.append(member("h3", "c", ping="q"))
    notes.append(noted("h3", "c", KEPT))
    assert ends(members, notes, ["h2", {}, "b"]) == {
        "h1 ping": ("success", {"a": "success"}),
        "h3 ping": ("success", {"c": "success"}),
    }


def test_a_digest_is_that_of_the_roles() -> None:
    # As Jinja's hash filter makes it: what the roles note of their hosts.
    assert digest_of("abc") == "ba7816bf8f01cfea"
    assert digest_of("") == digest_of(None) == ""


def test_what_can_t_be_read_is_not_shown() -> None:
    with pytest.raises(AnsibleFilterError) as failed:
        notify_plan(
            [member("h1", "a")], operation="backup", noted=[noted("h1", "a", KEPT)], lost=[["h2", "secret", "b"]]
        )
    assert "secret" not in str(failed.value)
