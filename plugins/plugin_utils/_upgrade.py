# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster may be upgraded, and in which order its hosts (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_DATACENTER = re.compile(r"[A-Za-z0-9_-]+")


def shut_because(info: Mapping[str, Any], *, tolerance: int, refused: str = "") -> list[str]:
    """Return each condition for an upgrade that does not hold, in words; empty when the gate is open.

    :param info: the result of cluster_info.
    :param tolerance: how many servers the cluster must be able to lose.
    :param refused: what to say when the token may not save snapshots.
    """
    unknown = f'{(info.get("unknown") or {}).get("health") or "no answer"} (the token needs operator = "read")'
    conditions = (
        (info["leader"] is not None, "the cluster has no leader"),
        (info["voters"] is not None and info["voters_alive"] == info["voters"], _voters_text(info, unknown)),
        (info["healthy"] is True, _health_text(info, unknown)),
        (_tolerates(info, tolerance), _tolerance_text(info, tolerance, unknown)),
        (_DATACENTER.fullmatch(info["datacenter"] or "") is not None, _datacenter_text(info)),
        (len(info["versions"]) == 1, _versions_text(info, unknown)),
        (info["permissions"]["snapshot"] is not False, refused or "the token may not save snapshots"),
    )
    return [text for holds, text in conditions if not holds]


def upgrade_order(servers: Iterable[Mapping[str, Any]], hosts: Mapping[str, str]) -> dict[str, Any]:
    """Return ``{hosts, elsewhere, leader}``: the hosts in the order in which to upgrade them, followers first and the
    leader last; the names of servers that are not a host of the play; the name of the leader, None where it is unknown.

    A leader of a new version writes to the log what followers of an old one may not know, and they end (seen with
    1.22.7 and 1.8.7).

    :param servers: of cluster_info.
    :param hosts: by the node id of a host's own agent, the name of the host.
    """
    listed = list(servers)
    in_order = [one for one in listed if not one["leader"]] + [one for one in listed if one["leader"]]
    leaders = [one["name"] for one in listed if one["leader"]]
    return {
        "hosts": [hosts[one["id"]] for one in in_order if one["id"] in hosts],
        "elsewhere": [one["name"] for one in in_order if one["id"] not in hosts],
        "leader": leaders[0] if leaders else None,
    }


def _tolerates(info: Mapping[str, Any], tolerance: int) -> bool:
    spare = info["failure_tolerance"]
    return (-1 if spare is None else int(spare)) >= tolerance


def _voters_text(info: Mapping[str, Any], unknown: str) -> str:
    if info["voters_alive"] is None:
        return f"whether all voters are alive is not known: {unknown}"
    down = [str(one["name"]) for one in info["servers"] or () if one["voter"] and not one["healthy"]]
    missing = ", ".join(down) or "none by name"
    return f"{info['voters_alive']} of {info['voters']} voters are alive, missing: {missing}"


def _health_text(info: Mapping[str, Any], unknown: str) -> str:
    if info["healthy"] is False:
        return "autopilot reports the cluster as unhealthy"
    return f"whether the cluster is healthy is not known: {unknown}"


def _tolerance_text(info: Mapping[str, Any], tolerance: int, unknown: str) -> str:
    if info["failure_tolerance"] is None:
        return f"how many servers may fail is not known: {unknown}"
    return (
        f"the cluster may lose {info['failure_tolerance']} servers, and backup_min_failure_tolerance asks for "
        f"{tolerance} (set 0 for a cluster of one server)"
    )


def _datacenter_text(info: Mapping[str, Any]) -> str:
    if not info["datacenter"]:
        return "the datacenter is not known; set backup_datacenter"
    return f"the agent reports a datacenter name that Consul does not allow: {json.dumps(str(info['datacenter']))}"


def _versions_text(info: Mapping[str, Any], unknown: str) -> str:
    if not info["versions"]:
        return f"the versions of the servers are not known: {unknown}"
    seen = ", ".join(f"{one['name']} {one['version']}" for one in info["servers"] or ())
    return f"the servers run different versions: {seen}"
