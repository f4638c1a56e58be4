# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a live cluster, each from a cheap look; what can't be learned is None and says why."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._errors import ApiError
from .._model.identity import ClusterIdentity
from .client import Client

UNHEALTHY = 429
"""Autopilot's health is JSON with this status when the cluster is unhealthy; it is no rate limit here."""


class ServerFacts(NamedTuple):
    """A server in raft's configuration; ``healthy`` and ``version`` are None where autopilot could not be asked."""

    name: str
    id: str
    address: str
    voter: bool
    leader: bool
    healthy: bool | None
    version: str | None


class Permissions(NamedTuple):
    """What a token may do; None where it could not be asked."""

    snapshot: bool | None
    operator_read: bool | None
    agent_read: bool | None


class ClusterFacts(NamedTuple):
    """What is known of a cluster; None where it could not be learned, with the reason in ``unknown``."""

    version: str | None
    datacenter: str | None
    cluster_id: str | None
    leader: str | None
    servers: tuple[ServerFacts, ...]
    healthy: bool | None
    failure_tolerance: int | None
    datacenters: tuple[str, ...]
    applied_index: int | None
    permissions: Permissions
    unknown: dict[str, str]
    agent_name: str | None = None
    agent_id: str | None = None

    @property
    def identity(self) -> ClusterIdentity:
        """Datacenter, cluster id, version and servers, as manifests keep them."""
        servers = tuple(sorted({server.id for server in self.servers}))
        return ClusterIdentity(self.datacenter, self.cluster_id, self.version, servers)

    @property
    def voters(self) -> int | None:
        """Number of voting servers; None when raft's configuration could not be read."""
        return sum(server.voter for server in self.servers) if self.servers else None

    @property
    def voters_alive(self) -> int | None:
        """Number of voting servers that autopilot reports as healthy; None when it could not be asked."""
        if not self.servers or self.healthy is None:
            return None
        return sum(server.voter and bool(server.healthy) for server in self.servers)

    @property
    def versions(self) -> tuple[str, ...]:
        """The servers' versions, each once, sorted."""
        return tuple(sorted({server.version for server in self.servers if server.version}))


class _Look:
    """Asks, and notes what could not be learned instead of failing."""

    def __init__(self, client: Client, datacenter: str | None) -> None:
        self._client = client
        self._params = {"dc": datacenter} if datacenter else {}
        self.unknown: dict[str, str] = {}
        self.denied: set[str] = set()

    def at(
        self, what: str, path: str, *, accept: tuple[int, ...] = (), local: bool = False, stale: bool = False
    ) -> Any:
        """Return the answer, or None. ``local`` questions are about the agent itself and know no datacenter.

        :param stale: any server may answer by itself.
        """
        params = {} if local else {**self._params, **({"stale": ""} if stale else {})}
        try:
            return self._client.ask(path, params=params, accept=accept)
        except ApiError as error:
            self.unknown[what] = error.message
            if error.kind in ("permission_denied", "token_unknown"):
                self.denied.add(what)
        return None


def read_cluster(client: Client, datacenter: str | None = None) -> ClusterFacts:
    """Look at a cluster through one agent.

    :raises TransportError: the agent can't be reached. :raises ApiError: it refuses every request (unknown token).
    """
    look = _Look(client, datacenter)
    leader = read_leader(client, datacenter)
    permitted = may_snapshot(client, datacenter)
    agent = look.at("agent", "/v1/agent/self", local=True) or {}
    config, stats = agent.get("Config") or {}, (agent.get("Stats") or {}).get("raft") or {}
    raft = look.at("servers", "/v1/operator/raft/configuration") if leader else None
    health = look.at("health", "/v1/operator/autopilot/health", accept=(UNHEALTHY,)) if leader else None
    if not leader:
        look.unknown.update(servers="the cluster has no leader", health="the cluster has no leader")
    own = datacenter in (None, config.get("Datacenter"))
    return ClusterFacts(
        version=config.get("Version") if own else None,
        datacenter=datacenter or config.get("Datacenter") or _datacenter(look),
        cluster_id=_cluster_id(look),
        leader=leader,
        servers=_servers(raft, health),
        healthy=health.get("Healthy") if health else None,
        failure_tolerance=health.get("FailureTolerance") if health else None,
        datacenters=tuple(look.at("datacenters", "/v1/catalog/datacenters", local=True) or ()),
        applied_index=int(stats["applied_index"]) if own and str(stats.get("applied_index", "")).isdigit() else None,
        permissions=Permissions(permitted, _permitted(look, "servers", raft), _permitted(look, "agent", agent)),
        unknown=look.unknown,
        agent_name=config.get("NodeName") or None,
        agent_id=config.get("NodeID") or None,
    )


def read_identity(client: Client, datacenter: str | None = None) -> ClusterIdentity:
    """Return just enough to recognise the cluster.

    Its servers are those of raft's configuration, which needs operator:read; or the one server that is asked, which
    needs agent:read; or none.
    """
    look = _Look(client, datacenter)
    config = (look.at("agent", "/v1/agent/self", local=True) or {}).get("Config") or {}
    own = datacenter in (None, config.get("Datacenter"))
    name = datacenter or config.get("Datacenter") or _datacenter(look)
    servers = _server_ids(look)
    if not servers and own and config.get("Server") and config.get("NodeID"):
        servers = (str(config["NodeID"]),)
    return ClusterIdentity(name, _cluster_id(look), config.get("Version") if own else None, servers)


def read_leader(client: Client, datacenter: str | None = None) -> str | None:
    """Return the leader's address, or None when there is none (Consul answers an empty string then)."""
    params = {"dc": datacenter} if datacenter else {}
    try:
        return client.ask("/v1/status/leader", params=params) or None
    except ApiError as error:
        if error.kind in ("no_leader", "no_quorum"):
            return None
        raise


def may_snapshot(client: Client, datacenter: str | None = None) -> bool | None:
    """Return whether the token may save and restore, asked without doing either; None where it can't be asked.

    Source: ``POST /v1/internal/acl/authorize``, seen to answer alike on 1.8.7 and 1.22.7; both verbs of /v1/snapshot
    need ``acl = "write"``.

    :raises ApiError: the token is not known (``kind`` token_unknown), or the agent refuses.
    """
    params = {"dc": datacenter} if datacenter else {}
    try:
        answer = client.ask(
            "/v1/internal/acl/authorize", params=params, payload=[{"Resource": "acl", "Access": "write"}]
        )
    except ApiError as error:
        if error.kind == "acl_disabled":
            return True
        if error.kind in (
            "not_found",
            "no_leader",
            "no_quorum",
            "endpoint_blocked",
            "write_restricted",
            "server_error",
        ):
            return None
        raise
    return bool(answer[0]["Allow"]) if isinstance(answer, list) and answer else None


def _permitted(look: _Look, what: str, answer: Any) -> bool | None:
    return True if answer else (False if what in look.denied else None)


def _datacenter(look: _Look) -> str | None:
    # Every agent may be asked this without a token; its own datacenter comes first (sorted by distance).
    known = look.at("datacenters", "/v1/catalog/datacenters", local=True) or []
    return known[0] if known else None


def _cluster_id(look: _Look) -> str | None:
    roots = look.at("cluster_id", "/v1/connect/ca/roots") or {}
    domain = roots.get("TrustDomain") or ""
    return domain.partition(".")[0] or None


def _server_ids(look: _Look) -> tuple[str, ...]:
    # Any server's answer will do, so that this works without a leader as well.
    raft = look.at("servers", "/v1/operator/raft/configuration", stale=True) or {}
    listed = raft.get("Servers") if isinstance(raft, dict) else None
    return tuple(sorted({str(one["ID"]) for one in listed or () if isinstance(one, dict) and one.get("ID")}))


def _servers(raft: Any, health: Any) -> tuple[ServerFacts, ...]:
    seen = {one["ID"]: one for one in (health or {}).get("Servers") or []}
    listed = (raft or {}).get("Servers") or [
        {
            "Node": one["Name"],
            "ID": one["ID"],
            "Address": one["Address"],
            "Voter": one["Voter"],
            "Leader": one["Leader"],
        }
        for one in seen.values()
    ]
    return tuple(
        ServerFacts(
            name=one["Node"],
            id=one["ID"],
            address=one["Address"],
            voter=bool(one["Voter"]),
            leader=bool(one["Leader"]),
            healthy=seen[one["ID"]]["Healthy"] if one["ID"] in seen else (False if health else None),
            version=seen[one["ID"]].get("Version") or None if one["ID"] in seen else None,
        )
        for one in sorted(listed, key=lambda one: str(one["Node"]))
    )
