# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents of a gossip pool, and the tokens that outlive a restore."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.answers import says, says_json
from support.faults import FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.agents import (
    Live,
    Member,
    living,
    members_in,
    primary_elsewhere,
    read_live,
    read_present,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection

AGENT, MEMBERS, TOKEN = "/v1/agent/self", "/v1/agent/members", "/v1/acl/token/self"
GLOBAL_MANAGEMENT = {"ID": "00000000-0000-0000-0000-000000000001"}
A = {"Name": "a", "Status": 1, "Tags": {"id": "id-a", "build": "1.22.7:1234", "dc": "dc1"}}
GONE = {"Name": "gone", "Status": 4, "Tags": {"id": "id-gone", "build": "1.22.7+ent:1234", "dc": "dc1"}}
MEMBER_A = Member("a", "id-a", True, "1.22.7:1234", "dc1")


@pytest.mark.parametrize(
    ("answer", "members"),
    [
        ([A], (MEMBER_A,)),
        # The agent itself is always there: nobody at all means that nobody may be seen.
        ([], None),
        (None, None),
        ("text", None),
        ([7, {"Name": "b"}], (Member("b", "", False),)),
        ([{"Name": "b", "Status": "1", "Tags": [1]}], (Member("b", "", False),)),
    ],
)
def test_members(answer: Any, members: tuple[Member, ...] | None) -> None:
    assert members_in(answer) == members


def test_the_living() -> None:
    assert living([MEMBER_A, Member("gone", "id-gone", False)]) == {"a": "id-a"}
    assert Live(None, False, None, {}).present is None
    assert Live((MEMBER_A,), False, None, {}).present == {"a": "id-a"}


@pytest.mark.parametrize(
    ("agent", "datacenter", "primary"),
    [
        ({"Config": {"Datacenter": "dc1", "PrimaryDatacenter": "dc1"}}, None, None),
        ({"Config": {"Datacenter": "dc2", "PrimaryDatacenter": "dc1"}}, None, "dc1"),
        ({"Config": {"Datacenter": "dc1", "PrimaryDatacenter": "dc1"}}, "dc2", "dc1"),
        ({"Config": {"Datacenter": "dc2"}, "DebugConfig": {"PrimaryDatacenter": "dc1"}}, None, "dc1"),
        ({"Config": {"Datacenter": "dc2"}, "DebugConfig": {"PrimaryDatacenter": ""}}, None, None),
        ({"Config": None, "DebugConfig": "text"}, None, None),
        ({}, "dc1", None),
    ],
)
def test_primary_datacenter(agent: dict[str, Any], datacenter: str | None, primary: str | None) -> None:
    assert primary_elsewhere(agent, datacenter) == primary


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as ready:
        ready.on("GET", AGENT, says_json({"Config": {"Datacenter": "dc1", "Version": "1.22.7"}}))
        ready.on("GET", MEMBERS, says_json([A, GONE]))
        yield ready


@pytest.fixture
def client(server: FaultServer) -> Client:
    return Client(Connection(host="127.0.0.1", port=server.port, timeout=5))


def test_who_is_present_takes_one_request(server: FaultServer, client: Client) -> None:
    assert read_present(client, None) == {"a": "id-a"}
    assert read_present(client, "dc1") == {"a": "id-a"}
    # This pool is another datacenter's.
    assert read_present(client, "dc2") is None
    assert [request.path for request in server.requests] == [MEMBERS] * 3
    server.on("GET", MEMBERS, says(403, "Permission denied"))
    assert read_present(client, None) is None


def test_live(server: FaultServer, client: Client) -> None:
    live = read_live(client, {}, None)
    # One member of Enterprise is enough.
    assert (live.present, live.enterprise, live.acl, dict(live.kept)) == ({"a": "id-a"}, True, None, {})
    server.on("GET", MEMBERS, says_json([A]))
    assert not read_live(client, {}, None).enterprise
    server.on("GET", AGENT, says_json({"Config": {"Datacenter": "dc1", "Version": "1.22.7+ent"}}))
    assert read_live(client, {}, None).enterprise
    elsewhere = read_live(client, {}, "dc2")
    assert (elsewhere.members, elsewhere.enterprise) == (None, False)


@pytest.mark.parametrize(
    ("status", "answer", "acl", "words"),
    [
        (200, {"Description": "Initial Management Token", "Policies": [GLOBAL_MANAGEMENT]}, True, "configuration"),
        (200, {"Description": "Master Token", "Policies": [GLOBAL_MANAGEMENT]}, True, "configuration"),
        (200, {"Description": "mine", "Policies": [GLOBAL_MANAGEMENT]}, True, None),
        (200, {"Description": "Initial Management Token", "Policies": None}, True, None),
        (200, "text", True, None),
        (401, "ACL support disabled", False, None),
        (403, "ACL not found", True, None),
        (500, "boom", None, None),
    ],
)
def test_tokens(
    status: int, answer: Any, acl: bool | None, words: str | None, server: FaultServer, client: Client
) -> None:
    server.on("GET", TOKEN, says_json(answer) if status == 200 else says(status, answer))
    live = read_live(client, {"token": client}, None)
    assert live.acl is acl
    assert list(live.kept) == (["token"] if words else [])
    assert (words or "") in live.kept.get("token", "")


def test_tokens_of_the_primary_datacenter(server: FaultServer, client: Client) -> None:
    config = {"Datacenter": "dc2", "PrimaryDatacenter": "dc1"}
    server.on("GET", AGENT, says_json({"Config": config}))
    server.on("GET", TOKEN, says_json({"Description": "mine", "Local": False}), says_json({"Local": True}))
    assert dict(read_live(client, {"token": client}, None).kept) == {"token": "the primary datacenter dc1 holds it"}
    assert dict(read_live(client, {"token": client}, None).kept) == {}
