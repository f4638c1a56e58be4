# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why backups failed, in one word for each cluster (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COPY, STALE, UNREACHABLE, NO_LEADER, REFUSED = "copy", "stale", "unreachable", "no_leader", "refused"
"""Beside the kinds of failure of the modules: a store lacks its copy; no leader confirmed the archive; the host can't
be reached; there is no leader; the role refused to work on the cluster, or failed in another way."""


def failures_of(
    clusters: Sequence[str],
    *,
    saved: Sequence[Mapping[str, Any]],
    asked: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
    pruned: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Return the kind of failure of each cluster of which something failed.

    Each list has one entry for each host; empty where there is nothing to tell.

    :param clusters: of which cluster the host is.
    :param saved: what snapshot_save returned.
    :param asked: what cluster_info returned.
    :param results: the facts ``backup_result``.
    :param pruned: what snapshot_prune returned in a loop.
    """
    by_cluster: dict[str, list[int]] = {}
    for number, cluster in enumerate(clusters):
        by_cluster.setdefault(str(cluster), []).append(number)
    found = {}
    for cluster, hosts in by_cluster.items():
        done = [results[host] for host in hosts if results[host]]
        kind = _of_done(done, [pruned[host] for host in hosts]) if done else _of_none(hosts, saved, asked)
        found.update({cluster: kind} if kind else {})
    return found


def _of_done(done: Sequence[Mapping[str, Any]], pruned: Sequence[Mapping[str, Any]]) -> str | None:
    """What went wrong once an archive was kept or confirmed; None where nothing did."""
    if all(result.get("missing_copies") for result in done):
        return COPY
    if all(result.get("confirmed_by_leader") is False for result in done):
        return STALE
    prunes = (one for loop in pruned for one in loop.get("results") or ())
    kinds = (_kind_of(one) or (REFUSED if has_no_result(one) else None) for one in prunes)
    return next((kind for kind in kinds if kind), None)


def has_no_result(pruned: Mapping[str, Any]) -> bool:
    """Whether a prune ended without a result, as one does whose process was killed: Ansible gives it no ``failure``."""
    return not (pruned.get("skipped") or pruned.get("unreachable") or "failure" in pruned or "removed" in pruned)


def _of_none(hosts: Sequence[int], saved: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]) -> str:
    told = [kind for results in (saved, asked) for host in hosts for kind in [_kind_of(results[host])] if kind]
    if told:
        return told[0]
    leaderless = any("leader" in asked[host] and asked[host]["leader"] is None for host in hosts)
    return NO_LEADER if leaderless else REFUSED


def _kind_of(result: Mapping[str, Any]) -> str | None:
    if result.get("unreachable"):
        return UNREACHABLE
    failure = result.get("failure")
    return str(failure.get("kind") or REFUSED) if isinstance(failure, Mapping) else None
