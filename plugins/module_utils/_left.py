# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore leaves to people (pure): agents that have to come back, and what is to be done, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ._guards import deregister

_SHOWN = 10


@dataclass
class Agent:
    """A node that belongs to an agent: its id, whether its own check is not critical, and its services by name."""

    id: str
    alive: bool = False
    services: set[str] = field(default_factory=set)


def agents_awaited(archive: Mapping[str, Agent], present: Collection[str] | None) -> list[dict[str, Any]] | None:
    """Return ``[{node, services}]``: the agents' nodes of an archive whose agents are not in the gossip pool.

    The leader reaps them within a minute, with their services (observed on 1.8.7 and 1.22.7).

    :param present: names of the living members; None where the token may not see them, and then None is returned.
    """
    if present is None:
        return None
    here = {name.lower() for name in present}
    return [
        {"node": name, "services": sorted(agent.services)}
        for name, agent in sorted(archive.items())
        if name.lower() not in here
    ]


def next_steps(
    *,
    awaited: list[dict[str, Any]] | None,
    conflicts: Collection[str],
    servers: Collection[str],
    down: Collection[str],
    acl: bool | None,
    datacenter: str | None,
    archive_datacenter: str | None,
) -> list[str]:
    """Return what is left to a person, most urgent first.

    :param conflicts: names that living agents bear and the archive holds under other ids.
    :param servers: names of the cluster's servers. :param down: those of them that were down before.
    """
    steps = []
    if conflicts:
        steps.append(
            f"Free the names of {_listed(conflicts)}, which the catalog refuses to their living agents, one by one: "
            + deregister(min(conflicts), datacenter)
        )
    if acl is not False:
        steps.append(
            f"Where the log of an agent says 'ACL not found', its own token is not in the archive; make one and set it "
            f"there: consul acl set-agent-token agent TOKEN. Look at {_listed(servers) or 'the servers'} first."
        )
    if awaited:
        steps.append(
            f"Let the agents of {_listed([one['node'] for one in awaited])} join this cluster (consul join, or a "
            "restart). Within a minute their nodes leave the catalog with their services, and return with the agents."
        )
    elif awaited is None:
        steps.append(
            "Which agents are awaited could not be asked; compare 'consul members' with 'consul catalog nodes'."
        )
    if down:
        steps.append(
            f"Start {_listed(down)} without the directory <data_dir>/raft: a server that was away during a restore can "
            "lose a part of its log when it returns, and die of it ('log not found', seen on 1.22.7)."
        )
    steps.append(
        "Restart what waits for changes with an index from before (consul-template, consul watch, blocking queries): "
        "indexes may have gone back."
    )
    steps.append("Tell those who hold tokens, sessions or locks that are younger than the archive: they are gone.")
    if datacenter and archive_datacenter and datacenter != archive_datacenter:
        steps.append(
            f"Register the nodes anew that came from outside: the archive holds them in {archive_datacenter}, and they "
            f"are not found in {datacenter}."
        )
    return steps


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
