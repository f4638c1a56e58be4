# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining datacenters over WAN."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .errors import LabError
from .ports import LOOPBACK

if TYPE_CHECKING:
    from .cluster import Cluster


def join(cluster: Cluster, other: Cluster) -> None:
    """Make every server of ``cluster`` known to the WAN pool of ``other``."""
    wan = other.first_alive().ports.serf_wan
    for server in cluster.servers:
        cluster.put(f"/v1/agent/join/{LOOPBACK}:{wan}?wan=true", server=server)


def wait_joined(cluster: Cluster, other: Cluster, timeout: float) -> None:
    """Wait until every server of both lists both datacenters and gets answers from the other one."""
    deadline = time.monotonic() + timeout
    while True:
        missing = _missing(cluster, other) or _missing(other, cluster)
        if missing is None:
            return
        if time.monotonic() > deadline:
            raise LabError(f"the datacenters are not federated after {timeout:.0f} s: {missing}")
        time.sleep(0.2)


def _missing(here: Cluster, there: Cluster) -> str | None:
    for server in here.servers:
        known = here.get("/v1/catalog/datacenters", server=server)
        if there.datacenter not in known:
            return f"{server.name} knows {known}"
        answer = here.http("GET", f"/v1/status/leader?dc={there.datacenter}", server=server)
        if answer.status_code != 200 or not answer.json():
            return f"{server.name} cannot reach {there.datacenter}: {answer.status_code}"
    return None
