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
    steps = [
        _about_peerings(peerings) if peerings else None,
        _about_conflicts(conflicts, datacenter) if conflicts else None,
        _about_agent_tokens(servers) if acl is not False else None,
        _about_agents(awaited) if awaited or awaited is None else None,
        _about_old_servers(gone) if gone else None,
        _about_servers_down(down) if down else None,
        _WATCHERS,
        _OWNERS,
        _about_datacenters(datacenter, archive_datacenter),
    ]
    return [step for step in steps if step is not None]


_WATCHERS = (
    "Restart clients that hold a blocking-query index from before the restore (consul-template, consul watch): "
    "indexes may have gone back."
)
_OWNERS = "Tell the owners of tokens, sessions and locks that were created after the archive was taken: they are gone."


def _about_peerings(names: Collection[str]) -> str:
    return (
        f"These servers dial the peers of the archive ({_listed(names)}) in place of the cluster that it was taken "
        "from, whether the peers accept them (ACTIVE in 'consul peering list') or not yet. If that cluster still "
        "runs, stop these servers or cut their network to the peers, and don't delete a peering here: the peer "
        "would end the original's, too (TERMINATED). If it is lost, keep the peerings that become ACTIVE, "
        "and establish the others again (consul peering generate-token, consul peering establish)."
    )


def about_unconnected(peerings: Mapping[str, str], states: Mapping[str, str] | None) -> str | None:
    """Return what is to be done about peerings that a cluster dials and that are not connected after its restore.

    :param peerings: names, by id. :param states: of those that are not connected, by id; None where it is unknown.
    """
    if states is None:
        told = f"It is not known whether the peerings of this cluster are connected ({_listed(peerings.values())})"
        told += ": look for ACTIVE in 'consul peering list'."
    elif states:
        told = f"These peerings are not connected: {_listed([f'{peerings[one]} ({states[one]})' for one in states])}."
    else:
        return None
    return (
        f"{told} After a restore a leader may fail to dial a peer again. Make another server the leader (consul "
        "operator raft transfer-leader), or restart the leader where there is no other. If 'consul peering list' "
        "does not show ACTIVE a minute later, the peer cannot be reached or has ended the peering."
    )


def _about_conflicts(names: Collection[str], datacenter: str | None) -> str:
    command = deregister(min(names), datacenter)
    return f"The catalog refuses living agents named {_listed(names)}. Free these names, one by one: {command}"


def _about_agent_tokens(servers: Collection[str]) -> str:
    return (
        "If an agent logs 'ACL not found', the archive does not hold the agent's own token. Create one and set it "
        f"there: consul acl set-agent-token agent TOKEN. Start with {_listed(servers) or 'the servers'}."
    )


def _about_agents(awaited: list[dict[str, Any]] | None) -> str:
    if awaited is None:
        return (
            "The token may not list the members. To find agents that have not joined, compare 'consul members' with "
            "'consul catalog nodes'."
        )
    return (
        f"Let the agents of {_nodes(awaited)} join this cluster (consul join, or a restart). Within a minute their "
        "nodes leave the catalog with their services. They return with the agents."
    )


def _about_old_servers(gone: Sequence[dict[str, Any]]) -> str:
    services = {name for node in gone for name in node["services"]} - {SERVERS_SERVICE}
    elsewhere = f" Register the services that ran there elsewhere: {_listed(services)}." if services else ""
    return (
        f"Do not wait for {_nodes(gone)}: they were servers of the cluster that the archive was taken from. Their "
        f"nodes leave the catalog within a minute. Keep them out of this cluster.{elsewhere}"
    )


def _about_servers_down(names: Collection[str]) -> str:
    return (
        f"Remove the directory <data_dir>/raft on {_listed(names)} before you start it: a server that was down during "
        "a restore can lose a part of its log when it returns, and crash because of that (1.22.7: log not found)."
    )


def _about_datacenters(datacenter: str | None, archive_datacenter: str | None) -> str | None:
    if not datacenter or not archive_datacenter or datacenter == archive_datacenter:
        return None
    return (
        "Register all externally registered nodes again: the archive holds them in the datacenter "
        f"{printable(archive_datacenter)}, and they are not found in {printable(datacenter)}."
    )


def _nodes(described: Sequence[dict[str, Any]]) -> str:
    return listed([node["node"] for node in described], _SHOWN)


def _listed(names: Collection[str]) -> str:
    return listed(sorted(names), _SHOWN)
