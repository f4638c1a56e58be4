# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peerings in an archive: what a clone of the dialling side does, and that it is a risk to accept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls
from support.faults import FaultServer
from support.scene import RESTORE
from support.waiting import wait_until

from lab import Cluster

from .conftest import finding

Start = Callable[..., Cluster]
RISK = "active_peering"


class Peers(NamedTuple):
    """Two clusters with an active peering, ``ours`` dialling ``theirs``, and archives of both."""

    ours: Cluster
    theirs: Cluster
    of_ours: Path
    of_theirs: Path


def states(cluster: Cluster, token: str | None = None) -> list[str]:
    """Return the state of each peering."""
    token = token or cluster.tokens.initial_management
    return [one["State"] for one in cluster.http("GET", "/v1/peerings", token=token).json()]


def connected(peers: Peers) -> bool:
    return states(peers.ours) == states(peers.theirs) == ["ACTIVE"]


def restart(cluster: Cluster) -> None:
    cluster.servers[0].kill()
    cluster.servers[0].start()
    cluster.wait_ready()


@pytest.fixture(scope="module")
def peers(shared_cluster: Start, calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> Peers:
    ours, theirs = shared_cluster(name_prefix="ours"), shared_cluster(name_prefix="theirs")
    token = theirs.http("POST", "/v1/peering/token", json={"PeerName": "ours"}, check=True).json()["PeeringToken"]
    told = {"PeerName": "theirs", "PeeringToken": token}
    ours.http("POST", "/v1/peering/establish", json=told, check=True)
    directory = tmp_path_factory.mktemp("peers")
    made = Peers(ours, theirs, directory / "ours.snap", directory / "theirs.snap")
    wait_until(lambda: connected(made), "the peering is not active")
    for path, cluster in ((made.of_ours, ours), (made.of_theirs, theirs)):
        calls.ok(cluster, "snapshot_save", dest=str(path))
    return made


def test_what_an_archive_says_of_them(peers: Peers, calls: Calls) -> None:
    for path, name, dials in ((peers.of_ours, "theirs", True), (peers.of_theirs, "ours", False)):
        info = calls.ok(None, "snapshot_info", path=str(path))
        [peering] = info["peerings"]
        assert (peering["name"], peering["dials"]) == (name, dials)
        # The dialling side knows its state; the other one writes none down.
        assert peering["state"] in ("ACTIVE", "PENDING", "ESTABLISHING")
        assert [one["names"] for one in info["findings"] if one["name"] == "peering_dials"] == (
            [[name]] if dials else []
        )


def test_the_cluster_itself_may_be_restored(peers: Peers, calls: Calls, tmp_path: Path) -> None:
    peers.ours.http("PUT", "/v1/kv/later", data=b"x", check=True)
    told = {"backup_dir": str(tmp_path), "accept_risks": ["replace_content"]}
    result = calls.ok(peers.ours, "snapshot_restore", src=str(peers.of_ours), check=True, **told)
    assert finding(result, RISK)["detail"].endswith("its peerings are its own (theirs)")
    # Nobody is told to stop the servers, or to delete what is their own.
    done = calls.ok(peers.ours, "snapshot_restore", src=str(peers.of_ours), **told)
    steps = [step for step in done["next_steps"] if "peering" in step]
    # Now and then Consul does not dial again. Then it is said, and what is said helps.
    assert bool(steps) == (states(peers.ours) != ["ACTIVE"])
    if steps:
        assert steps[0].startswith("These peerings are not connected: theirs (FAILING).")
        restart(peers.ours)
    wait_until(lambda: connected(peers), "the peering does not come back")


def test_a_peer_that_is_away(peers: Peers, calls: Calls, tmp_path: Path) -> None:
    peers.ours.http("PUT", "/v1/kv/later", data=b"y", check=True)
    told = {"backup_dir": str(tmp_path), "accept_risks": ["replace_content"]}
    peers.theirs.servers[0].kill()
    try:
        done = calls.ok(peers.ours, "snapshot_restore", src=str(peers.of_ours), **told)
    finally:
        peers.theirs.servers[0].start()
    peers.theirs.wait_ready()
    first = done["next_steps"][0]
    assert first.startswith("These peerings are not connected: theirs (FAILING).")
    assert "consul operator raft transfer-leader" in first
    assert first in str(done["warnings"])
    assert done["duration"]["peerings"] >= 10
    assert done["proof"]["equal"] is True
    restart(peers.ours)
    wait_until(lambda: connected(peers), "the peering does not come back")


def test_a_clone_of_the_side_that_waits_is_no_risk(peers: Peers, calls: Calls, start: Start) -> None:
    told = {"post_restore_token": peers.theirs.tokens.initial_management}
    clone = start(peers.ours.version, name_prefix="clone")
    result = calls.ok(clone, "snapshot_restore", src=str(peers.of_theirs), **told)
    assert finding(result, RISK)["status"] == "passed"
    assert states(clone, peers.theirs.tokens.initial_management) == ["PENDING"]
    assert states(peers.ours) == ["ACTIVE"]


def test_a_clone_of_the_side_that_dials(peers: Peers, calls: Calls, start: Start) -> None:
    management = peers.ours.tokens.initial_management
    clone = start(peers.ours.version, name_prefix="clone")
    told: dict[str, Any] = {"src": str(peers.of_ours), "post_restore_token": management}
    with FaultServer(clone.servers[0].address("http")) as server:
        refused = calls.fails(clone, "snapshot_restore", "guard", port=server.port, **told)
        assert server.count(*RESTORE) == 0
    assert refused["failure"]["refused"] == [RISK]
    assert "(theirs)" in finding(refused, RISK)["detail"]
    assert "don't delete the peerings" in finding(refused, RISK)["detail"]
    assert finding(refused, RISK)["risk"] == RISK

    done = calls.ok(clone, "snapshot_restore", accept_risks=[RISK], **told)
    assert finding(done, RISK)["status"] == "accepted"
    [step] = [step for step in done["next_steps"] if "peering" in step]
    assert "(theirs)" in step
    assert "don't delete a peering here" in step
    # As it was said: it is accepted in place of the original, which sees nothing of it, and what it deletes the peer
    # ends.
    wait_until(lambda: states(clone, management) == ["ACTIVE"], "the clone's peering is not active")
    assert states(peers.ours) == ["ACTIVE"]
    clone.http("DELETE", "/v1/peering/theirs", token=management, check=True)
    wait_until(lambda: states(peers.theirs) == ["TERMINATED"], "the peer has not ended it")
    # Where it has ended there is nothing to dial.
    ended = calls.ok(peers.theirs, "snapshot_save", dest=str(peers.of_theirs))
    assert [one for one in ended["findings"] if one["name"] == "peering_dials"] == []
