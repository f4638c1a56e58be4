# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the peerings of a cluster are connected, and how long that is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.answers import says, says_json
from support.faults import FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul import readiness
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.peerings import (
    states_in,
    wait_for_peerings,
)

PEERINGS = "/v1/peerings"
IDS = ("id-1", "id-2")


def peerings(**states: str) -> list[dict[str, Any]]:
    return [{"ID": name.replace("_", "-"), "Name": "x", "State": state} for name, state in states.items()]


ALL, ONE = peerings(id_1="ACTIVE", id_2="ACTIVE", id_3="FAILING"), peerings(id_1="ACTIVE", id_2="FAILING")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultServer]:
    monkeypatch.setattr(readiness, "_PAUSE", 0.01)
    with FaultServer() as ready:
        yield ready


@pytest.fixture
def client(server: FaultServer) -> Client:
    return Client(Connection(host="127.0.0.1", port=server.port, timeout=5))


@pytest.mark.parametrize("answer", [None, "hello", {"ID": "id-1"}, [], [1, {}], peerings(id_1="ACTIVE"), [{"ID": 7}]])
def test_what_does_not_tell_of_all_of_them_tells_nothing(answer: Any) -> None:
    assert states_in(answer, IDS) is None


def test_others_do_not_matter() -> None:
    assert states_in(ALL, IDS) == {"id-1": "ACTIVE", "id-2": "ACTIVE"}
    assert states_in([{"ID": "id-1", "State": 3}], ["id-1"]) == {"id-1": ""}


def test_a_connection_is_waited_for(server: FaultServer, client: Client) -> None:
    server.on("GET", PEERINGS, *[says_json(ONE)] * 3, says(500, "no leader"), says_json(ALL))
    assert wait_for_peerings(client, IDS, seconds=30) == {}
    assert server.count("GET", PEERINGS) == 5


def test_not_for_ever(server: FaultServer, client: Client) -> None:
    server.on("GET", PEERINGS, says_json(ONE))
    assert wait_for_peerings(client, IDS, seconds=0.05) == {"id-2": "FAILING"}


@pytest.mark.parametrize("answer", [says(403, "Permission denied"), says_json(peerings(id_9="ACTIVE"))])
def test_what_cannot_be_seen_is_not_waited_for(answer: Any, server: FaultServer, client: Client) -> None:
    server.on("GET", PEERINGS, answer)
    assert wait_for_peerings(client, IDS, seconds=30) is None
    assert server.count("GET", PEERINGS) == 1


def test_an_agent_that_is_gone(client: Client, server: FaultServer) -> None:
    server.on("GET", PEERINGS, says(500, "boom"))
    assert wait_for_peerings(client, IDS, seconds=0.05) is None
