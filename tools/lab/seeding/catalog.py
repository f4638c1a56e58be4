# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""External and agents' nodes, services and checks; prepared queries; sessions with locks."""

from __future__ import annotations

import time
from typing import Any

from ..access import Access
from ..errors import LabError

EXTERNAL_NODES = 12
AGENT_SERVICES = ("web", "api")


def seed_external(access: Access) -> list[str]:
    """Nodes that no agent stands for, as a gateway to a database or a mainframe is registered."""
    names = []
    for number in range(1, EXTERNAL_NODES + 1):
        name = f"ext-db-{number}"
        meta = {"external-node": "true", "rack": f"r{number % 3}"}
        node = {"Node": name, "Address": f"192.0.2.{number}", "NodeMeta": meta}
        service = {
            "ID": f"postgres-{number}",
            "Service": "postgres",
            "Port": 5432,
            "Address": f"192.0.2.{number}",
            "Tags": ["primary" if number == 1 else "replica", "v16"],
            "Meta": {"owner": "team-a"},
            "Weights": {"Passing": number, "Warning": 1},
        }
        checks = [
            {"Node": name, "CheckID": f"ping-{number}", "Name": "ping", "Status": "passing", "Notes": "from outside"},
            {
                "Node": name,
                "CheckID": f"postgres-{number}",
                "Name": "connects",
                "ServiceID": f"postgres-{number}",
                "Status": "critical" if number == EXTERNAL_NODES else "passing",
                "Output": "größer als erwartet",
                "Definition": {"TCP": f"192.0.2.{number}:5432", "Interval": "10s", "Timeout": "2s"},
            },
        ]
        access.put("/v1/catalog/register", node | {"Service": service, "Checks": checks})
        names.append(name)
    # A node alone, and one with several services.
    access.put("/v1/catalog/register", {"Node": "ext-bare", "Address": "198.51.100.1"})
    for service_name in ("ldap", "smtp"):
        body = {"Node": "ext-legacy", "Address": "198.51.100.2", "Service": {"Service": service_name, "Port": 25}}
        access.put("/v1/catalog/register", body)
    return [*names, "ext-bare", "ext-legacy"]


def seed_agent_services(access: Access, *, connect: bool) -> list[str]:
    """Services of the first server's own agent; they live and die with it."""
    server = access.first_alive()
    for number, name in enumerate(AGENT_SERVICES):
        service: dict[str, Any] = {
            "ID": f"{name}-1",
            "Name": name,
            "Port": 8080 + number,
            "Tags": ["lab"],
            "Meta": {"version": "1"},
            "Check": {"CheckID": f"{name}-ttl", "Name": "heartbeat", "TTL": "24h", "Status": "passing"},
        }
        if connect and name == "web":
            service["Connect"] = {"SidecarService": {"Port": 20000 + number, "Checks": []}}
        access.put("/v1/agent/service/register", service, server=server)
    _wait_for_services(access)
    return [f"{name}-1" for name in AGENT_SERVICES]


def _wait_for_services(access: Access, timeout: float = 20.0) -> None:
    deadline = time.monotonic() + timeout
    while not all(access.get(f"/v1/catalog/service/{name}") for name in AGENT_SERVICES):
        if time.monotonic() > deadline:
            raise LabError("the agent's services do not reach the catalog")
        time.sleep(0.05)


def seed_prepared_queries(access: Access) -> list[str]:
    """A query with fail-over and a template."""
    queries: list[dict[str, Any]] = [
        {
            "Name": "nearest-postgres",
            "Service": {"Service": "postgres", "Tags": ["v16"], "OnlyPassing": True, "Failover": {"NearestN": 2}},
            "DNS": {"TTL": "10s"},
        },
        {
            "Name": "geo-",
            "Template": {"Type": "name_prefix_match", "Regexp": "^geo-(.*?)$"},
            "Service": {"Service": "${match(1)}"},
        },
    ]
    for query in queries:
        access.http("POST", "/v1/query", json=query, check=True)
    return [str(query["Name"]) for query in queries]


def seed_sessions(access: Access) -> list[str]:
    """Two locks: one of an external node without checks, which outlives the servers, one of an agent's node."""
    sessions: list[dict[str, Any]] = [
        {
            "Name": "external-lock",
            "Node": "ext-db-1",
            "Checks": [],
            "NodeChecks": [],
            "ServiceChecks": [],
            "LockDelay": "1s",
        },
        {"Name": "agent-lock", "LockDelay": "1s"},
    ]
    keys = []
    for session in sessions:
        identity = access.put("/v1/session/create", session)["ID"]
        key = f"lab/locks/{session['Name']}"
        taken = access.http("PUT", f"/v1/kv/{key}?acquire={identity}", data=b"holder", check=True)
        if taken.text.strip() != "true":
            raise LabError(f"the lock {key} was not granted")
        keys.append(key)
    return keys
