# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at both sides before anything is sent: the archive, verified, and the cluster as it stands."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

from ..._compare.equivalence import Comparison, Reference
from ..._consul.agents import read_live
from ..._consul.client import Client
from ..._consul.cluster import ClusterFacts, may_snapshot, read_cluster
from ..._consul.readiness import wait_until_ready
from ..._consul.retry import with_retries
from ..._errors import ApiError, ArchiveError, ClusterError, SnapshotError, TransportError
from ..._model.identity import ClusterIdentity
from ..._model.record_types import RecordType, id_of, kind_of
from ..._snapshot.checks.peerings import Peering
from ..._snapshot.reader import Archive
from ..._snapshot.records.fingerprint import Fingerprint
from ..._snapshot.restore_facts import Head, RestoreFactsVisitor, read_head
from ..._storage.archive_file import ArchiveFile, read_archive_file
from ..._storage.archive_source import ArchiveSource
from ..._storage.manifest import Manifest
from ..._storage.trust import fault_of
from ..._system.scratch_file import ScratchFile
from ..capture import Capture, Sink, capture, named_after
from ..journal import Journal
from ..proof import Prover
from .guard_facts import ArchiveFacts, SigningFacts
from .sides import RestoreRequest, Source, Target, Verified

_SETTLING = 15
"""Seconds granted to a cluster that has just started: autopilot reports every server as unhealthy in its first ten."""


@dataclass(frozen=True)
class _Known:
    """What a manifest or the records themselves say of an archive. ``counts``: records by type."""

    index: int
    fingerprint: Fingerprint
    origin: ClusterIdentity
    counts: Mapping[str, int]
    types: frozenset[int]
    config_kinds: frozenset[str]
    findings: Mapping[str, int]
    peerings: tuple[Peering, ...]


def verify(source: ArchiveSource, secrets: Mapping[str, str], copy: ScratchFile | None = None) -> Verified:
    """Verify an archive, by its manifest where that may be trusted and tells all, record by record otherwise: one pass.

    :param secrets: the provided tokens, by label, which are looked for in it.
    :param copy: gets its plain bytes.
    :raises FileError: it can't be read. :raises StoreError: the same, in a bucket. :raises SealedError: nor opened.
    """
    try:
        return Verified(_read_source(source, secrets, copy))
    except ArchiveError as error:
        return Verified(None, error)


def _read_source(source: ArchiveSource, secrets: Mapping[str, str], copy: ScratchFile | None) -> Source:
    now = time.time()
    visitor = RestoreFactsVisitor(secrets, now)
    file = read_archive_file(
        source, is_enough=lambda manifest: _by_manifest(manifest) is not None, visitor=visitor, copy=copy
    )
    known = _by_manifest(file.manifest) if file.archive is None else _by_records(file.archive)
    if known is None:
        raise ValueError("neither the manifest nor the records were read")
    if file.archive is None:
        head = read_head(file.plain(), counts=known.counts, secrets=secrets, now=now)
    else:
        head = _head_of(file.archive)
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
        signing=_signing(file),
    )
    name = file.manifest.cluster.name if file.manifest else None
    return Source(file.digest, file.seen, known.index, known.fingerprint, facts, head.agents, name, file)


def _signing(file: ArchiveFile) -> SigningFacts:
    if file.source.sealing.allowed_signers is None:
        return SigningFacts()
    fault = fault_of(file.match, file.signature)
    return SigningFacts(True, None if fault else file.signature.signer, fault or "")


def _by_manifest(manifest: Manifest | None) -> _Known | None:
    """Return what a manifest tells; None where it does not tell all."""
    if manifest is None:
        return None
    types = frozenset(id_of(name) for name in manifest.records)
    if manifest.fingerprint is None or manifest.config_kinds is None or None in types:
        return None
    if manifest.findings is None or manifest.peerings is None:
        return None
    return _Known(
        index=manifest.index,
        fingerprint=manifest.fingerprint,
        origin=manifest.cluster,
        counts={name: stats["count"] for name, stats in manifest.records.items()},
        types=frozenset(type_id for type_id in types if type_id is not None),
        config_kinds=frozenset(manifest.config_kinds),
        findings=manifest.findings,
        peerings=manifest.peerings,
    )


def _by_records(archive: Archive) -> _Known:
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


def _head_of(archive: Archive) -> Head:
    head: Head = archive.state.visited
    return head._replace(servers=frozenset(server.id for server in archive.meta.servers))


def tokens_of(clients: Mapping[str, Client]) -> dict[str, str]:
    """Return the provided tokens themselves, by label."""
    return {label: client.connection.token for label, client in clients.items() if client.connection.token}


def equivalence(
    client: Client, request: RestoreRequest, reference: Reference | None, target: Target
) -> Comparison | None:
    """Look closer at a cluster whose fingerprint is another one, although it may hold the archive's content.

    Return the comparison that shows that it does; None where nothing shows that.
    """
    own = target.fingerprint
    if reference is None or own is None or own == reference.fingerprint or not reference.may_equal(own):
        return None
    with contextlib.suppress(SnapshotError):
        comparison = Prover(reference, request.datacenter).compare(client)
        return comparison if comparison.equal else None
    return None


def asker_of(clients: Mapping[str, Client], datacenter: str | None) -> Client:
    """Return the first client whose token may read and restore the cluster's state; the first one where none may.

    The second run of a restore meets a cluster that knows the archive's tokens alone.

    :raises TransportError: the agent can't be reached.
    """
    candidates = list(clients.values())
    for client in candidates if len(candidates) > 1 else ():
        try:
            if may_snapshot(client, datacenter) is not False:
                return client
        except ApiError as error:
            if error.kind not in ("token_unknown", "permission_denied"):
                return client
    return candidates[0]


def look(
    client: Client, clients: Mapping[str, Client], archive: Sink | None, request: RestoreRequest, journal: Journal
) -> Target:
    """Look at a cluster, its own state included, which is written to ``archive`` where there is one.

    :param client: asks; see ``asker_of``.
    :param clients: clients of the same agent, by the label of their token.
    :raises TransportError: the agent can't be reached.
    """
    datacenter, unknown = request.datacenter, {}
    try:
        permitted = may_snapshot(client, datacenter)
    except ApiError as error:
        permitted, unknown["token"] = False, error.as_text()
    if permitted is False:
        unknown["content"] = unknown.get("token", "the token may not read it")
    cluster, live = None, None
    if "token" not in unknown:
        settling = 0 if "unhealthy_target" in request.accept_risks else min(_SETTLING, request.wait_timeout)
        cluster = _settled(client, datacenter, settling)
        live = read_live(client, clients, datacenter)
        unknown = {**cluster.unknown, **unknown}
        if not cluster.leader:
            unknown["content"] = "the cluster has no leader"
    content = None
    if "content" not in unknown:
        try:
            content = _captured(client, archive, cluster.identity if cluster else None, datacenter, journal)
        except (ApiError, ArchiveError, TransportError) as error:
            unknown["content"] = error.as_text()
    return Target(cluster, live, content, tuple(tokens_of(clients)), unknown)


def _captured(
    client: Client, archive: Sink | None, cluster: ClusterIdentity | None, datacenter: str | None, journal: Journal
) -> Capture:
    # What a follower passes on from the leader is cut short now and then (seen on 1.22.7: 7 of 150).
    return with_retries(
        lambda: capture(client, archive, name_of=named_after(cluster) if cluster else None, datacenter=datacenter),
        retries=client.connection.retries,
        delay=client.connection.retry_delay,
        report=journal.again,
    )


def _settled(client: Client, datacenter: str | None, seconds: float) -> ClusterFacts:
    """Return the cluster's facts, after some seconds where it is not healthy yet."""
    facts = read_cluster(client, datacenter)
    if facts.healthy is False and seconds:
        with contextlib.suppress(ClusterError):
            wait_until_ready(client, datacenter=datacenter, seconds=seconds)
        facts = read_cluster(client, datacenter)
    return facts
