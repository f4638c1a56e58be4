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

# What this collection names archives, and what Consul Enterprise's snapshot agent does (nanoseconds since the epoch).
_OURS = re.compile(r"-(\d{8}T\d{6}Z)-\d+(?:-\d+)?\.snap$", re.ASCII)
_AGENTS = re.compile(r"^consul-(\d{16,19})\.snap$", re.ASCII)


def of_cluster(clusters: Sequence[ClusterIdentity], name: str, *, unnamed: bool) -> list[int]:
    """Return the positions of those that count for the cluster of a name.

    :param unnamed: count those that bear no name, too, unless they contradict those that bear it, or are certainly of
        a cluster of another name.
    """
    named = [one for one in clusters if one.name == name]
    theirs = {server for one in clusters if one.name not in (None, name) for server in one.servers}
    datacenters = {one.datacenter for one in named if one.datacenter}
    ids = {one.id for one in named if one.id}
    ours = {server for one in named for server in one.servers}

    def may_be_ours(one: ClusterIdentity) -> bool:
        if (one.datacenter and datacenters and one.datacenter not in datacenters) or (
            one.id and ids and one.id not in ids
        ):
            return False
        if one.servers and ours.isdisjoint(one.servers):
            return not ours and theirs.isdisjoint(one.servers)
        return True

    return [
        position
        for position, one in enumerate(clusters)
        if one.name == name or (unnamed and one.name is None and may_be_ours(one))
    ]


def told_by_name(path: str) -> float | None:
    """Return the time that is part of an archive's name, in seconds since the epoch."""
    name = path.rpartition("/")[2]
    ours, agents = _OURS.search(name), _AGENTS.match(name)
    if ours:
        try:
            return datetime.strptime(ours.group(1), "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            return None
    return int(agents.group(1)) / 1e9 if agents else None


def moment(text: str) -> float:
    """Return a time as a user writes it, with or without a zone (then it is UTC), in seconds since the epoch.

    :raises ValueError: it is not one.
    """
    try:
        parsed = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(f'"{text}" is neither newest nor all nor a time such as 2026-11-23T02:15:00Z') from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()
