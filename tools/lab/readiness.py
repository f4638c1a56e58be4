# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster is as good as it gets: leader, voters, health, ACLs, Connect."""

from __future__ import annotations

import time

import requests

from .access import Access
from .errors import LabError

PAUSE = 0.1


def wait_ready(access: Access, *, timeout: float, acl: bool, connect: bool) -> float:
    """Wait until every server sees a leader, all vote and are healthy, and the management token works on each.

    Returns the seconds it took. Raises, naming what is missing, when the time is up or a server has died.
    """
    began = time.monotonic()
    while True:
        missing = not_ready(access, acl=acl, connect=connect)
        if missing is None:
            return time.monotonic() - began
        for server in access.servers:
            server.check_alive()
        if time.monotonic() - began > timeout:
            logs = "\n".join(f"--- {server.name}\n{server.log_tail(8)}" for server in access.servers)
            raise LabError(f"the cluster is not ready after {timeout:.0f} s: {missing}\n{logs}")
        time.sleep(PAUSE)


def not_ready(access: Access, *, acl: bool, connect: bool) -> str | None:
    """What is missing in words, or None when all is well."""
    try:
        return _leader(access) or _tokens(access, acl) or _health(access) or _connect(access, connect)
    except (requests.RequestException, LabError) as error:
        return str(error)


def _leader(access: Access) -> str | None:
    ours = {server.rpc_address for server in access.servers}
    path = "/v1/status/leader"
    seen = {server.name: access.get(path, server=server, token="", timeout=5) for server in access.servers}
    if len(set(seen.values())) != 1 or not set(seen.values()) <= ours:
        return f"no agreement on a leader: {seen}"
    return None


def _tokens(access: Access, acl: bool) -> str | None:
    if not acl:
        return None
    for server in access.servers:
        response = access.http("GET", "/v1/acl/token/self", server=server, timeout=5)
        if response.status_code != 200:
            return f"the management token is not usable on {server.name}: {response.status_code}"
    return None


def _health(access: Access) -> str | None:
    response = access.http("GET", "/v1/operator/autopilot/health", server=access.leader(), timeout=5)
    # 429 is how Consul says "unhealthy" here, and its body is the same.
    if response.status_code not in (200, 429):
        return f"autopilot: {response.status_code} {response.text.strip()[:200]}"
    health = response.json()
    voters = [server for server in health.get("Servers") or [] if server["Voter"] and server["Healthy"]]
    if not health["Healthy"] or len(voters) != len(access.servers):
        return f"autopilot: healthy {health['Healthy']}, {len(voters)} of {len(access.servers)} healthy voters"
    return None


def _connect(access: Access, connect: bool) -> str | None:
    return "Connect has no CA yet" if connect and not access.trust_domain() else None
