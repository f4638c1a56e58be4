# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster counts as ready, how long it is waited for, and what is asked for that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.answers import says, says_json
from support.faults import FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul import readiness
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.readiness import (
    Expected,
    wait_until,
    wait_until_ready,
    what_is_missing,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ApiError, ClusterError


def judged(name: str, *, healthy: bool = True, leader: bool = False, index: int = 100) -> dict[str, Any]:
    return {"Name": name, "Healthy": healthy, "Leader": leader, "LastIndex": index}


def autopilot(*servers: dict[str, Any]) -> dict[str, Any]:
    return {"Healthy": all(server["Healthy"] for server in servers), "Servers": list(servers)}


A, B, C = judged("a", leader=True), judged("b"), judged("c")
SICK_C = judged("c", healthy=False)
ALL = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("health", "servers", "present", "expected", "missing"),
    [
        (autopilot(A, B, C), ALL, ALL, Expected(), None),
        (autopilot(A, B, SICK_C), ALL, ALL, Expected(), "autopilot reports the cluster as unhealthy (c)"),
        (autopilot(A, B, SICK_C), ALL, ALL, Expected(without=frozenset("c")), None),
        (autopilot(A, B), ALL, ALL, Expected(), "autopilot reports the cluster as unhealthy (c)"),
        ({"Healthy": False}, [], None, Expected(), "autopilot reports the cluster as unhealthy (no server by name)"),
        ({"Healthy": True, "Servers": None}, [], None, Expected(), None),
        # The leader's own index is not compared: it has the state.
        (autopilot(judged("a", leader=True, index=1), B), ["a", "b"], None, Expected(beyond=99), None),
        (autopilot(A, judged("b", index=99)), ["a", "b"], None, Expected(beyond=99), "has not reached b"),
        (autopilot(A, judged("b", index=0)), ["a", "b"], None, Expected(without=frozenset("b"), beyond=99), None),
        (autopilot(A, B, C), ALL, ["a"], Expected(), "not in the gossip pool: b, c"),
        (None, ALL, ["a"], Expected(without=frozenset("b")), "not in the gossip pool: c"),
        (None, ALL, None, Expected(), None),
        (None, [], None, Expected(), None),
    ],
)
def test_what_is_missing(
    health: dict[str, Any] | None,
    servers: list[str],
    present: list[str] | None,
    expected: Expected,
    missing: str | None,
) -> None:
    words = what_is_missing(health, servers, present, expected)
    assert words == missing if missing is None else words is not None and words.endswith(missing)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_waiting_ends_when_nothing_is_missing() -> None:
    clock, answers = Clock(), ["a", "b", None]
    wait_until(lambda: answers.pop(0), seconds=10, clock=clock, sleep=clock.sleep)
    assert (answers, clock.now) == ([], 1.0)


def test_waiting_ends_with_what_was_missing_last() -> None:
    clock = Clock()
    with pytest.raises(ClusterError, match=r"^after 2 s: no leader$") as raised:
        wait_until(lambda: "no leader", seconds=2, clock=clock, sleep=clock.sleep)
    assert clock.now == 2.0
    assert raised.value.facts["cause"] is None


def test_errors_are_waited_for_and_the_last_one_is_told() -> None:
    def refused() -> str | None:
        raise ApiError("no such token", status=403, body="", url="", kind="token_unknown")

    clock = Clock()
    with pytest.raises(ClusterError, match="no such token") as raised:
        wait_until(refused, seconds=1, clock=clock, sleep=clock.sleep)
    assert raised.value.facts["cause"] == "token_unknown"


AGENT, MEMBERS, LEADER = "/v1/agent/self", "/v1/agent/members", "/v1/status/leader"
RAFT, HEALTH = "/v1/operator/raft/configuration", "/v1/operator/autopilot/health"
AUTHORIZE = "/v1/internal/acl/authorize"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    """A server that answers as a healthy cluster of three does."""
    monkeypatch.setattr(readiness, "_PAUSE", 0.01)
    with FaultServer() as ready:
        tags = {"dc": "dc1", "id": "x"}
        ready.on("GET", LEADER, says_json("a:8300"))
        ready.on("POST", AUTHORIZE, says_json([{"Allow": True}]))
        ready.on("GET", RAFT, says_json({"Servers": [{"Node": name, "ID": name} for name in ALL]}))
        ready.on("GET", HEALTH, says_json(autopilot(A, B, C)))
        ready.on("GET", MEMBERS, says_json([{"Name": name, "Status": 1, "Tags": tags} for name in ALL]))
        yield ready


@pytest.fixture
def client(server: FaultServer) -> Client:
    return Client(Connection(host="127.0.0.1", port=server.port, timeout=5))


@pytest.mark.parametrize("datacenter", [None, "dc1"])
def test_the_agent_is_not_asked_about_itself_at_each_look(
    datacenter: str | None, server: FaultServer, client: Client
) -> None:
    sick = says_json(autopilot(A, B, SICK_C), status=429)
    server.on("GET", HEALTH, *[sick] * 4, says_json(autopilot(A, B, C)))
    wait_until_ready(client, datacenter=datacenter, seconds=30)
    assert server.count("GET", HEALTH) == 5
    assert server.count("GET", MEMBERS) == 5
    assert server.count("GET", AGENT) == 0
    assert len(server.requests) == 5 * 5


def test_a_member_that_is_gone_is_waited_for(server: FaultServer, client: Client) -> None:
    tags = {"dc": "dc1", "id": "x"}
    server.on("GET", MEMBERS, says_json([{"Name": name, "Status": 1, "Tags": tags} for name in "ab"]))
    with pytest.raises(ClusterError, match="not in the gossip pool: c"):
        wait_until_ready(client, datacenter="dc1", seconds=0.05)
    # Through an agent of another datacenter nobody sees the pool.
    wait_until_ready(client, datacenter="dc2", seconds=0)


def test_what_a_token_may_not_see_is_not_waited_for(server: FaultServer, client: Client) -> None:
    for path in (RAFT, HEALTH, MEMBERS):
        server.on("GET", path, says(403, "Permission denied"))
    wait_until_ready(client, datacenter=None, seconds=0)


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        (LEADER, says_json(""), "the cluster has no leader"),
        (RAFT, says(500, "boom"), "boom"),
        (HEALTH, says(500, "boom"), "boom"),
    ],
)
def test_what_else_is_waited_for(path: str, answer: Any, words: str, server: FaultServer, client: Client) -> None:
    server.on("GET", path, answer)
    with pytest.raises(ClusterError, match=words):
        wait_until_ready(client, datacenter=None, seconds=0)


def test_answers_of_something_else(server: FaultServer, client: Client) -> None:
    for path in (RAFT, HEALTH, MEMBERS):
        server.on("GET", path, says_json("hello"))
    wait_until_ready(client, datacenter=None, seconds=0)
