# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives of a directory to rehearse, by the time each was taken (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ._identity import Cluster
from ._times import to_text

NEWEST, ALL = "newest", "all"

# What this collection names archives, and what Consul Enterprise's snapshot agent does (nanoseconds since the epoch).
_OURS = re.compile(r"-(\d{8}T\d{6}Z)-\d+(?:-\d+)?\.snap$", re.ASCII)
_AGENTS = re.compile(r"^consul-(\d{16,19})\.snap$", re.ASCII)
_META_ID = re.compile(r"^\d+-\d+-(\d{11,14})$", re.ASCII)


def picked(files: Iterable[Mapping[str, Any]], pick: str, metas: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the archives that come into question, the newest first, each as ``{path, taken_at}``.

    :param files: each has ``path`` and ``mtime``, which counts where nothing better is known.
    :param pick: NEWEST, ALL, or a time that none may be younger than.
    :param metas: path to the text of meta.json, where a name does not tell.
    :raises ValueError: ``pick`` is no such thing.
    """
    until = None if pick in (NEWEST, ALL) else moment(pick)
    timed = []
    for file in files:
        path = str(file["path"])
        taken = told_by_name(path)
        taken = _told_by_meta(metas.get(path, "")) if taken is None else taken
        timed.append((float(file["mtime"]) if taken is None else taken, path))
    chosen = [one for one in timed if until is None or one[0] <= until]
    return [{"path": path, "taken_at": to_text(taken)} for taken, path in sorted(chosen, reverse=True)]


def of_cluster(clusters: Sequence[Cluster], name: str, *, unnamed: bool) -> list[int]:
    """Return the positions of those that count for the cluster of a name.

    :param unnamed: count those that bear no name, too, unless they contradict those that bear it, or are certainly of
        a cluster of another name.
    """
    named = [one for one in clusters if one.name == name]
    theirs = {server for one in clusters if one.name not in (None, name) for server in one.servers}
    datacenters = {one.datacenter for one in named if one.datacenter}
    ids = {one.id for one in named if one.id}
    ours = {server for one in named for server in one.servers}

    def may_be_ours(one: Cluster) -> bool:
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

    :raises ValueError: it is none.
    """
    try:
        parsed = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text.strip()))
    except ValueError:
        raise ValueError(f'"{text}" is neither newest nor all nor a time such as 2026-11-23T02:15:00Z') from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()


def _told_by_meta(text: str) -> float | None:
    """The milliseconds in raft's name of a snapshot are when the server took it."""
    try:
        match = _META_ID.match(str(json.loads(text)["ID"]))
    except (ValueError, KeyError, TypeError):
        return None
    return int(match.group(1)) / 1000 if match else None
