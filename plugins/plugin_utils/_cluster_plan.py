# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through which hosts the work on each cluster is done, and what stands against it (pure).

One raft server set is one cluster, whatever its name and its Connect id are: a clone that was restored from an archive
has the id of the original, and a cluster without Connect has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ..module_utils._errors import printable
from ._complaints import Complaint, complaint_of, ended, in_words, listed
from ._settings import problems_of
from ._spelling import misspelled

# What follows for a role from hosts of two clusters under one name.
_MIXED = {
    "backup": "all but one would go without a backup",
    "restore": "it is not clear which of them is meant",
}


class Seat(NamedTuple):
    """A host's place in the plan. ``servers``: raft ids of its cluster's servers; empty where they can't be learned.

    ``source``: what its cluster is to be restored from, as the role names it; None where nothing is.
    ``directory``: where the archives of its cluster lie.
    """

    host: str
    cluster: str
    answers: bool
    leader: bool
    permitted: bool
    datacenter: str
    cluster_id: str
    servers: frozenset[str]
    named: tuple[str, ...]
    source: str | None
    directory: str | None
    problems: tuple[str, ...]
    complaint: Complaint | None

    def contradicts(self, other: Seat) -> bool:
        """Whether both can't be of one cluster: something that is known of both says so."""
        pairs = ((self.datacenter, other.datacenter), (self.cluster_id, other.cluster_id))
        if any(one and two and one != two for one, two in pairs):
            return True
        return bool(self.servers and other.servers) and self.servers.isdisjoint(other.servers)

    def overlaps(self, other: Seat) -> bool:
        """Whether both are of one cluster, by raft's own word: they have a server in common, nothing contradicts."""
        return not self.servers.isdisjoint(other.servers) and not self.contradicts(other)

    def resembles(self, other: Seat) -> bool:
        """Whether both may be of one cluster: the same Connect id, and raft's servers are not known of both."""
        known = bool(self.servers and other.servers)
        return (
            bool(self.cluster_id) and self.cluster_id == other.cluster_id and not known and not self.contradicts(other)
        )

    @property
    def identity(self) -> str:
        """What was seen of its cluster, for a message."""
        servers = f"servers {listed(self.named, 5)}" if self.named else "servers unknown"
        cluster = f"Connect id {printable(self.cluster_id)}" if self.cluster_id else "no Connect id"
        return f"{printable(self.datacenter) or 'an unknown datacenter'} ({servers}, {cluster})"


def seat_of(told: Mapping[str, Any], role: str, known: Collection[str] = ()) -> Seat:
    """Return a seat from what a role noted of a host.

    :param told: ``{host, cluster, info}``, where info is the result of cluster_info, and where there are any
        ``problems`` (texts: settings that can't be used), ``paths``, ``required`` and ``stores`` (see ``problems_of``),
        ``copy_to`` (the paths in ``<role>_copy_to``), ``source``, ``directory``, ``names`` (of the host's variables),
        ``others`` (of those, the ones that are nobody's mistake).
    :param known: the role's own variables; none: nothing is said of names.
    """
    info = told.get("info")
    info = info if isinstance(info, Mapping) else {}
    answers = isinstance(info.get("summary"), str)
    host, cluster = str(told["host"]), str(told["cluster"])
    listing = info.get("servers") if answers else None
    servers = [one for one in listing if isinstance(one, Mapping)] if isinstance(listing, (list, tuple)) else []
    permissions = info.get("permissions")
    return Seat(
        host=host,
        cluster=cluster,
        answers=answers,
        leader=answers and bool(info.get("leader")),
        permitted=not (isinstance(permissions, Mapping) and permissions.get("snapshot") is False),
        datacenter=_text(info.get("datacenter")) if answers else "",
        cluster_id=_text(info.get("cluster_id")) if answers else "",
        servers=frozenset(_text(one.get("id")) for one in servers if one.get("id")),
        named=tuple(_text(one.get("name") or one.get("id")) for one in servers),
        source=str(told["source"]) if told.get("source") else None,
        directory=str(told["directory"]) if told.get("directory") else None,
        problems=(*map(str, told.get("problems") or ()), *_path_problems(told, role), *_misspelled(told, role, known)),
        complaint=None if answers else complaint_of(host, info, role),
    )


def plan(
    told: Iterable[Mapping[str, Any]], *, role: str, within: str = "", known: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return for each cluster name through which hosts it is worked on, and what stands against that.

    :param told: what the role noted of each host; see ``seat_of``.
    :param role: whose variables messages name, such as ``backup``.
    :param within: why not every host of the inventory was asked, for a message; empty when all were.
    :param known: the role's own variables, to find misspelled ones.
    :return: by name ``{hosts, speaker, silent, complaints, fault, same, doubt, shared}``.
        ``hosts``: those that answer, in the order in which to try them.
        ``speaker``: the one host that says what concerns all.
        ``fault``: why nothing can be done; empty when something can. ``same``: other names whose hosts were seen to be
        of this cluster, which is one such fault. ``doubt``: what could not be told; for the role
        to weigh. ``shared``: other clusters of the run whose archives lie in the same directory.
    """
    seats = [seat_of(one, role, known) for one in told]
    clusters: dict[str, list[Seat]] = {}
    for seat in seats:
        clusters.setdefault(seat.cluster, []).append(seat)
    met = _Meetings(clusters)
    return {name: _planned(name, members, clusters, met, role, within) for name, members in clusters.items()}


class _Meetings:
    """Which names lead to one cluster, looked up instead of comparing each with each."""

    def __init__(self, clusters: Mapping[str, list[Seat]]) -> None:
        self._clusters = clusters
        self._places: dict[str, dict[str, None]] = {}
        self._by: dict[str, dict[str, dict[str, None]]] = {"server": {}, "id": {}}
        for name, members in clusters.items():
            for seat in members:
                for server in seat.servers:
                    self._by["server"].setdefault(server, {})[name] = None
                if seat.cluster_id:
                    self._by["id"].setdefault(seat.cluster_id, {})[name] = None
                if seat.directory:
                    self._places.setdefault(seat.directory, {})[name] = None

    def same(self, name: str) -> list[str]:
        """The other names whose hosts are of the same raft servers."""
        near = {near for seat in self._clusters[name] for one in seat.servers for near in self._by["server"][one]}
        return self._that(name, near, Seat.overlaps)

    def alike(self, name: str) -> list[str]:
        """The other names whose hosts may be of the same cluster."""
        ids = {seat.cluster_id for seat in self._clusters[name] if seat.cluster_id}
        return self._that(name, {near for one in ids for near in self._by["id"][one]}, Seat.resembles)

    def sharing(self, name: str) -> list[str]:
        """The other names whose archives lie in the same directory."""
        places = {seat.directory for seat in self._clusters[name] if seat.directory}
        return sorted({near for place in places for near in self._places[place]} - {name})

    def _that(self, name: str, near: set[str], test: Any) -> list[str]:
        mine = [seat for seat in self._clusters[name] if seat.answers]
        return sorted(
            other
            for other in near - {name}
            if any(test(one, two) for one in mine for two in self._clusters[other] if two.answers)
        )


def _planned(
    name: str, members: list[Seat], clusters: Mapping[str, list[Seat]], met: _Meetings, role: str, within: str
) -> dict[str, Any]:
    answering = [seat for seat in members if seat.answers]
    ordered = sorted(answering, key=lambda seat: (not seat.leader, not seat.permitted))
    silent = [seat.complaint for seat in members if seat.complaint]
    same, sharing = met.same(name), met.sharing(name)
    speaker, fault = members[0].host, _fault(name, members, answering, role)
    if not fault and not answering:
        fault = f"nothing can be learned of this cluster. {in_words(silent)}{f' {within}' if within else ''}"
    if not fault and same:
        names = sorted([name, *same])
        speaker = clusters[names[0]][0].host
        fault = (
            f"{listed(names)} are {len(names)} names of one Consul cluster, {answering[0].identity}. "
            f"Set {role}_cluster to one name for all hosts of that cluster."
        )
    alike = [] if fault else met.alike(name)
    return {
        "hosts": [seat.host for seat in ordered],
        "speaker": speaker,
        "silent": [one.host for one in silent],
        "complaints": in_words(silent),
        "fault": fault or _unclear(members, clusters, role),
        "same": same,
        "doubt": _doubt(alike, role),
        "shared": sharing,
    }


def _fault(name: str, members: list[Seat], answering: list[Seat], role: str) -> str:
    problems: dict[str, list[str]] = {}
    for seat in members:
        for problem in seat.problems:
            problems.setdefault(problem, []).append(seat.host)
    if problems:
        return " ".join(
            ended(printable(problem, 1000)) + ("" if len(hosts) == len(members) else f" (On {listed(hosts)}.)")
            for problem, hosts in problems.items()
        )
    pairs = ((one, two) for number, one in enumerate(answering) for two in answering[number + 1 :])
    mixed = next((pair for pair in pairs if pair[0].contradicts(pair[1])), None)
    if not mixed:
        return ""
    clone = mixed[0].cluster_id and mixed[0].cluster_id == mixed[1].cluster_id
    return (
        f"its hosts are of different Consul clusters, so {_MIXED.get(role, _MIXED['restore'])}. "
        + " and ".join(f"{printable(seat.host)} is of {seat.identity}" for seat in mixed)
        + (". The Connect id is the same: one was restored from an archive of the other" if clone else "")
        + f". Set {role}_cluster to another name for each cluster."
    )


def _unclear(members: list[Seat], clusters: Mapping[str, list[Seat]], role: str) -> str:
    """Return why it isn't clear which archive goes where: each cluster gets one, each goes into one cluster."""
    sources = list(dict.fromkeys(seat.source for seat in members if seat.source))
    if len(sources) > 1:
        return f"its hosts name different archives ({listed(sources)}). Set {role}_src once for all of them."
    others = sorted(
        name
        for name, seats in clusters.items()
        if sources and name != members[0].cluster and any(seat.source in sources for seat in seats)
    )
    if others:
        return (
            f"{listed(others)} would get the same archive, {printable(sources[0])}. Set {role}_src for each cluster, "
            "or choose one cluster with --limit."
        )
    return ""


def _doubt(alike: list[str], role: str) -> str:
    if not alike:
        return ""
    one = "they have" if len(alike) > 1 else "it has"
    return (
        f"{listed(alike)} may be the same Consul cluster: {one} the same Connect id, as clones have, and raft's "
        f'servers can\'t be seen. Give the token in {role}_connection operator = "read" to distinguish them.'
    )


def _path_problems(told: Mapping[str, Any], role: str) -> list[str]:
    if "paths" not in told:
        return []
    copies = {f"{role}_copy_to[{number}].path": str(path) for number, path in enumerate(told.get("copy_to") or ())}
    paths = {**{str(name): str(path) for name, path in told["paths"].items()}, **copies}
    required, stores = ((*(told.get(key) or ()), *copies) for key in ("required", "stores"))
    return problems_of(role, str(told["cluster"]), paths, required, stores)


def _misspelled(told: Mapping[str, Any], role: str, known: Collection[str]) -> list[str]:
    found = misspelled(map(str, told.get("names") or ()), known, others=map(str, told.get("others") or ()))
    return [
        f"{one['name']} is not a variable of this role; {one['nearest']} is. Correct the name, or, where it belongs to "
        f"something else, add it to {role}_other_variables."
        for one in found
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
