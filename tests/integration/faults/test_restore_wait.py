# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore asks while it waits for a real server, and whom it misses."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.answers import real
from support.faults import FaultServer, pass_on
from support.scene import Restoring
from support.waiting import wait_until

from lab import Cluster

AGENT, MEMBERS, LEADER = ("GET", "/v1/agent/self"), ("GET", "/v1/agent/members"), ("GET", "/v1/status/leader")
LEFT = 3
"""What serf calls a member that has left."""


def everybody_left(body: bytes) -> bytes:
    return json.dumps([{**member, "Status": LEFT} for member in json.loads(body)]).encode()


@pytest.fixture
def later(consul: Cluster) -> Iterator[None]:
    """What the cluster holds and the archive does not; it is the other tests' again afterwards."""
    value = consul.http("GET", "/v1/kv/app/later?raw").content
    yield
    wait_until(lambda: consul.http("GET", "/v1/acl/token/self").status_code == 200, "the token does not come back")
    consul.http("PUT", "/v1/kv/app/later", data=value, check=True)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("datacenter", [None, "dc1"])
def test_members_are_asked_for_at_each_look_and_the_agent_is_not(
    datacenter: str | None, restoring: Restoring, server: FaultServer, consul: Cluster
) -> None:
    # Seen before it is sent, and gone from then on.
    server.on(*MEMBERS, pass_on, real(everybody_left))
    told = {"datacenter": datacenter} if datacenter else {}
    outcome = restoring.restore(wait_timeout=4, **told)

    assert outcome.failure["state"] == "replaced", outcome.result["msg"]
    # That the pool is the datacenter's own is told by the members themselves.
    assert f"not in the gossip pool: {consul.servers[0].name}" in outcome.result["msg"]
    looks = server.count(*MEMBERS) - 1
    assert looks > 3
    before = server.requests.index(next(one for one in server.requests if one.method == "PUT"))
    assert [one.path for one in server.requests[before:]].count(AGENT[1]) == 0
    assert [one.path for one in server.requests[before:]].count(LEADER[1]) >= looks
