# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of a run sends which notification (pure).

Hosts with the same URL share one notification: it reports all of their clusters. So one URL for all hosts is one
notification for the run, and a URL for each cluster is one for each. URLs themselves are not passed around between
hosts: a host is known by a digest of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from ._notify_outcomes import ENTRIES, lost_entry, outcome_of
from ._notify_request import PING, SKIPPED, START, WEBHOOK

Notices = dict[str, list[dict[str, Any]]]
"""What each host sends: ``{channels, outcome, clusters}``, by the name of the host."""


def digest_of(url: Any) -> str:
    """Return what stands for a URL among the hosts; empty for none."""
    return hashlib.sha256(str(url).encode()).hexdigest()[:16] if url else ""


def starts_of(members: Iterable[Mapping[str, Any]]) -> Notices:
    """Return the pings that announce a run.

    :param members: ``{host, cluster, ping, webhook, may_skip}``; ``ping``, ``webhook``: digests. None is sent where a
        run may rightly do nothing (``may_skip``): no success would follow, and the service would raise an alarm.
    """
    notices: Notices = {}
    for group in _groups(members, PING).values():
        if not any(one.get("may_skip") for one in group):
            notices[str(group[0]["host"])] = [{"channels": [PING], "outcome": START, "clusters": []}]
    return notices


def ends_of(
    operation: str,
    members: Iterable[Mapping[str, Any]],
    noted: Iterable[Mapping[str, Any]],
    lost: Iterable[Mapping[str, Any]],
    now: float,
) -> Notices:
    """Return the notifications that report how a run ended.

    :param operation: a key of ``ENTRIES``. :param members: as for ``starts_of``, of the hosts that took part.
    :param noted: what those noted that got to the end, failed or not; they alone can send.
    :param lost: ``{host, cluster, to}`` of hosts that left the play before the role; ``to``: their targets, or nothing
        where they are not known to the others.
    """
    members = list(members)
    arrived = {str(one["host"]): one for one in noted}
    notices: Notices = {}
    for channel in (PING, WEBHOOK):
        groups = _groups(members, channel)
        for mark, group in groups.items():
            sender = next((str(one["host"]) for one in group if str(one["host"]) in arrived), None)
            if sender is None:
                continue
            entries = _entries(operation, group, arrived, now)
            entries += _lost_entries(lost, channel, mark, {entry["cluster"] for entry in entries}, len(groups) == 1)
            outcome = outcome_of(entries)
            if channel == PING and outcome == SKIPPED:
                continue
            notice = {"channels": [channel], "outcome": outcome, "clusters": entries}
            notices.setdefault(sender, []).append(notice)
    return notices


def _groups(members: Iterable[Mapping[str, Any]], channel: str) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in members:
        if one.get(channel):
            groups.setdefault(str(one[channel]), []).append(one)
    return groups


def _entries(
    operation: str, group: list[Mapping[str, Any]], arrived: Mapping[str, Mapping[str, Any]], now: float
) -> list[dict[str, Any]]:
    clusters: dict[str, list[Mapping[str, Any]]] = {}
    for one in group:
        clusters.setdefault(str(one["cluster"]), []).append(one)
    entries = []
    for cluster, hosts in clusters.items():
        noted = [arrived[str(one["host"])] for one in hosts if str(one["host"]) in arrived]
        entries.append(ENTRIES[operation](noted, now) if noted else lost_entry(cluster, str(hosts[0]["host"])))
    return entries


def _lost_entries(
    lost: Iterable[Mapping[str, Any]], channel: str, mark: str, present: set[str], only_one: bool
) -> list[dict[str, Any]]:
    """Return entries for clusters none of whose hosts took part, and whose notification this is.

    Where a lost host's target is not known, it counts for the one that all others share: a success there would say
    that its cluster was backed up.
    """
    entries: dict[str, dict[str, Any]] = {}
    for one in lost:
        cluster, target = str(one["cluster"]), one.get("to") or {}
        same = digest_of(target.get(f"{channel}_url")) == mark if target else only_one
        if same and cluster not in present:
            entries.setdefault(cluster, lost_entry(cluster, str(one["host"])))
    return list(entries.values())
