# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives of a directory are meant: of which cluster, and of what time (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone

from .._model.identity import ClusterIdentity

NEWEST, ALL = "newest", "all"


def of_cluster(clusters: Sequence[ClusterIdentity], name: str, *, unnamed: bool) -> list[int]:
    """Return the positions of those that count for the cluster of a name.

    :param unnamed: count those without a name as well, unless they contradict those that bear it, or are certainly of
        a cluster with another name.
    """
    named = [cluster for cluster in clusters if cluster.name == name]
    servers_of_others = {server for other in clusters if other.name not in (None, name) for server in other.servers}
    datacenters = {cluster.datacenter for cluster in named if cluster.datacenter}
    ids = {cluster.id for cluster in named if cluster.id}
    servers = {server for cluster in named for server in cluster.servers}

    def may_be_it(cluster: ClusterIdentity) -> bool:
        if cluster.datacenter and datacenters and cluster.datacenter not in datacenters:
            return False
        if cluster.id and ids and cluster.id not in ids:
            return False
        if cluster.servers and servers.isdisjoint(cluster.servers):
            return not servers and servers_of_others.isdisjoint(cluster.servers)
        return True

    return [
        position
        for position, cluster in enumerate(clusters)
        if cluster.name == name or (unnamed and cluster.name is None and may_be_it(cluster))
    ]


def moment(text: str) -> float:
    """Return a time as a user writes it, with or without a zone (then it is UTC), in seconds since the epoch.

    :raises ValueError: it is not one.
    """
    try:
        parsed = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(f'"{text}" is neither newest nor all nor a time such as 2026-11-23T02:15:00Z') from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()
