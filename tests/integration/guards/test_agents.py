# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that are not in the pool after a restore: what is said of them comes true."""

from __future__ import annotations

from collections.abc import Callable

from support.calls import Calls
from support.waiting import wait_until

from lab import Cluster

from .conftest import Golden, nodes

Start = Callable[..., Cluster]


def test_agents_awaited_leave_and_would_return(golden: Golden, version: str, start: Start, calls: Calls) -> None:
    target = start(version)
    [awaited] = calls.ok(target, "snapshot_restore", src=str(golden.path))["agents_awaited"]
    assert awaited["node"] == golden.source.servers[0].name
    assert {"api", "consul", "web", "web-sidecar-proxy"} == set(awaited["services"])
    assert target.get("/v1/catalog/service/web")
    wait_until(lambda: awaited["node"] not in nodes(target), "its node is not reaped")
    assert target.get("/v1/catalog/service/web") == []
    assert "ext-bare" in nodes(target)
