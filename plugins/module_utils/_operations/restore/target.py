# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sides of a restore before anything is sent: the archive, verified, and the cluster as it stands."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..._consul.agents import Live, read_live
from ..._consul.client import Client
from ..._consul.cluster import ClusterFacts, may_snapshot, read_cluster
from ..._consul.readiness import wait_until_ready
from ..._consul.retry import with_retries
from ..._errors import ApiError, ArchiveError, ClusterError, SnapshotError, TransportError
from ..._model.identity import ClusterIdentity
from ..._model.record_types import RecordType, id_of, kind_of
from ..._snapshot.checks.peerings import Peering
from ..._snapshot.reader import read_archive
from ..._snapshot.records.fingerprint import Fingerprint
from ..._snapshot.restore_facts import Agent, read_head
from ..._storage.manifest import Manifest
from ..._storage.manifest_file import MATCHES, manifest_beside
from ..._system.atomic_files import AtomicFile, Digest, Stamp, digest_of, read_pieces, stamp_of
from ..capture import Capture, capture
from .guards import ArchiveFacts, TargetFacts


@dataclass(frozen=True)
class Source:
    """The archive to restore, verified; ``agents`` are the nodes in it that belong to agents."""

    digest: Digest
    stamp: Stamp
    index: int
    fingerprint: Fingerprint
    facts: ArchiveFacts
    agents: Mapping[str, Agent]
    name: str | None = None
    """Name of the cluster that it was saved for, where its manifest has one."""


@dataclass(frozen=True)
class Target:
    """The cluster before anything was done to it; ``taken`` is its own state, None when it could not be read."""

    cluster: ClusterFacts | None
    live: Live | None
    taken: Capture | None
    given: tuple[str, ...]
    unknown: Mapping[str, str]

    @property
    def fingerprint(self) -> Fingerprint | None:
        """The fingerprint of what the cluster holds; None when it could not be read."""
        return self.taken.archive.state.fingerprint if self.taken else None

    @property
    def fresh(self) -> bool:
        """Whether the cluster is known to hold nothing that a user stored."""
        return self.taken is not None and not self.taken.archive.state.user_records

    @property
    def down(self) -> frozenset[str]:
        """The servers that autopilot reported as unhealthy, by name."""
        servers = self.cluster.servers if self.cluster else ()
        return frozenset(one.name for one in servers if one.healthy is False)

    @property
    def present(self) -> dict[str, str] | None:
        """Names and ids of the living members; None where they may not be seen."""
        return self.live.present if self.live else None

    @property
    def own_ids(self) -> frozenset[str]:
        """Node ids of the cluster's servers and of all members of its pool, alive or not."""
        servers = self.cluster.servers if self.cluster else ()
        members = (self.live.members if self.live else None) or ()
        return frozenset({one.id for one in servers} | {one.id for one in members})

    @property
    def facts(self) -> TargetFacts:
        """What the guards look at."""
        cluster, live = self.cluster, self.live
        return TargetFacts(
            permitted=False if "token" in self.unknown else cluster.permissions.snapshot if cluster else None,
            leader=cluster.leader if cluster else None,
            healthy=cluster.healthy if cluster else None,
            servers=tuple(one.name for one in cluster.servers) if cluster else (),
            unhealthy_servers=tuple(sorted(self.down)),
            user_records=self.taken.archive.state.user_records if self.taken else None,
            datacenter=cluster.datacenter if cluster else None,
            versions=_versions(cluster) if cluster else (),
            enterprise=live.enterprise if live else False,
            living={**_servers(cluster), **(self.present or {})},
            acl=live.acl if live else None,
            given=self.given,
            kept=live.kept if live else {},
            unknown=self.unknown,
            server_ids=frozenset(one.id for one in cluster.servers) if cluster else frozenset(),
            peerings=frozenset(one.id for one in self.taken.archive.state.peerings) if self.taken else frozenset(),
        )


@dataclass(frozen=True)
class _Known:
    """What a manifest or the records themselves say of an archive."""

    index: int
    fingerprint: Fingerprint
    origin: ClusterIdentity
    counts: dict[str, int]
    types: frozenset[int]
    config_kinds: frozenset[str]
    findings: Mapping[str, int]
    peerings: tuple[Peering, ...]


def read_source(src: str, secrets: Mapping[str, str]) -> Source:
    """Verify an archive, by its manifest where one fits and record by record where none does.

    :param secrets: the given tokens, by label, which are looked for in it.
    :raises ArchiveError: it does not verify. :raises FileError: it can't be read.
    """
    stamp = stamp_of(src)
    digest = digest_of(src)
    beside = manifest_beside(src, digest)
    known = (_told(beside.manifest) if beside.status == MATCHES and beside.manifest else None) or _read(src)
    head = read_head(read_pieces(src), counts=known.counts, secrets=secrets, now=time.time())
    facts = ArchiveFacts(
        origin=known.origin,
        types=known.types,
        config_kinds=known.config_kinds,
        agents={name: agent.id for name, agent in head.agents.items() if agent.alive},
        holds_tokens=bool(known.counts.get(kind_of(RecordType.ACL_TOKEN).name)),
        tokens=head.tokens,
        expired=head.expired,
        findings=known.findings,
        peerings=known.peerings,
        servers=head.servers,
    )
    name = beside.manifest.cluster.name if beside.manifest else None
    return Source(digest, stamp, known.index, known.fingerprint, facts, head.agents, name)


def secrets_of(tokens: Mapping[str, Client]) -> dict[str, str]:
    """Return the given tokens themselves, by label."""
    return {label: one.connection.token for label, one in tokens.items() if one.connection.token}


def _told(manifest: Manifest) -> _Known | None:
    types = frozenset(id_of(name) for name in manifest.records)
    if manifest.fingerprint is None or manifest.config_kinds is None or None in types:
        return None
    if manifest.findings is None or manifest.peerings is None:
        return None
    counts = {name: stats["count"] for name, stats in manifest.records.items()}
    return _Known(
        index=manifest.index,
        fingerprint=manifest.fingerprint,
        origin=manifest.cluster,
        counts=counts,
        types=frozenset(one for one in types if one is not None),
        config_kinds=frozenset(manifest.config_kinds),
        findings=manifest.findings,
        peerings=manifest.peerings,
    )


def _read(src: str) -> _Known:
    archive = read_archive(read_pieces(src))
    state = archive.state
    return _Known(
        index=archive.meta.index,
        fingerprint=state.fingerprint,
        origin=state.origin,
        counts={name: stats.count for name, stats in state.records.items()},
        types=state.type_ids,
        config_kinds=state.config_kinds,
        findings={finding.name: finding.count for finding in state.findings},
        peerings=state.peerings,
    )


def _versions(cluster: ClusterFacts) -> tuple[str, ...]:
    return cluster.versions or tuple(filter(None, [cluster.version]))


def _servers(cluster: ClusterFacts | None) -> dict[str, str]:
    return {one.name: one.id for one in cluster.servers if one.healthy is not False} if cluster else {}


def asker_of(tokens: Mapping[str, Client], datacenter: str | None) -> Client:
    """Return the first client whose token may read and restore the cluster's state; the first one where none may.

    The second run of a restore meets a cluster that knows the archive's tokens alone.

    :raises TransportError: the agent can't be reached.
    """
    clients = list(tokens.values())
    for client in clients if len(clients) > 1 else ():
        try:
            if may_snapshot(client, datacenter) is not False:
                return client
        except ApiError as error:
            if error.kind not in ("token_unknown", "permission_denied"):
                return client
    return clients[0]


def read_target(
    client: Client,
    tokens: Mapping[str, Client],
    partial: AtomicFile | None,
    *,
    datacenter: str | None,
    settling: float,
    report: Callable[[SnapshotError], None],
) -> Target:
    """Look at a cluster, its own state included, which is written to ``partial`` where there is one.

    :param client: asks; see ``asker_of``.
    :param tokens: clients of the same agent, by the label of their token.
    :param settling: seconds to wait for a cluster that autopilot reports as unhealthy.
    :param report: gets the error of each try to read the state that is followed by another.
    :raises TransportError: the agent can't be reached.
    """
    given = tuple(secrets_of(tokens))
    unknown: dict[str, str] = {}
    try:
        permitted = may_snapshot(client, datacenter)
    except ApiError as error:
        permitted, unknown["token"] = False, error.as_text()
    if permitted is False:
        unknown["content"] = unknown.get("token", "the token may not read it")
    cluster, live = None, None
    if "token" not in unknown:
        cluster = _settled(client, datacenter, settling)
        live = read_live(client, tokens, datacenter)
        unknown = {**cluster.unknown, **unknown}
        if not cluster.leader:
            unknown["content"] = "the cluster has no leader"
    taken = None
    if "content" not in unknown:
        try:
            # What a follower passes on from the leader is cut short now and then (seen on 1.22.7: 7 of 150).
            taken = with_retries(
                lambda: capture(client, partial, datacenter=datacenter),
                retries=client.connection.retries,
                delay=client.connection.retry_delay,
                report=report,
            )
        except (ApiError, ArchiveError, TransportError) as error:
            unknown["content"] = error.as_text()
    return Target(cluster, live, taken, given, unknown)


def _settled(client: Client, datacenter: str | None, settling: float) -> ClusterFacts:
    facts = read_cluster(client, datacenter)
    if facts.healthy is False and settling:
        with contextlib.suppress(ClusterError):
            wait_until_ready(client, datacenter=datacenter, seconds=settling)
        facts = read_cluster(client, datacenter)
    return facts
