# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the names of a fleet's clusters fit what their archives say of themselves (pure).

What identifies a cluster are the raft ids of its servers. At one time two clusters have no server in common. Over time
one cluster may be rebuilt of new servers, and goes on under its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._errors import printable
from ..._times import from_text

_LISTED = 4
_LOOKED_AT = 2000


class Era(NamedTuple):
    """Servers that were one cluster, and when: its first archive, and the last time one was known to be current."""

    servers: frozenset[str]
    begin: float
    end: float
    example: str


def faults_of(listed: Mapping[str, Sequence[Mapping[str, Any]]], now: float) -> dict[str, list[str]]:
    """Return what is wrong with the names of clusters, in sentences, by name; names without a fault are left out.

    ``listed`` are the archives of each name, as M(snapshot_list) returned them. Those whose servers are not known, and
    dates that lie ahead of ``now``, say nothing.
    """
    faults: dict[str, list[str]] = {}
    owners: dict[str, list[str]] = {}
    for name, archives in listed.items():
        eras = eras_of(archives, now)
        for one, other in zip(eras, eras[1:]):
            if other.begin < one.end:
                faults.setdefault(name, []).append(
                    f"Its archives are of two Consul clusters that existed at the same time: {_shown(one)} and "
                    f"{_shown(other)}."
                )
                break
        for server in eras[-1].servers if eras else ():
            owners.setdefault(server, []).append(name)
    shared: dict[str, set[str]] = {}
    for names in owners.values():
        for name in names if len(names) > 1 else ():
            shared.setdefault(name, set()).update(names)
    for name, namesakes in shared.items():
        others = sorted(namesakes - {name})
        more = len(others) - _LISTED
        shown = ", ".join(printable(one) for one in others[:_LISTED]) + (f" and {more} more" if more > 0 else "")
        faults.setdefault(name, []).append(f"Its newest archive is of the same Consul cluster as that of {shown}.")
    return faults


def others_of(name: str, archives: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, in a sentence, that an archive was saved for a cluster of another name; else nothing."""
    for archive in archives:
        saved_for = (archive.get("cluster") or {}).get("name")
        # A module's result shows names with what can't be printed escaped.
        if saved_for not in (None, name, printable(name, None)):
            file = printable(str(archive.get("path")).rpartition("/")[2])
            return [f"{file} was saved for the cluster {printable(saved_for)}, not for this one."]
    return []


def several_unnamed(archives: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no archive names its cluster, and they are not all of one."""
    names = {(archive.get("cluster") or {}).get("name") for archive in archives}
    return names == {None} and len(eras_of(archives, float("inf"))) > 1


def eras_of(archives: Sequence[Mapping[str, Any]], now: float) -> list[Era]:
    """Return the clusters that archives come from, each once, in the order in which they began."""
    eras: list[Era] = []
    for archive in archives[:_LOOKED_AT]:
        servers = frozenset(map(str, (archive.get("cluster") or {}).get("servers") or ()))
        times = [from_text(archive[key]) for key in ("taken_at", "confirmed_at") if archive.get(key)]
        times = [] if archive.get("dated_ahead") else [time for time in times if time <= now]
        if not servers or not times:
            continue
        era = Era(servers, min(times), max(times), str(archive.get("path")))
        # A cluster that exchanges its servers one by one stays the same: what overlaps is one.
        for other in [other for other in eras if other.servers & era.servers]:
            eras.remove(other)
            newer = era if era.end >= other.end else other
            era = Era(era.servers | other.servers, min(era.begin, other.begin), max(era.end, other.end), newer.example)
        eras.append(era)
    return sorted(eras, key=lambda era: era.begin)


def _shown(era: Era) -> str:
    servers = sorted(era.servers)
    return f"{printable(era.example.rpartition('/')[2])} (server {printable(servers[0], 60)})"
