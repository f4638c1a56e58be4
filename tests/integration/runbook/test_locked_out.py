# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that nobody can log in to after a restore."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from typing import Any

import requests
from support.waiting import wait_until

from lab import Cluster, LabError
from lab.config import at_least

from .conftest import Source, configure, value_of

Start = Callable[..., Cluster]


def without_management(config: dict[str, Any]) -> None:
    """Leave the management token out of a configuration, under both of its names."""
    for name in ("initial_management", "master"):
        config["acl"]["tokens"].pop(name, None)


def restart(cluster: Cluster) -> None:
    """Stop the servers and start them with what their files say now."""
    cluster.stop()
    cluster.start()
    wait_until(lambda: has_leader(cluster), "no leader")


def has_leader(cluster: Cluster) -> bool:
    """Whether every server sees a leader that is there."""
    try:
        seen = {cluster.get("/v1/status/leader", server=server, token="") for server in cluster.servers}
    except (LabError, requests.RequestException):
        return False
    return len(seen) == 1 and seen <= {server.rpc_address for server in cluster.servers}


def started_again(cluster: Cluster) -> bool:
    """Do what the page says below "log not found" for servers that crash so when they return soon after a restore.

    :raises LabError: a server has died of something else; it ends with the log.
    """
    for server in cluster.servers:
        if not server.running:
            if "panic: log not found" not in server.log_tail(60):
                server.check_alive()
            shutil.rmtree(server.data_dir / "raft")
            server.start()
    return True


def locked_out(cluster: Cluster, source: Source) -> None:
    """Restore the archive of another cluster, all of whose tokens are lost."""
    for server in cluster.servers:
        configure(server, without_management)
    restart(cluster)
    cluster.wait_ready()
    answer = cluster.http("PUT", "/v1/snapshot", data=source.archive.read_bytes(), timeout=90)
    assert answer.status_code == 200
    wait_until(lambda: cluster.http("GET", "/v1/acl/token/self").status_code == 403, "the old token lives on")


def test_by_configuration_and_a_restart(version: str, source: Source, start: Start) -> None:
    cluster = start(servers=3)
    locked_out(cluster, source)
    fresh = str(uuid.uuid4())
    name = "initial_management" if at_least(version, "1.11") else "master"
    for server in cluster.servers:
        configure(server, lambda config: config["acl"]["tokens"].update({name: fresh}))
        server.stop()
        server.start()
        wait_until(lambda: started_again(cluster) and has_leader(cluster), "no leader")
    wait_until(lambda: cluster.http("GET", "/v1/acl/token/self", token=fresh).status_code == 200, "no way in")
    assert value_of(cluster, "from/source", token=fresh) == b"x"


def test_by_a_reset_of_the_bootstrap(source: Source, start: Start) -> None:
    cluster = start(servers=3)
    locked_out(cluster, source)
    # Without a restart: the answer tells the index, the leader reads the file.
    refused = cluster.http("PUT", "/v1/acl/bootstrap", token="")
    assert refused.status_code == 403
    index = refused.text.partition("reset index: ")[2].partition(")")[0]
    leader = cluster.leader()
    assert leader is not None
    (leader.data_dir / "acl-bootstrap-reset").write_text(index)
    made = json.loads(cluster.cli("acl", "bootstrap", "-format=json", token=""))
    assert value_of(cluster, "from/source", token=made["SecretID"]) == b"x"
    # It worked once.
    assert cluster.http("PUT", "/v1/acl/bootstrap", token="").status_code == 403
