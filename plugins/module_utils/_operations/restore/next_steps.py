# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore leaves to people (pure): agents that have to come back, and what is to be done, in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..._errors import listed, printable
from ..._snapshot.restore_facts import SERVERS_SERVICE, Agent, is_server
from .guards import deregister

_SHOWN = 10


def agents_awaited(
    archive: Mapping[str, Agent], present: Collection[str] | None, gone: Collection[str] = ()
) -> list[dict[str, Any]] | None:
    """Return ``[{node, services}]``: the agents' nodes of an archive whose agents are not in the gossip pool.

    The leader reaps them within a minute, with their services (observed on 1.8.7 and 1.22.7).

    :param present: names of the living members; None where the token may not see them, and then None is returned.
    :param gone: names of nodes that nobody waits for.
    """
    if present is None:
        return None
    here = {name.lower() for name in (*present, *gone)}
    return [_described(name, agent) for name, agent in sorted(archive.items()) if name.lower() not in here]


def servers_gone(
    archive: Mapping[str, Agent], present: Collection[str] | None, own: Collection[str]
) -> list[dict[str, Any]]:
    """Return ``[{node, services}]``: the servers of the cluster that an archive comes from, which this one replaces.

    :param present: names of the living members, None where the token may not see them.
    :param own: node ids of this cluster's servers and members, alive or not: those come back.
    """
    here = {name.lower() for name in present or ()}
    return [
        _described(name, agent)
        for name, agent in sorted(archive.items())
        if is_server(agent) and agent.id not in own and name.lower() not in here
    ]


def _described(name: str, agent: Agent) -> dict[str, Any]:
    return {"node": name, "services": sorted(agent.services)}


def next_steps(
    *,
    awaited: list[dict[str, Any]] | None,
    gone: Sequence[dict[str, Any]],
    conflicts: Collection[str],
    servers: Collection[str],
    down: Collection[str],
    peerings: Collection[str],
    acl: bool | None,
    datacenter: str | None,
    archive_datacenter: str | None,
) -> list[str]:
    """Return what is left to a person, most urgent first.

    :param gone: the servers of the cluster that the archive comes from; see ``servers_gone``.
    :param conflicts: names that living agents bear and the archive holds under other ids.
    :param servers: names of the cluster's servers. :param down: those of them that were down before.
    :param peerings: names of the peerings in the archive that the cluster dials in place of another one.
    """
    steps = []
    if peerings:
        steps.append(
            f"These servers dial the peers of the archive ({listed(sorted(peerings), _SHOWN)}) in place of the cluster that it comes "
            "from, whether the peers accept them (ACTIVE in 'consul peering list') or not yet. If that cluster still "
            "runs, stop these servers or cut their network to the peers, and don't delete a peering here: the peer "
            "would end the original's, too (TERMINATED). If it is gone for good, keep the peerings that become ACTIVE, "
            "and establish the others anew (consul peering generate-token, consul peering establish)."
        )
    if conflicts:
        steps.append(
            f"Free the names of {listed(sorted(conflicts), _SHOWN)}, which the catalog refuses to their living agents, one by one: "
            + deregister(min(conflicts), datacenter)
        )
    if acl is not False:
        steps.append(
            "Where the log of an agent says 'ACL not found', its own token is not in the archive. Create one and set "
            f"it there: consul acl set-agent-token agent TOKEN. Start with {listed(sorted(servers), _SHOWN) or 'the servers'}."
        )
    if awaited:
        steps.append(
            f"Let the agents of {listed([node['node'] for node in awaited], _SHOWN)} join this cluster (consul join, or a "
            "restart). Within a minute their nodes leave the catalog with their services. They return with the agents."
        )
    elif awaited is None:
        steps.append(
            "The token may not list the members. To find agents that have not joined, compare 'consul members' with "
            "'consul catalog nodes'."
        )
    if gone:
        steps.append(_of_gone(gone))
    if down:
        steps.append(
            f"Remove the directory <data_dir>/raft on {listed(sorted(down), _SHOWN)} before you start it: a server that was down "
            "during a restore can lose a part of its log when it returns, and die of it (1.22.7: log not found)."
        )
    steps.append(
        "Restart clients that hold a blocking-query index from before the restore (consul-template, consul watch): "
        "indexes may have gone back."
    )
    steps.append(
        "Tell those who hold tokens, sessions or locks that were created after the archive was taken: they are gone."
    )
    if datacenter and archive_datacenter and datacenter != archive_datacenter:
        steps.append(
            "Register again all nodes that were registered from outside: the archive holds them in the datacenter "
            f"{printable(archive_datacenter)}, and they are not found in {printable(datacenter)}."
        )
    return steps


def _of_gone(gone: Sequence[dict[str, Any]]) -> str:
    services = sorted({name for one in gone for name in one["services"]} - {SERVERS_SERVICE})
    more = f" Register the services that ran at them elsewhere: {listed(services, _SHOWN)}." if services else ""
    return (
        f"Do not wait for {listed([node['node'] for node in gone], _SHOWN)}: they were servers of the cluster that the archive "
        f"comes from. Their nodes leave the catalog within a minute. Keep them out of this cluster.{more}"
    )

