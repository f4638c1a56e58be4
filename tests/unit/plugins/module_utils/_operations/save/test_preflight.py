# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked before a snapshot is taken, and when that is the end of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.answers import says, says_json
from support.faults import FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ApiError, ClusterError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.preflight import (
    LiveCluster,
    preflight,
)

AUTHORIZE, LEADER = ("POST", "/v1/internal/acl/authorize"), ("GET", "/v1/status/leader")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server of one cluster that allows all."""
    with FaultServer() as ready:
        ready.on(*AUTHORIZE, says_json([{"Allow": True}]))
        ready.on(*LEADER, says_json("192.0.2.1:8300"))
        ready.on("GET", "/v1/agent/self", says_json({"Config": {"Datacenter": "dc1", "Version": "1.22.7"}}))
        ready.on("GET", "/v1/operator/raft/configuration", says_json({"Servers": [{"ID": "s2"}, {"ID": "s1"}]}))
        ready.on("GET", "/v1/connect/ca/roots", says_json({"TrustDomain": "an-id.consul"}))
        yield ready


def looked_at(server: FaultServer, *, token: str | None = None, stale: bool = False) -> LiveCluster:
    client = Client(Connection(host="127.0.0.1", port=server.port, token=token, timeout=5))
    return preflight(client, datacenter=None, stale=stale, name="production")


def test_the_cluster_as_it_answers(server: FaultServer) -> None:
    identity = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production")
    assert looked_at(server) == LiveCluster(identity, True)
    assert server.count("GET", "/v1/snapshot") == 0


@pytest.mark.parametrize(("token", "words"), [("a-token", "the token may not"), (None, "no token was given")])
def test_a_token_that_may_not_save(server: FaultServer, token: str | None, words: str) -> None:
    server.on(*AUTHORIZE, says_json([{"Allow": False}]))
    with pytest.raises(ApiError, match=words) as caught:
        looked_at(server, token=token)
    assert (caught.value.kind, caught.value.status) == ("permission_denied", 403)
    assert 'acl = "write"' in caught.value.hint


@pytest.mark.parametrize("leader", [says_json(""), says(500, "No cluster leader")], ids=["empty", "refused"])
def test_without_a_leader_only_a_stale_save_goes_on(server: FaultServer, leader: object) -> None:
    server.on(*LEADER, leader, leader)  # type: ignore[arg-type]
    with pytest.raises(ClusterError, match="no leader") as caught:
        looked_at(server)
    assert "stale: true" in caught.value.hint
    assert looked_at(server, stale=True).has_leader is False
