# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration counts as lost, and what it does not."""

from __future__ import annotations

from demo import verdict

from lab.comparison import compare

SERVERS = ["old-1", "new-1"]
BEFORE = {
    "kv": {"a": "1", "b": "2"},
    "agent-nodes": {"old-1": "1"},
    "agent-services": {"old-1/consul": "1", "old-1/web": "2"},
    "agent-sessions": {"5235eee0": "1"},
    "agent-locks": {"lock/a": "1"},
}


def faults(after: dict[str, dict[str, str]]) -> list[str]:
    return verdict.faults(compare(BEFORE, {**BEFORE, **after}), SERVERS)


def test_the_same_is_no_fault() -> None:
    assert faults({}) == []


def test_anything_durable_that_is_not_the_same_is_a_fault() -> None:
    assert faults({"kv": {"a": "1"}}) == ["kv: 1 missing (b)"]
    assert faults({"kv": {"a": "1", "b": "3"}}) == ["kv: 1 different (b)"]
    assert faults({"kv": {"a": "1", "b": "2", "c": "3"}}) == ["kv: 1 not there before (c)"]
    assert faults({"nodes": {"x": "1"}}) == ["nodes: 1 not there before (x)"]


def test_what_belongs_to_the_servers_agents_may_come_and_go() -> None:
    assert faults({"agent-nodes": {"new-1": "1"}, "agent-services": {"new-1/consul": "1"}}) == []
    assert faults({"agent-nodes": {"old-1": "changed"}}) == []
    assert faults({"agent-sessions": {}, "agent-locks": {}}) == []


def test_what_belongs_to_no_server_that_we_know_is_a_fault() -> None:
    assert faults({"agent-nodes": {**BEFORE["agent-nodes"], "x": "1"}}) == ["agent-nodes: 1 not there before (x)"]
    assert faults({"agent-sessions": {"other": "1"}}) == ["agent-sessions: 1 not there before (other)"]


def test_record_types_that_the_consul_command_counts_otherwise() -> None:
    before = {"KVS": 3, "ACLToken": 2, "Index": 9}
    assert verdict.record_faults(before, {"KVS": 3, "ACLToken": 2, "Index": 11}) == []
    assert verdict.record_faults(before, {"KVS": 3, "Peering": 1}) == [
        "ACLToken records in a snapshot: 2 before, 0 after",
        "Peering records in a snapshot: 0 before, 1 after",
    ]


def test_what_belongs_to_agents_is_counted_before_and_after() -> None:
    after = {"agent-nodes": {"new-1": "1"}, "agent-services": {"new-1/consul": "1"}, "agent-locks": {"lock/a": "1"}}
    found = verdict.of_agents(BEFORE, after, dead=["old-1"], new=["new-1"])
    assert [(one.what.partition(":")[0], one.before, one.after) for one in found] == [
        ("nodes of the dead servers", 1, 0),
        ("nodes of the new servers", 0, 1),
        ("services at agents that died", 1, 0),
        ("sessions of nodes that died", 1, 0),
        ("locks that those sessions hold", 1, 1),
    ]
    assert found[2].what == "services at agents that died: web"


def test_long_lists_are_cut() -> None:
    assert verdict.listed(["a", "b"]) == "a, b"
    assert verdict.listed(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_an_upgrade_may_add_and_say_more_but_take_nothing_away() -> None:
    before = {"kv": {"a": "1"}, "acl-policies": {"p": "1"}, "agent-nodes": {"old-1": "1"}}
    upgraded = {"kv": {"a": "1"}, "acl-policies": {"p": "2", "builtin": "3"}, "agent-nodes": {}}
    rows = verdict.through_upgrade(before, upgraded, before)
    assert [(row.type, row.before, row.upgraded, row.back, row.verdict) for row in rows] == [
        ("acl-policies", 1, 2, 1, "the upgrade added builtin"),
        ("kv", 1, 1, 1, "all there"),
    ]
    assert [row.faults for row in rows] == [[], []]


def test_what_an_upgrade_or_the_way_back_loses_or_alters_is_a_fault() -> None:
    before = {"kv": {"a": "1", "b": "2"}, "acl-roles": {"r": "1"}}
    upgraded = {"kv": {"a": "x"}, "acl-roles": {}}
    back = {"kv": {"a": "1", "b": "x", "c": "3"}, "acl-roles": {"r": "1"}}
    rows = {row.type: row for row in verdict.through_upgrade(before, upgraded, back)}
    assert rows["kv"].faults == [
        "kv: 1 missing after the upgrade (b)",
        "kv: 1 different after the upgrade (a)",
        "kv: 1 different after the way back (b)",
        "kv: 1 not there before, after the way back (c)",
    ]
    assert rows["acl-roles"].faults == ["acl-roles: 1 missing after the upgrade (r)"]
    assert rows["acl-roles"].verdict == "LOST"
