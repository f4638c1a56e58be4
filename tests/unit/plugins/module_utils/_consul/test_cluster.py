# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the answers about a cluster, and what is still known where some of them are missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.answers import says, says_json
from support.faults import FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.cluster import (
    Permissions,
    ServerFacts,
    applied_index_of,
    leads,
    may_snapshot,
    read_cluster,
    read_identity,
    read_leader,
    server_ids_in,
    server_names_in,
    servers_from,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ApiError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity

AGENT, MEMBERS = "/v1/agent/self", "/v1/agent/members"
LEADER, RAFT, HEALTH = "/v1/status/leader", "/v1/operator/raft/configuration", "/v1/operator/autopilot/health"
AUTHORIZE, DATACENTERS, ROOTS = "/v1/internal/acl/authorize", "/v1/catalog/datacenters", "/v1/connect/ca/roots"


def in_raft(name: str, *, leader: bool = False, voter: bool = True) -> dict[str, Any]:
    return {"Node": name, "ID": f"id-{name}", "Address": f"{name}:8300", "Voter": voter, "Leader": leader}


def judged(name: str, *, healthy: bool = True, **more: Any) -> dict[str, Any]:
    return {**in_raft(name), "Name": name, "Healthy": healthy, "Version": "1.22.7", **more}


def fact(name: str, healthy: bool | None, version: str | None, *, leader: bool = False) -> ServerFacts:
    return ServerFacts(name, f"id-{name}", f"{name}:8300", True, leader, healthy, version)


@pytest.mark.parametrize(
    ("raft", "health", "servers"),
    [
        (None, None, ()),
        (
            {"Servers": [in_raft("b"), in_raft("a", leader=True)]},
            {"Servers": [judged("a"), judged("b", healthy=False)]},
            (fact("a", True, "1.22.7", leader=True), fact("b", False, "1.22.7")),
        ),
        # Autopilot may not be asked, or does not know a server.
        ({"Servers": [in_raft("a")]}, None, (fact("a", None, None),)),
        ({"Servers": [in_raft("a")]}, {"Servers": [judged("b")]}, (fact("a", False, None),)),
        # Raft's configuration may not be read.
        (None, {"Servers": [judged("a")]}, (fact("a", True, "1.22.7"),)),
        ("text", [1], ()),
        ({"Servers": None}, {"Servers": {"a": 1}}, ()),
        ({"Servers": [7, {}]}, None, (ServerFacts("", "", "", False, False, None, None),)),
    ],
)
def test_servers(raft: Any, health: Any, servers: tuple[ServerFacts, ...]) -> None:
    assert servers_from(raft, health) == servers


def test_servers_of_raft_alone() -> None:
    raft = {"Servers": [in_raft("b"), in_raft("a"), {"Node": "c"}, None]}
    assert server_ids_in(raft) == ("id-a", "id-b")
    assert server_names_in(raft) == ["b", "a", "c"]
    assert server_ids_in(None) == ()
    assert server_names_in([]) == []


@pytest.mark.parametrize(
    ("stats", "index"),
    [
        ({"raft": {"applied_index": "12"}}, 12),
        ({"raft": {"applied_index": "-1"}}, None),
        ({"raft": {}}, None),
        ({"raft": "text"}, None),
        (None, None),
    ],
)
def test_applied_index(stats: Any, index: int | None) -> None:
    assert applied_index_of({"Stats": stats}) == index


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that answers as a healthy cluster of one does."""
    with FaultServer() as ready:
        config = {"Datacenter": "dc1", "Version": "1.22.7", "NodeName": "a", "NodeID": "id-a", "Server": True}
        answers: dict[str, Any] = {
            AGENT: {"Config": config, "Stats": {"raft": {"applied_index": "12"}}},
            LEADER: "a:8300",
            RAFT: {"Servers": [in_raft("a", leader=True)]},
            HEALTH: {"Healthy": True, "FailureTolerance": 0, "Servers": [judged("a")]},
            DATACENTERS: ["dc1", "dc2"],
            ROOTS: {"TrustDomain": "f1a6.consul"},
        }
        for path, answer in answers.items():
            ready.on("GET", path, says_json(answer))
        ready.on("POST", AUTHORIZE, says_json([{"Allow": True}]))
        yield ready


@pytest.fixture
def client(server: FaultServer) -> Client:
    return Client(Connection(host="127.0.0.1", port=server.port, timeout=5))


def test_a_cluster(client: Client) -> None:
    facts = read_cluster(client)
    assert (facts.version, facts.datacenter, facts.cluster_id, facts.leader) == ("1.22.7", "dc1", "f1a6", "a:8300")
    assert (facts.healthy, facts.failure_tolerance, facts.applied_index) == (True, 0, 12)
    assert facts.servers == (fact("a", True, "1.22.7", leader=True),)
    assert (facts.voters, facts.voters_alive, facts.versions) == (1, 1, ("1.22.7",))
    assert facts.permissions == Permissions(True, True, True)
    assert facts.unknown == {}
    assert facts.identity == ClusterIdentity("dc1", "f1a6", "1.22.7", ("id-a",))


def test_nothing_but_what_everybody_may_see(server: FaultServer, client: Client) -> None:
    for path in (AGENT, RAFT, HEALTH, ROOTS):
        server.on("GET", path, says(403, "Permission denied"))
    server.on("POST", AUTHORIZE, says_json([{"Allow": False}]))
    facts = read_cluster(client)
    assert (facts.version, facts.datacenter, facts.cluster_id, facts.servers) == (None, "dc1", None, ())
    assert (facts.voters, facts.voters_alive, facts.healthy) == (None, None, None)
    assert facts.permissions == Permissions(False, False, False)
    assert facts.unknown.keys() == {"agent", "servers", "health", "cluster_id"}
    assert read_identity(client) == ClusterIdentity("dc1", None, None)


def test_without_a_leader(server: FaultServer, client: Client) -> None:
    server.on("GET", LEADER, says_json(""))
    server.on("POST", AUTHORIZE, says(500, "No cluster leader"))
    facts = read_cluster(client)
    assert (facts.leader, facts.servers, facts.healthy) == (None, (), None)
    # Not asked, so nobody said that it is forbidden.
    assert facts.permissions == Permissions(None, None, True)
    assert server.count("GET", RAFT) == server.count("GET", HEALTH) == 0
    # Any server tells who belongs to the cluster.
    assert read_identity(client).servers == ("id-a",)


def test_another_datacenter(server: FaultServer, client: Client) -> None:
    facts = read_cluster(client, "dc2")
    # What the agent says of itself is not said of the other one.
    assert (facts.version, facts.datacenter, facts.applied_index) == (None, "dc2", None)
    assert facts.agent_name == "a"
    asked = {request.path: request.query for request in server.requests}
    assert {asked[path] for path in (LEADER, RAFT, HEALTH, ROOTS, AUTHORIZE)} == {"dc=dc2"}
    assert asked[AGENT] == ""


def test_identity_by_the_server_that_is_asked(server: FaultServer, client: Client) -> None:
    server.on("GET", RAFT, says(403, "Permission denied"))
    assert read_identity(client) == ClusterIdentity("dc1", "f1a6", "1.22.7", ("id-a",))
    assert read_identity(client, "dc2") == ClusterIdentity("dc2", "f1a6", None, ())


@pytest.mark.parametrize(
    ("agent", "leader"),
    [
        ({"Stats": {"consul": {"leader": "true"}}}, True),
        ({"Stats": {"consul": {"leader": "false"}}}, False),
        # A client agent has no such line.
        ({"Stats": {"consul": {"server": "false"}}, "Config": {"Server": False}}, False),
        ({"Stats": {"consul": {"leader": True}}}, None),
        ({"Stats": {"consul": []}, "Config": {"Server": True}}, None),
        ({"Stats": 7}, None),
        ({}, None),
    ],
)
def test_whether_an_agent_leads(agent: dict[str, Any], leader: bool | None) -> None:
    assert leads(agent) is leader


def test_answers_of_something_else(server: FaultServer, client: Client) -> None:
    config = {"Datacenter": 7, "Version": ["1"], "NodeName": {}, "NodeID": 7, "Server": True}
    answers: list[Any] = ["hello", 7, [], [7], {"Config": config, "Servers": [{"ID": ["x"]}], "TrustDomain": 7}]
    for answer in answers:
        check_nothing_is_known(answer, server, client)


def check_nothing_is_known(answer: Any, server: FaultServer, client: Client) -> None:
    for path in (AGENT, RAFT, HEALTH, ROOTS):
        server.on("GET", path, says_json(answer))
    server.on("GET", DATACENTERS, says_json({"dc1": 1}))
    server.on("POST", AUTHORIZE, says_json({"Allow": True}))
    facts = read_cluster(client)
    assert {(one.id, one.name) for one in facts.servers} <= {("", "")}
    assert facts.identity == ClusterIdentity(None, None, None)
    assert (facts.version, facts.datacenter, facts.cluster_id, facts.agent_id) == (None, None, None, None)
    assert facts.permissions.snapshot is None
    assert read_identity(client) == ClusterIdentity(None, None, None)


@pytest.mark.parametrize(
    ("status", "text", "leader"),
    [(200, '"a:8300"', "a:8300"), (200, '""', None), (500, "No cluster leader", None), (500, "boom", ApiError)],
)
def test_leader(status: int, text: str, leader: Any, server: FaultServer, client: Client) -> None:
    server.on("GET", LEADER, says(status, text))
    if leader is ApiError:
        with pytest.raises(ApiError):
            read_leader(client)
    else:
        assert read_leader(client) == leader


@pytest.mark.parametrize(
    ("status", "text", "may"),
    [
        (200, '[{"Allow": true}]', True),
        (200, '[{"Allow": false}]', False),
        (200, "[]", None),
        (200, "null", None),
        (401, "ACL support disabled", True),
        (404, "404 page not found", None),
        (500, "No cluster leader", None),
        (500, "boom", None),
    ],
)
def test_may_snapshot(status: int, text: str, may: bool | None, server: FaultServer, client: Client) -> None:
    server.on("POST", AUTHORIZE, says(status, text))
    assert may_snapshot(client) is may


def test_a_token_that_nobody_knows(server: FaultServer, client: Client) -> None:
    server.on("POST", AUTHORIZE, says(403, "ACL not found"))
    with pytest.raises(ApiError) as raised:
        may_snapshot(client)
    assert raised.value.kind == "token_unknown"
