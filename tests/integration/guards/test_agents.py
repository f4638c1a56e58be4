# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents and servers that are not in the pool after a restore: what is said of them comes true."""

from __future__ import annotations

from collections.abc import Callable

from support.calls import Calls
from support.waiting import wait_until

from lab import Cluster

from .conftest import Golden, nodes

Start = Callable[..., Cluster]


def test_servers_of_the_old_cluster_leave(golden: Golden, version: str, start: Start, calls: Calls) -> None:
    target = start(version)
    done = calls.ok(target, "snapshot_restore", src=str(golden.path))
    # The old cluster's server is nobody to wait for: it is told as what it is, with what ran there.
    [gone] = done["servers_gone"]
    assert done["agents_awaited"] == []
    assert gone["node"] == golden.source.servers[0].name
    assert {"api", "consul", "web", "web-sidecar-proxy"} == set(gone["services"])
    steps = [step for step in done["next_steps"] if gone["node"] in step]
    assert len(steps) == 1
    assert "servers of the cluster that the archive was taken from" in steps[0]
    assert "api, web and web-sidecar-proxy" in steps[0]
    assert "join" not in steps[0]
    assert target.get("/v1/catalog/service/web")
    wait_until(lambda: gone["node"] not in nodes(target), "its node is not reaped")
    assert target.get("/v1/catalog/service/web") == []
    assert "ext-bare" in nodes(target)
