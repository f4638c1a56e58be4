# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of several hosts rehearses which cluster, and which of them can't be used (pure).

A cluster goes to the host that its name ranks first, unless that has its share already. So the same clusters and hosts
always give the same, no host has more than its share, and most clusters stay where they are when a host comes or goes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..module_utils._errors import printable

LEAST_FREE = 256 << 10
"""KiB that have to be free in a host's directory for temporary data."""
_FREE = re.compile(r"\s\d+\s+\d+\s+(-?\d{1,18})\s+\d+%\s+/")


def hosts_of(on: object, groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the hosts that ``rehearsal_on`` names: a host, a group, or a list of both; each once, in order.

    :param groups: the hosts of each group of the inventory. A name that is both is a host.
    """
    named = [on] if isinstance(on, str) or not isinstance(on, Iterable) else list(on)
    known = set(groups.get("all", ()))
    found: dict[str, None] = {}
    for name in map(str, named):
        for host in groups[name] if name in groups and name not in known else [name]:
            found[str(host)] = None
    return list(found)


def spread(seats: Iterable[Mapping[str, Any]], unusable: Iterable[str] = ()) -> dict[str, str]:
    """Return for each host of the play where its cluster is rehearsed.

    :param seats: each with ``host``, ``cluster`` and ``on``, a host or a list of them. Those with one cluster and equal
        ``on`` are rehearsed on one host.
    :param unusable: hosts that get nothing, as long as there is another one.
    """
    away = set(unusable)
    placed: dict[str, str] = {}
    clusters: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for seat in seats:
        hosts = [seat["on"]] if isinstance(seat["on"], str) else list(seat["on"])
        pool = tuple(sorted(set(hosts) - away)) or tuple(sorted(set(hosts)))
        clusters.setdefault(pool, {}).setdefault(str(seat["cluster"]), []).append(str(seat["host"]))
    for pool, members in clusters.items():
        share = -(-len(members) // len(pool)) if pool else 0
        taken = dict.fromkeys(pool, 0)
        for name in sorted(members, key=_order):
            chosen = next(host for host in sorted(pool, key=lambda one: _rank(name, one)) if taken[host] < share)
            taken[chosen] += 1
            placed.update(dict.fromkeys(members[name], chosen))
    return placed


def unusable_of(probes: Iterable[Mapping[str, Any]], binary: str) -> dict[str, str]:
    """Return why hosts can't be used, by name, from what each said of its Consul and its disk.

    :param probes: results of a loop: ``item`` (the host), ``unreachable``, ``rc``, ``stdout`` with the table of df.
    """
    found = {}
    for probe in probes:
        free = _FREE.search(str(probe.get("stdout") or ""))
        if probe.get("unreachable"):
            reason = "it can't be reached"
        elif probe.get("rc") != 0:
            said = str(probe.get("stderr") or probe.get("msg") or "no reason given")
            reason = f"{printable(binary, 200)} does not run there: {printable(' '.join(said.split()), 200)}"
        elif free is not None and int(free.group(1)) < LEAST_FREE:
            reason = f"only {int(free.group(1)) >> 10} MiB are free for temporary data"
        else:
            continue
        found[str(probe["item"])] = reason
    return found


def _order(name: str) -> str:
    """An order of clusters that has nothing to do with their names, so that no pattern in them matters."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


def _rank(cluster: str, host: str) -> str:
    return hashlib.sha256(f"{cluster}\0{host}".encode("utf-8", "surrogateescape")).hexdigest()
