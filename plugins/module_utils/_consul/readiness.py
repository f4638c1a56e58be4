# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a cluster: leader, token, members and autopilot, server by server.

The HTTP addresses of the other servers are not known in general. Each server is judged by the gossip pool of the agent
that is asked, raft's configuration and autopilot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from .._errors import ApiError, ClusterError, SnapshotError
from .agents import read_present
from .client import Client
from .cluster import UNHEALTHY, may_snapshot, read_leader, server_names_in
from .shapes import mappings_of

_PAUSE = 0.5


class Expected(NamedTuple):
    """What to wait for.

    ``without``: names of servers that were down before. ``beyond``: a raft index that every follower must have passed,
    so that it holds what was restored.
    """

    without: frozenset[str] = frozenset()
    beyond: int = 0


def wait_until_ready(
    client: Client, *, datacenter: str | None, seconds: float, expected: Expected | None = None
) -> None:
    """Wait until the cluster is ready, as far as the token may see.

    :raises ClusterError: not within ``seconds``; the message says what is missing.
    """
    wait_until(
        lambda: _missing(client, datacenter, expected or Expected()),
        seconds=seconds,
        clock=time.monotonic,
        sleep=time.sleep,
    )


def wait_until(
    missing: Callable[[], str | None], *, seconds: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> None:
    """Call ``missing`` about twice a second until it returns None; until then it returns what is still missing.

    :raises ClusterError: it did not within ``seconds``; its fact ``cause`` is the kind of the last error.
    """
    end = clock() + seconds
    while True:
        cause: str | None = None
        try:
            lack = missing()
        except SnapshotError as error:
            lack, cause = error.message, error.kind
        if lack is None:
            return
        if clock() >= end:
            raise ClusterError(
                f"after {seconds:g} s: {lack}", hint="Check 'consul members' and the servers' logs.", cause=cause
            )
        sleep(_PAUSE)


def _missing(client: Client, datacenter: str | None, expected: Expected) -> str | None:
    if not read_leader(client, datacenter):
        return "the cluster has no leader"
    # Raises an error as long as the token is not known.
    may_snapshot(client, datacenter)
    params = {"dc": datacenter} if datacenter else {}
    servers = server_names_in(ask_where_allowed(client, "/v1/operator/raft/configuration", params))
    health = ask_where_allowed(client, "/v1/operator/autopilot/health", params)
    present = read_present(client, datacenter) if servers else None
    return what_is_missing(health if isinstance(health, dict) else None, servers, present, expected)


def what_is_missing(
    health: Mapping[str, Any] | None, servers: Collection[str], present: Collection[str] | None, expected: Expected
) -> str | None:
    """Return what keeps a cluster from being ready, in words, or None (pure).

    :param health: autopilot's answer, None where the token may not see it.
    :param servers: names in raft's configuration.
    :param present: names of the living members, None where the token may not see them.
    """
    if health is not None:
        judged = {str(server.get("Name")): server for server in mappings_of(health.get("Servers"))}
        servers = {*servers, *judged} - expected.without
        unhealthy = sorted(name for name in servers if not judged.get(name, {}).get("Healthy"))
        if unhealthy or not (health.get("Healthy") or expected.without):
            return f"autopilot reports the cluster as unhealthy ({', '.join(unhealthy) or 'no server by name'})"
        # A healthy follower may be an index or two behind, and the whole restored state may lie in between.
        followers = [name for name in servers if not judged[name].get("Leader")]
        behind = sorted(name for name in followers if int(judged[name].get("LastIndex") or 0) <= expected.beyond)
        if behind:
            return f"the restored state has not reached {', '.join(behind)}"
    gone = sorted(set(servers) - expected.without - set(present)) if present is not None else []
    return f"not in the gossip pool: {', '.join(gone)}" if gone else None


def ask_where_allowed(client: Client, path: str, params: Mapping[str, str]) -> Any:
    """Return the JSON answer to a GET; None where the token, or something in between, does not allow it.

    :raises ApiError, TransportError: there is no answer for another reason.
    """
    try:
        return client.ask(path, params=dict(params), accept=(UNHEALTHY,))
    except ApiError as error:
        if error.kind in ("permission_denied", "not_found", "endpoint_blocked"):
            return None
        raise
