# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a cluster: verify, look at the target, guards, safety archive, send, wait, prove."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.disaster_recovery.consul.plugins.module_utils._archive import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._client import Client
from ansible_collections.disaster_recovery.consul.plugins.module_utils._cluster import (
    ClusterFacts,
    may_snapshot,
    read_cluster,
    wait_until_ready,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare import prove
from ansible_collections.disaster_recovery.consul.plugins.module_utils._decide import Decision, should_restore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    ArchiveError,
    ClusterError,
    GuardError,
    RestoreError,
    SnapshotError,
    TransportError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._files import (
    Digest,
    Partial,
    digest_of,
    open_archive,
    read_pieces,
    remove_leftovers,
    require_directory,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._fingerprint import Fingerprint
from ansible_collections.disaster_recovery.consul.plugins.module_utils._guards import (
    Finding,
    RestoreFacts,
    evaluate,
    refusals,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._manifest import Consistency
from ansible_collections.disaster_recovery.consul.plugins.module_utils._save import manifest_for
from ansible_collections.disaster_recovery.consul.plugins.module_utils._store import (
    FITS,
    archive_name,
    manifest_beside,
    put,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._take import Taken, take

_SETTLING = 15
"""Seconds granted to a cluster that has just started: autopilot reports every server as unhealthy in its first ten."""
_PROOF_TRIES = 5


class RestoreRequest(NamedTuple):
    """What is to be restored, and what is accepted. ``wait_timeout`` in seconds."""

    src: str
    datacenter: str | None
    backup_dir: str | None
    accept_risks: tuple[str, ...]
    wait_timeout: float


class Source(NamedTuple):
    """The archive to restore, verified."""

    digest: Digest
    index: int
    fingerprint: Fingerprint
    records: dict[str, int]


class Target(NamedTuple):
    """The cluster before anything was done to it; ``taken`` is its own state, None when it could not be read."""

    facts: ClusterFacts | None
    taken: Taken | None
    unknown: dict[str, str]


class Progress:
    """How far a restore has come: what a result shows, whether it ends well or not."""

    def __init__(self) -> None:
        self.guards: list[Finding] = []
        self.backup_file: str | None = None
        self.proof: dict[str, Any] | None = None
        self.decision: Decision | None = None
        self.source: Source | None = None
        self.target: Target | None = None
        self.duration: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one phase, in seconds."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.duration[name] = round(time.monotonic() - begun, 3)
            self.duration["total"] = round(sum(v for k, v in self.duration.items() if k != "total"), 3)


def restore(client: Client, after: Client, request: RestoreRequest, progress: Progress, *, check: bool) -> bool:
    """Bring a cluster to the content of an archive; return whether that took, or would take, a restore.

    :param after: asks the same agent with the token that holds after the restore.
    :param progress: is filled in as it goes, so that a failure can be reported with what came before it.
    :param check: stop before the first byte is sent and write nothing.
    :raises GuardError: a guard refused. :raises RestoreError: it was sent and did not end well; ``state`` says how.
    """
    fault: SnapshotError | None = None
    with progress.phase("verify"):
        try:
            progress.source = read_source(request.src)
        except ArchiveError as error:
            fault = error
    with contextlib.ExitStack() as stack:
        partial = None
        if request.backup_dir:
            require_directory(request.backup_dir)
            if not check:
                remove_leftovers(request.backup_dir)
                partial = stack.enter_context(Partial(request.backup_dir))
        with progress.phase("target"):
            progress.target = target = _read_target(client, request, partial)
        source = progress.source
        fresh = target.taken is not None and not target.taken.archive.state.user_records
        own = target.taken.archive.state.fingerprint if target.taken else None
        if source is not None:
            progress.decision = should_restore(source.fingerprint, own, fresh=fresh)
        unchanged = progress.decision is not None and not progress.decision.go
        progress.guards = evaluate(_facts(target, request, fault, unchanged), request.accept_risks)
        if source is not None and own is not None and unchanged:
            progress.proof = prove(source.fingerprint, own)
            return False
        _refuse(progress, fault)
        assert source is not None and target.taken is not None  # the guards refuse otherwise
        if check:
            return True
        if partial is not None and not fresh:
            with progress.phase("backup"):
                progress.backup_file = _keep(partial, request, target, target.taken)
    _send(client, after, request, progress, source, target.taken)
    with progress.phase("wait"):
        _wait(after, request, progress)
    with progress.phase("proof"):
        _prove(after, request, progress, source)
    return True


def read_source(src: str) -> Source:
    """Verify an archive, by its manifest where one fits and record by record where none does.

    :raises ArchiveError: it does not verify. :raises FileError: it can't be read.
    """
    digest = digest_of(src)
    beside = manifest_beside(src, digest)
    if beside.status == FITS and beside.manifest and beside.manifest.fingerprint:
        known = beside.manifest
        counts = {name: stats["count"] for name, stats in known.records.items()}
        return Source(digest, known.index, beside.manifest.fingerprint, counts)
    archive = read_archive(read_pieces(src))
    counts = {name: stats.count for name, stats in archive.state.records.items()}
    return Source(digest, archive.meta.index, archive.state.fingerprint, counts)


def _read_target(client: Client, request: RestoreRequest, partial: Partial | None) -> Target:
    unknown: dict[str, str] = {}
    try:
        permitted = may_snapshot(client, request.datacenter)
    except ApiError as error:
        permitted, unknown["token"] = False, error.as_text()
    if permitted is False:
        unknown["content"] = unknown.get("token", "the token may not read it")
    facts = _settled(client, request) if "token" not in unknown else None
    if facts is not None:
        unknown = {**facts.unknown, **unknown}
        if not facts.leader:
            unknown["content"] = "the cluster has no leader"
    if "content" in unknown:
        return Target(facts, None, unknown)
    try:
        return Target(facts, take(client, partial, datacenter=request.datacenter), unknown)
    except (ApiError, ArchiveError, TransportError) as error:
        return Target(facts, None, {**unknown, "content": error.as_text()})


def _settled(client: Client, request: RestoreRequest) -> ClusterFacts:
    facts = read_cluster(client, request.datacenter)
    if facts.healthy is False and "unhealthy_target" not in request.accept_risks:
        with contextlib.suppress(ClusterError):
            seconds = min(_SETTLING, request.wait_timeout)
            wait_until_ready(client, datacenter=request.datacenter, seconds=seconds)
        facts = read_cluster(client, request.datacenter)
    return facts


def _facts(target: Target, request: RestoreRequest, fault: SnapshotError | None, unchanged: bool) -> RestoreFacts:
    facts = target.facts
    return RestoreFacts(
        archive_fault=fault.as_text() if fault else None,
        permitted=False if "token" in target.unknown else facts.permissions.snapshot if facts else None,
        leader=facts.leader if facts else None,
        healthy=facts.healthy if facts else None,
        unhealthy_servers=tuple(one.name for one in facts.servers if one.healthy is False) if facts else (),
        user_records=target.taken.archive.state.user_records if target.taken else None,
        unchanged=unchanged,
        backup_dir=request.backup_dir,
        unknown=target.unknown,
    )


def _refuse(progress: Progress, fault: SnapshotError | None) -> None:
    refused = refusals(progress.guards)
    if not refused:
        return
    lines = "; ".join(f"{finding.name}: {finding.detail}" for finding in refused)
    facts = {"fault": getattr(fault, "fault", None)} if fault else {}
    raise GuardError(
        f"the restore is refused and nothing was sent. {lines}",
        hint="",
        state="nothing_sent",
        refused=[finding.name for finding in refused],
        **facts,
    )


def _keep(partial: Partial, request: RestoreRequest, target: Target, taken: Taken) -> str:
    live = target.facts.identity if target.facts else taken.archive.state.origin
    cluster = taken.archive.state.origin.completed(live)
    meta = taken.archive.meta
    name = archive_name(cluster, meta.taken_at or time.time(), meta.index)
    path = os.path.join(request.backup_dir or ".", name)
    consistency = Consistency(False, taken.headers.last_contact_ms, taken.headers.known_leader)
    manifest = manifest_for(taken.archive, taken.digest, file=name, cluster=cluster, consistency=consistency)
    put(partial, path, manifest)
    return path


def _send(
    client: Client, after: Client, request: RestoreRequest, progress: Progress, source: Source, before: Taken
) -> None:
    with progress.phase("restore"), open_archive(request.src) as archive:
        try:
            client.restore(archive, source.digest.size, datacenter=request.datacenter)
            return
        except SnapshotError as error:
            failed = error
    refused_first = isinstance(failed, ApiError) and failed.kind in _REFUSED_BEFORE
    state = "rejected" if refused_first else _look_what_stands(client, after, request, source, before)
    if isinstance(failed, TransportError) and not failed.answered:
        message = "the connection ended without an answer; the server may be dead"
        hint = (
            "It was not sent again. See whether the server runs ('consul members', its log). A server that dies again at "
            "each start can't load what was stored: stop it, remove the newest directory below <data_dir>/raft/snapshots, "
            "start it; its old state is back."
        )
    else:
        message, hint = f"Consul did not restore: {failed.message}", failed.hint
    raise RestoreError(
        f"{message}. {_STATES[state]}{_kept(progress)}", state=state, hint=hint, cause=failed.as_failure()
    )


_REFUSED_BEFORE = (
    "permission_denied", "token_unknown", "endpoint_blocked", "write_restricted", "too_large", "rate_limited",
    "bad_archive", "no_leader", "no_quorum", "unknown_datacenter", "datacenter_down", "not_found", "wrong_scheme", "option",
)  # fmt: skip
_STATES = {
    "nothing_sent": "Nothing was sent",
    "rejected": "The cluster's old state stands",
    "replaced": "The archive's state is in place all the same",
    "unknown": "What the cluster holds now is not known: look before doing anything else",
}


def _kept(progress: Progress) -> str:
    return f". What it held before is in {progress.backup_file}" if progress.backup_file else ""


def _look_what_stands(client: Client, after: Client, request: RestoreRequest, source: Source, before: Taken) -> str:
    """Find out what the cluster holds after a failure that does not tell (500 can come before and after the change)."""
    for asker in (client, after):
        try:
            content = take(asker, None, datacenter=request.datacenter).archive.state.fingerprint
        except SnapshotError:
            continue
        if content == source.fingerprint:
            return "replaced"
        if content == before.archive.state.fingerprint:
            return "rejected"
    return "unknown"


def _wait(after: Client, request: RestoreRequest, progress: Progress) -> None:
    try:
        wait_until_ready(after, datacenter=request.datacenter, seconds=request.wait_timeout)
    except ClusterError as error:
        raise RestoreError(
            f"the archive was restored, but the cluster is not ready {error.message}{_kept(progress)}",
            state="replaced",
            hint="If the token is unknown: the archive's tokens are in force now; give one of them as post_restore_token. "
            + error.hint,
        ) from None


def _prove(after: Client, request: RestoreRequest, progress: Progress, source: Source) -> None:
    for left in range(_PROOF_TRIES, 0, -1):
        try:
            content = take(after, None, datacenter=request.datacenter).archive.state.fingerprint
            progress.proof = prove(source.fingerprint, content)
            if progress.proof["equal"]:
                return
        except SnapshotError as error:
            if left == 1 or not error.retryable:
                raise RestoreError(
                    f"the archive was restored, but that can't be proven: {error.message}{_kept(progress)}",
                    state="replaced",
                    hint=error.hint,
                ) from None
        time.sleep(1)
    differs = ", ".join(progress.proof["differs"]) if progress.proof else "all"
    raise RestoreError(
        f"the archive was restored, but the cluster's content is not the archive's: {differs}{_kept(progress)}",
        state="replaced",
        hint="Somebody may be writing to the cluster already. Run the restore again to see whether it still differs.",
    )
