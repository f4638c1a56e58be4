# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about a live cluster, each from a cheap request; what can't be learned is None, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._errors import ApiError
from .._model.identity import ClusterIdentity
from .client import Client
from .shapes import mapping_of, mappings_of, text_of

UNHEALTHY = 429
"""Autopilot's health is JSON with this status when the cluster is unhealthy; it is no rate limit here."""
_NOT_ANSWERED = ("not_found", "no_leader", "no_quorum", "endpoint_blocked", "write_restricted", "server_error")
"""Kinds of errors that say nothing of what a token may do."""


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
    agent_leads: bool | None = None

    @property
    def identity(self) -> ClusterIdentity:
        """Datacenter, cluster id, version and servers, as manifests keep them."""
        servers = tuple(sorted({server.id for server in self.servers if server.id}))
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


class _Questions:
    """Asks one agent, and notes what could not be learned instead of failing."""

    def __init__(self, client: Client, datacenter: str | None) -> None:
        self._client = client
        self._params = {"dc": datacenter} if datacenter else {}
        self.unknown: dict[str, str] = {}
        self.denied: set[str] = set()

    def ask(
        self, what: str, path: str, *, accept: tuple[int, ...] = (), local: bool = False, stale: bool = False
    ) -> Any:
        """Return the answer; None where it is an error, which is noted under ``what``.

        :param local: the question is about the agent itself, and knows no datacenter.
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

    def is_permitted(self, what: str, answer: Any) -> bool | None:
        """Whether the token may ask this, by its answer; None where that can't be told."""
        return True if answer else (False if what in self.denied else None)


def read_cluster(client: Client, datacenter: str | None = None) -> ClusterFacts:
    """Look at a cluster through one agent.

    :raises TransportError: the agent can't be reached. :raises ApiError: it refuses every request (unknown token).
    """
    questions = _Questions(client, datacenter)
    leader = read_leader(client, datacenter)
    permitted = may_snapshot(client, datacenter)
    agent = mapping_of(questions.ask("agent", "/v1/agent/self", local=True))
    raft = questions.ask("servers", "/v1/operator/raft/configuration") if leader else None
    health = questions.ask("health", "/v1/operator/autopilot/health", accept=(UNHEALTHY,)) if leader else None
    if not leader:
        questions.unknown.update(servers="the cluster has no leader", health="the cluster has no leader")
    config, autopilot = mapping_of(agent.get("Config")), mapping_of(health)
    agents_own = text_of(config.get("Datacenter"))
    own = datacenter in (None, agents_own)
    return ClusterFacts(
        version=(text_of(config.get("Version")) or None) if own else None,
        datacenter=datacenter or agents_own or _nearest_datacenter(questions),
        cluster_id=_cluster_id(questions),
        leader=leader,
        servers=servers_from(raft, health),
        healthy=autopilot.get("Healthy"),
        failure_tolerance=autopilot.get("FailureTolerance"),
        datacenters=_datacenters(questions),
        applied_index=applied_index_of(agent) if own else None,
        permissions=Permissions(
            permitted, questions.is_permitted("servers", raft), questions.is_permitted("agent", agent)
        ),
        unknown=questions.unknown,
        agent_name=text_of(config.get("NodeName")) or None,
        agent_id=text_of(config.get("NodeID")) or None,
        agent_leads=leads(agent),
    )


def read_identity(client: Client, datacenter: str | None = None) -> ClusterIdentity:
    """Return just enough to recognise the cluster.

    Its servers are those of raft's configuration, which requires operator:read; or the one server that is asked, which
    requires agent:read; or none.
    """
    questions = _Questions(client, datacenter)
    config = mapping_of(mapping_of(questions.ask("agent", "/v1/agent/self", local=True)).get("Config"))
    agents_own, node, version = (text_of(config.get(name)) for name in ("Datacenter", "NodeID", "Version"))
    own = datacenter in (None, agents_own)
    name = datacenter or agents_own or _nearest_datacenter(questions)
    # Any server's answer will do, so that this works without a leader as well.
    servers = server_ids_in(questions.ask("servers", "/v1/operator/raft/configuration", stale=True))
    if not servers and own and config.get("Server") and node:
        servers = (node,)
    return ClusterIdentity(name, _cluster_id(questions), (version or None) if own else None, servers)


def read_leader(client: Client, datacenter: str | None = None) -> str | None:
    """Return the leader's address, or None when there is none (Consul answers an empty string then)."""
    params = {"dc": datacenter} if datacenter else {}
    try:
        return text_of(client.ask("/v1/status/leader", params=params)) or None
    except ApiError as error:
        if error.kind in ("no_leader", "no_quorum"):
            return None
        raise


def may_snapshot(client: Client, datacenter: str | None = None) -> bool | None:
    """Return whether the token may save and restore, without doing either; None where that can't be asked.

    Source: ``POST /v1/internal/acl/authorize``, with the same answers on 1.8.7 and 1.22.7; both verbs of /v1/snapshot
    require ``acl = "write"``.

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
        if error.kind in _NOT_ANSWERED:
            return None
        raise
    return next((bool(decision.get("Allow")) for decision in mappings_of(answer)), None)


def _datacenters(questions: _Questions) -> tuple[str, ...]:
    known = questions.ask("datacenters", "/v1/catalog/datacenters", local=True)
    return tuple(map(str, known)) if isinstance(known, list) else ()


def _nearest_datacenter(questions: _Questions) -> str | None:
    # Every agent answers this without a token; its own datacenter comes first (sorted by distance).
    return next(iter(_datacenters(questions)), None)


def _cluster_id(questions: _Questions) -> str | None:
    roots = mapping_of(questions.ask("cluster_id", "/v1/connect/ca/roots"))
    return text_of(roots.get("TrustDomain")).partition(".")[0] or None


def server_ids_in(raft: Any) -> tuple[str, ...]:
    """Return the ids of the servers in raft's configuration, sorted (pure)."""
    return tuple(sorted(filter(None, {text_of(server.get("ID")) for server in _listed_in(raft)})))


def server_names_in(raft: Any) -> list[str]:
    """Return the names of the servers in raft's configuration (pure)."""
    return [name for name in (text_of(server.get("Node")) for server in _listed_in(raft)) if name]


def applied_index_of(agent: Mapping[str, Any]) -> int | None:
    """Return the raft index that an agent has applied, by ``/v1/agent/self``; None when it is not a server (pure)."""
    index = str(mapping_of(mapping_of(agent.get("Stats")).get("raft")).get("applied_index", ""))
    return int(index) if index.isdecimal() else None


def leads(agent: Mapping[str, Any]) -> bool | None:
    """Return whether an agent is the leader of its datacenter, by ``/v1/agent/self`` (pure).

    :return: None where that is not known: the answer could not be read. A client agent never leads.
    """
    told = text_of(mapping_of(mapping_of(agent.get("Stats")).get("consul")).get("leader"))
    if told in ("true", "false"):
        return told == "true"
    return False if mapping_of(agent.get("Config")).get("Server") is False else None


def servers_from(raft: Any, health: Any) -> tuple[ServerFacts, ...]:
    """Return the servers by raft's configuration and autopilot's health, sorted by name (pure).

    :param raft: None where it could not be read; autopilot's servers stand for it.
    :param health: None where it could not be read; otherwise a server that is not in it is not healthy.
    """
    judged = {text_of(server.get("ID")): server for server in _listed_in(health)}
    listed = _listed_in(raft) or [{**server, "Node": server.get("Name")} for server in judged.values()]
    servers = [
        ServerFacts(
            name=text_of(server.get("Node")),
            id=text_of(server.get("ID")),
            address=text_of(server.get("Address")),
            voter=bool(server.get("Voter")),
            leader=bool(server.get("Leader")),
            healthy=bool(judged.get(text_of(server.get("ID")), {}).get("Healthy")) if health else None,
            version=text_of(judged.get(text_of(server.get("ID")), {}).get("Version")) or None,
        )
        for server in listed
    ]
    return tuple(sorted(servers, key=lambda server: server.name))


def _listed_in(answer: Any) -> list[dict[str, Any]]:
    return mappings_of(mapping_of(answer).get("Servers"))
