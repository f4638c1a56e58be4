# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether clusters can be saved before they are asked who they are, and what the saves leave in question (pure).

A save learns which cluster it is of. With one host for each cluster that is enough: no host has to be chosen, and two
names of one cluster show afterwards. What was taken under two names can be removed again, unless it replaced a file or
lies in a bucket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ._cluster_plan import seat_of


def may_save_first(settings: Iterable[Mapping[str, Any]], *, role: str, known: Collection[str] = ()) -> bool:
    """Return whether every host can save without being asked first.

    :param settings: ``{host, cluster, lasting, problems, names, others}`` for each host; ``lasting`` is where a save
        leaves what can't be removed again: the file that it overwrites, or a bucket. Empty when it writes a new file.
        See ``seat_of`` for the others.
    :param known: the role's own variables.
    """
    hosts = list(settings)
    clusters = Counter(str(one["cluster"]) for one in hosts)
    return all(
        clusters[str(one["cluster"])] == 1 and not one.get("lasting") and not seat_of(one, role, known).problems
        for one in hosts
    )


def in_question(settings: Iterable[Mapping[str, Any]], clusters: Iterable[Any]) -> list[str]:
    """Return the names of clusters that have to be asked after all: their save failed, or two names may be of one.

    :param settings: ``{cluster}`` for each host.
    :param clusters: for each host, in the same order, what its save learned of the cluster, as snapshot_save returns
        it under ``cluster``; empty where the save failed.
    :raises ValueError: there are more of one than of the other.
    """
    named, learned = [str(one["cluster"]) for one in settings], list(clusters)
    if len(named) != len(learned):
        raise ValueError(f"{len(named)} hosts and {len(learned)} results")
    questioned: set[str] = set()
    first: dict[tuple[str, str], str] = {}
    for name, cluster in zip(named, learned):
        if not isinstance(cluster, Mapping) or not cluster:
            questioned.add(name)
            continue
        for trait in _traits_of(cluster):
            other = first.setdefault(trait, name)
            if other != name:
                questioned.update((name, other))
    return sorted(questioned)


def _traits_of(cluster: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what no two clusters have in common: the Connect id and the ids of Raft's servers."""
    servers = cluster.get("servers")
    listed = servers if isinstance(servers, (list, tuple)) else []
    return [("id", str(cluster["id"]))] * bool(cluster.get("id")) + [("server", str(server)) for server in listed]
