# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives are of one cluster, for keeping and removing (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._errors import printable
from ..._model.identity import ClusterIdentity
from ..chronology import histories

_SHOWN = 9


class Member(NamedTuple):
    """Where an archive belongs. ``group``: the cluster, for people too. ``history``: those that share Raft servers.

    A cluster that was rebuilt under its name has two histories, and so have two clusters that were given one name.
    """

    group: str
    history: int


def members_of(clusters: Sequence[ClusterIdentity]) -> list[Member]:
    """Return where each archive belongs, by the cluster that it is of.

    Archives with a name are of the cluster of that name. Those without one are of the named cluster that they share
    servers with, if it is one; else of a cluster that is known by its servers. One of unknown servers stands alone.
    """
    members: list[Member] = [Member("", 0)] * len(clusters)
    for number, positions in enumerate(histories([cluster.servers for cluster in clusters])):
        names = {clusters[position].name for position in positions} - {None}
        for position in positions:
            own = clusters[position].name
            name = own if own is not None else names.copy().pop() if len(names) == 1 else None
            group = f"{printable(name)}" if name is not None else _unnamed(clusters, positions, number)
            members[position] = Member(group, number)
    return members


def _unnamed(clusters: Sequence[ClusterIdentity], positions: Sequence[int], number: int) -> str:
    """Return what to call archives without a name. No name of a cluster looks like it: it tells a number."""
    first = clusters[positions[0]]
    servers = ", ".join(printable(server, _SHOWN) for server in first.servers[:1])
    known = f"servers {servers}" if servers else "unknown servers"
    return f"without a name, {printable(first.datacenter or 'unknown datacenter')} ({known}, {number + 1})"
