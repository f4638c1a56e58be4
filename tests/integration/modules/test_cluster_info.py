# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_info: what the CLI and plain HTTP say, and nothing invented where they say nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from support.calls import Calls

from lab import Cluster, Server


def peers(cluster: Cluster, server: Server | None = None) -> list[dict[str, Any]]:
    """Return what ``consul operator raft list-peers`` prints, one mapping for a line, sorted by name."""
    lines = cluster.cli("operator", "raft", "list-peers", server=server).splitlines()[1:]
    rows = []
    for line in lines:
        name, identity, address, state, voter = re.split(r"\s{2,}", line.strip())[:5]
        told = {"name": name, "id": identity, "address": address, "leader": state == "leader", "voter": voter == "true"}
        rows.append(told)
    return sorted(rows, key=lambda row: str(row["name"]))


def members(cluster: Cluster) -> dict[str, str]:
    """Return name and version (``Build``) of each living server that ``consul members`` prints."""
    lines = cluster.cli("members").splitlines()[1:]
    rows = [line.split() for line in lines]
    return {row[0]: row[4] for row in rows if row[2] == "alive" and row[3] == "server"}


def without(servers: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in server.items() if name not in names} for server in servers]


@pytest.mark.every_version
@pytest.mark.parametrize("which", ["leader", "follower"])
def test_what_the_cli_says(which: str, three: Cluster, calls: Calls) -> None:
    leader = three.leader()
    assert leader is not None
    server = leader if which == "leader" else three.followers()[0]
    results = [calls.ok(three, "cluster_info", server=server, check=check) for check in (False, True)]
    result = results[0]

    health = three.get("/v1/operator/autopilot/health", server=leader)
    assert result["changed"] is results[1]["changed"] is False
    assert without(result["servers"], "healthy", "version") == peers(three)
    assert {one["name"]: one["version"] for one in result["servers"]} == members(three)
    assert all(one["healthy"] is True for one in result["servers"])
    assert (result["voters"], result["voters_alive"]) == (3, 3)
    assert (
        (result["healthy"], result["failure_tolerance"]) == (health["Healthy"], health["FailureTolerance"]) == (True, 1)
    )
    assert result["leader"] == leader.rpc_address if leader else False
    assert (result["version"], result["versions"]) == (three.version, [three.version])
    assert result["agent"]["name"] == server.name
    assert result["agent"]["leader"] == (result["leader"] == server.rpc_address)
    assert result["agent"]["id"] == {one["name"]: one["id"] for one in peers(three)}[server.name]
    assert (result["datacenter"], result["datacenters"]) == ("dc1", ["dc1"])
    assert f"{result['cluster_id']}.consul" == three.trust_domain()
    assert result["permissions"] == {"agent_read": True, "operator_read": True, "snapshot": True}
    assert result["unknown"] == {}
    assert result["summary"] == f"dc1: Consul {three.version}, 3 of 3 voters alive, healthy, may lose 1"
    # It moves on by itself, but not back.
    now = int(three.get("/v1/agent/self", server=server)["Stats"]["raft"]["applied_index"])
    assert now - 50 <= result["applied_index"] <= now


def policy_token(cluster: Cluster, rules: str) -> str:
    """Return a token with these rules alone."""
    name = f"info-{abs(hash(rules))}"
    known = {one["Name"] for one in cluster.get("/v1/acl/policies")}
    if name not in known:
        cluster.put("/v1/acl/policy", {"Name": name, "Rules": rules})
    return str(cluster.put("/v1/acl/token", {"Policies": [{"Name": name}]})["SecretID"])


RIGHTS = {
    "none": ("", {"agent_read": False, "operator_read": False, "snapshot": False}),
    "operator": ('operator = "read"', {"agent_read": False, "operator_read": True, "snapshot": False}),
    "agent": ('agent_prefix "" { policy = "read" }', {"agent_read": True, "operator_read": False, "snapshot": False}),
    "acl": ('acl = "write"', {"agent_read": False, "operator_read": False, "snapshot": True}),
    "acl read": ('acl = "read"', {"agent_read": False, "operator_read": False, "snapshot": False}),
}


@pytest.mark.parametrize(("rules", "permissions"), RIGHTS.values(), ids=RIGHTS)
def test_what_a_token_may_not_see_is_null_and_named(
    rules: str, permissions: dict[str, bool], playground: Cluster, calls: Calls
) -> None:
    token = policy_token(playground, rules)
    outcome = calls.run(playground, "cluster_info", token=token)
    result = outcome.result

    assert not outcome.failed, result
    assert token not in outcome.stdout
    assert result["permissions"] == permissions
    # These need no rights at all.
    assert (result["datacenter"], result["datacenters"]) == ("dc1", ["dc1"])
    assert result["leader"] == playground.servers[0].rpc_address
    assert f"{result['cluster_id']}.consul" == playground.trust_domain()
    operator = ("servers", "healthy", "failure_tolerance", "voters", "voters_alive", "versions")
    if permissions["operator_read"]:
        assert (result["voters"], result["voters_alive"], result["healthy"]) == (1, 1, True)
    else:
        assert {name: result[name] for name in operator} == {**dict.fromkeys(operator), "servers": [], "versions": []}
        assert "403" in result["unknown"]["servers"]
        assert "403" in result["unknown"]["health"]
    if permissions["agent_read"]:
        assert (result["version"], result["agent"]["leader"]) == (playground.version, True)
    else:
        assert (result["version"], result["applied_index"], result["agent"]["leader"]) == (None, None, None)
        assert "403" in result["unknown"]["agent"]
    named = {"operator_read": ["health", "servers"], "agent_read": ["agent"]}
    denied = [name for right, names in named.items() if not permissions[right] for name in names]
    assert sorted(result["unknown"]) == sorted(denied)
    assert all(name in result["summary"] for name in denied)


def test_an_unknown_token_says_so(playground: Cluster, calls: Calls) -> None:
    token = "11111111-2222-3333-4444-555555555555"
    result = calls.fails(playground, "cluster_info", "token_unknown", token=token)

    assert result["failure"]["status"] == 403


def test_one_voter_of_three_is_down(crippled: Any, calls: Calls) -> None:
    server = crippled.alive[-1]
    result = calls.ok(crippled.cluster, "cluster_info", server=server)

    assert without(result["servers"], "healthy", "version") == peers(crippled.cluster, server)
    healthy = {one["name"]: one["healthy"] for one in result["servers"]}
    assert healthy == {**{one.name: True for one in crippled.alive}, crippled.dead[0].name: False}
    assert (result["voters"], result["voters_alive"], result["healthy"]) == (3, 2, False)
    assert result["failure_tolerance"] == 0
    assert "2 of 3 voters alive, unhealthy, may lose 0" in result["summary"]


def test_without_a_leader(leaderless: Any, calls: Calls) -> None:
    result = calls.ok(leaderless.cluster, "cluster_info", server=leaderless.alive[0])

    assert (result["leader"], result["healthy"], result["voters_alive"]) == (None, None, None)
    assert result["servers"] == []
    assert result["permissions"]["operator_read"] is None
    # The agent answers for itself all the same.
    assert (result["version"], result["datacenter"]) == (leaderless.cluster.version, "dc1")
    assert set(result["unknown"]) >= {"health", "servers"}
    assert "no leader" in result["summary"]


def test_without_acls(version: str, shared_cluster: Callable[..., Cluster], calls: Calls) -> None:
    cluster = shared_cluster(version=version, acl=False, connect=False, name_prefix="open")
    result = calls.ok(cluster, "cluster_info")

    assert result["permissions"] == {"agent_read": True, "operator_read": True, "snapshot": True}
    assert (result["healthy"], result["voters"]) == (True, 1)
    # Connect is off: there is nothing to know the cluster by.
    assert result["cluster_id"] is None
    assert list(result["unknown"]) == ["cluster_id"]


def test_nobody_there(calls: Calls, playground: Cluster) -> None:
    result = calls.fails(playground, "cluster_info", "connection", port=1, retries=0)

    assert "Check that Consul runs there" in result["failure"]["hint"]


def test_an_unknown_datacenter(calls: Calls, playground: Cluster) -> None:
    calls.fails(playground, "cluster_info", "unknown_datacenter", datacenter="dc9", retries=0)
