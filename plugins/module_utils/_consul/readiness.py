# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a cluster: leader, token, members and autopilot, server by server.

Other servers' HTTP addresses are not generally known, so every one of them is judged by what the asked agent's gossip
pool, raft's configuration and autopilot say of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from .._errors import ApiError, ClusterError, SnapshotError
from .agents import read_present
from .client import Client
from .cluster import UNHEALTHY, may_snapshot, read_leader


class Expected(NamedTuple):
    """What is waited for. ``without``: names of servers that were down beforehand. ``beyond``: a raft index that every
    follower has to have passed, so that it holds what was restored."""

    without: frozenset[str] = frozenset()
    beyond: int = 0


def wait_until_ready(
    client: Client, *, datacenter: str | None, seconds: float, expected: Expected | None = None
) -> None:
    """Wait until the cluster is whole, as far as the token may see.

    :raises ClusterError: not within ``seconds``; the message says what is missing.
    """
    wait_until(
        lambda: _missing(client, datacenter, expected or Expected()),
        seconds=seconds,
        clock=time.monotonic,
        sleep=time.sleep,
    )


def wait_until(
    ready: Callable[[], str | None], *, seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    """Call ``ready`` once a second or so until it returns None; what it returns else says what is still missing.

    :raises ClusterError: it did not within ``seconds``; its fact ``cause`` is the kind of the last error.
    """
    end = clock() + seconds
    while True:
        cause: str | None = None
        try:
            missing = ready()
        except SnapshotError as error:
            missing, cause = error.message, error.kind
        if missing is None:
            return
        if clock() >= end:
            raise ClusterError(
                f"after {seconds:g} s: {missing}", hint="Look at 'consul members' and the servers' logs.", cause=cause
            )
        sleep(0.5)


def _missing(client: Client, datacenter: str | None, expected: Expected) -> str | None:
    if not read_leader(client, datacenter):
        return "the cluster has no leader"
    may_snapshot(client, datacenter)
    params = {"dc": datacenter} if datacenter else {}
    raft = _ask(client, "/v1/operator/raft/configuration", params) or {}
    health = _ask(client, "/v1/operator/autopilot/health", params)
    servers = [str(one["Node"]) for one in raft.get("Servers") or []]
    present = read_present(client, datacenter) if servers else None
    return whats_missing(health, servers, present, expected)


def whats_missing(
    health: Mapping[str, Any] | None, servers: Collection[str], present: Collection[str] | None, expected: Expected
) -> str | None:
    """Return what a cluster lacks, in words, or None (pure).

    :param health: autopilot's answer, None where the token may not see it.
    :param servers: names in raft's configuration.
    :param present: names of the living members, None where the token may not see them.
    """
    if health is not None:
        listed = {str(one["Name"]): one for one in health.get("Servers") or []}
        servers = {*servers, *listed} - expected.without
        sick = sorted(name for name in servers if not listed.get(name, {}).get("Healthy"))
        if sick or not (health.get("Healthy") or expected.without):
            return f"autopilot reports the cluster as unhealthy ({', '.join(sick) or 'no server by name'})"
        # A healthy follower may be an index or two behind, and the whole restored state may lie in between.
        followers = [name for name in servers if not listed[name].get("Leader")]
        behind = sorted(name for name in followers if int(listed[name].get("LastIndex") or 0) <= expected.beyond)
        if behind:
            return f"the restored state has not reached {', '.join(behind)}"
    gone = sorted(set(servers) - expected.without - set(present)) if present is not None else []
    return f"not in the gossip pool: {', '.join(gone)}" if gone else None


def _ask(client: Client, path: str, params: dict[str, str]) -> Any:
    try:
        return client.ask(path, params=dict(params), accept=(UNHEALTHY,))
    except ApiError as error:
        if error.kind in ("permission_denied", "not_found", "endpoint_blocked"):
            return None
        raise
