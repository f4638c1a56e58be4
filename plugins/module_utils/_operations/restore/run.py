# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a cluster: verify, look at the target, guards, safety archive, send, wait, prove."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ..._consul.client import Client
from ..._consul.readiness import Expected
from ..._errors import ArchiveError, GuardError, SnapshotError, printable
from ..._model.compatibility import is_across
from ..._storage.manifest import Consistency
from ..._storage.store import cluster_of, manifest_for, put_new
from ..._system.atomic_files import (
    AtomicFile,
    existing_part,
    make_directory,
    open_unchanged,
    remove_leftovers,
    require_directory,
)
from ..capture import Capture
from ..decisions import EQUIVALENT, should_restore
from ..proof import Prover
from .guard_facts import is_origin
from .guards import EXACT, RestoreFacts, evaluate, name_conflicts, refusals, surviving_token
from .next_steps import agents_awaited, next_steps, servers_gone
from .outcome import AFTERWARDS, NOTHING_SENT, REPLACED, UNKNOWN, failed_restore, proof, wait
from .result import Progress
from .target import Source, Target, asker_of, read_source, read_target, secrets_of

TOKEN, LATER_TOKEN = "token", AFTERWARDS
_NOTHING_SINCE: dict[str, Any] = {"written_since": {}}
_SETTLING = 15
"""Seconds granted to a cluster that has just started: autopilot reports every server as unhealthy in its first ten."""


class RestoreRequest(NamedTuple):
    """What is to be restored, and what is accepted. ``wait_timeout`` in seconds. ``cluster``: the target's name."""

    src: str
    datacenter: str | None
    backup_dir: str | None
    accept_risks: tuple[str, ...]
    wait_timeout: float
    version_check: str = EXACT
    cluster: str | None = None


class Plan(NamedTuple):
    """What to send, what it replaces, and what proves it: all is there when no guard refuses."""

    source: Source
    before: Capture
    prover: Prover

    @property
    def beyond(self) -> int:
        """An index that the restore is applied after, whatever is written until then."""
        return max(self.source.index, self.before.archive.meta.index)


def restore(client: Client, after: Client, request: RestoreRequest, progress: Progress, *, check: bool) -> bool:
    """Bring a cluster to the content of an archive; return whether that took, or would take, a restore.

    :param after: asks the same agent with the token that holds after the restore.
    :param progress: is filled in as it goes, so that a failure can be reported with what came before it.
    :param check: stop before the first byte is sent and write nothing.
    :raises GuardError: a guard refused. :raises RestoreError: it was sent and did not end well; ``state`` says how.
    """
    tokens = {TOKEN: client} if after is client else {TOKEN: client, LATER_TOKEN: after}
    with contextlib.ExitStack() as stack:
        progress.cluster = request.cluster
        fault = _verify(request, tokens, progress)
        _compare_names(request, progress)
        partial = _safety_file(request.backup_dir, stack, check) if request.backup_dir else None
        with progress.phase("target"):
            settling = 0 if "unhealthy_target" in request.accept_risks else min(_SETTLING, request.wait_timeout)
            client = asker_of(tokens, request.datacenter)
            target = read_target(
                client, tokens, partial, datacenter=request.datacenter, settling=settling, report=progress.again
            )
        prover = _decide(client, request, progress, target)
        facts = _facts(request, progress, target, fault)
        progress.guards = evaluate(facts, request.accept_risks)
        if facts.unchanged:
            return False
        plan = _allowed(progress, prover, fault)
        if check:
            return True
        if partial is not None and not target.fresh:
            with progress.phase("backup"):
                progress.backup_file = _keep(partial, request, target, plan.before)
    after = tokens[surviving_token(facts) or list(tokens)[-1]]
    _leave_to_people(progress, plan.source, target)
    with progress.phase("restore"):
        _send((client, after), request, progress, plan)
    expected = Expected(target.down, plan.beyond)
    seconds, kept = request.wait_timeout, progress.backup_file
    with progress.phase("wait"):
        wait(after, seconds=seconds, expected=expected, prover=plan.prover, kept=kept)
    with progress.phase("proof"):
        progress.proof = proof(after, prover=plan.prover, seconds=seconds, kept=kept)
    return True


def _verify(request: RestoreRequest, tokens: Mapping[str, Client], progress: Progress) -> ArchiveError | None:
    with progress.phase("verify"):
        try:
            progress.source = read_source(request.src, secrets_of(tokens))
        except ArchiveError as error:
            return error
    return None


def _compare_names(request: RestoreRequest, progress: Progress) -> None:
    saved = progress.source.name if progress.source else None
    if request.cluster and saved and request.cluster != saved:
        progress.remark(
            f"the archive was saved for the cluster {printable(saved)}, and the target is {printable(request.cluster)}"
        )


def _safety_file(directory: str, stack: contextlib.ExitStack, check: bool) -> AtomicFile | None:
    if check:
        require_directory(existing_part(directory))
        return None
    stack.callback(_remove_empty, make_directory(directory))
    require_directory(directory)
    remove_leftovers(directory)
    return stack.enter_context(AtomicFile(directory))


def _remove_empty(made: tuple[str, ...]) -> None:
    # A restore that is refused, or that replaces nothing, leaves no directories behind.
    for directory in reversed(made):
        with contextlib.suppress(OSError):
            os.rmdir(directory)


def _decide(client: Client, request: RestoreRequest, progress: Progress, target: Target) -> Prover | None:
    """Note whether the cluster has to be restored and, where it has not, the proof; return what proves it later."""
    progress.target, source, own = target, progress.source, target.fingerprint
    if source is None:
        return None
    across = is_across(source.facts.origin.consul_version, target.facts.versions)
    prover = Prover(request.src, source.fingerprint, request.datacenter, across)
    progress.decision = should_restore(source.fingerprint, own, fresh=target.fresh)
    if own is not None and not progress.decision.go:
        progress.proof = {**prover.proof_of(own), **_NOTHING_SINCE}
    elif own is not None and prover.may_be_equal(own):
        with contextlib.suppress(SnapshotError):
            look = prover.look(client)
            if look.proof["equal"]:
                progress.proof, progress.decision = {**look.proof, **_NOTHING_SINCE}, EQUIVALENT
    return prover


def _facts(request: RestoreRequest, progress: Progress, target: Target, fault: ArchiveError | None) -> RestoreFacts:
    return RestoreFacts(
        archive_fault=fault.as_text() if fault else None,
        archive=progress.source.facts if progress.source else None,
        target=target.facts,
        unchanged=progress.decision is not None and not progress.decision.go,
        backup_dir=request.backup_dir,
        version_check=request.version_check,
    )


def _leave_to_people(progress: Progress, source: Source, target: Target) -> None:
    # A restore does not touch the gossip pool: who was not in it before is not in it afterwards.
    facts, gone = target.facts, servers_gone(source.agents, target.present, target.own_ids)
    awaited = agents_awaited(source.agents, target.present, [one["node"] for one in gone])
    progress.servers_gone, progress.agents_awaited = gone, awaited
    progress.next_steps = next_steps(
        awaited=awaited,
        gone=gone,
        conflicts=name_conflicts(source.facts.agents, facts.living),
        servers=facts.servers,
        down=target.down,
        peerings=[] if is_origin(source.facts, facts) else [one.name for one in source.facts.active_peerings],
        acl=facts.acl,
        datacenter=facts.datacenter,
        archive_datacenter=source.facts.origin.datacenter,
    )


def _allowed(progress: Progress, prover: Prover | None, fault: ArchiveError | None) -> Plan:
    refused, target = refusals(progress.guards), progress.target
    if not refused and progress.source and prover and target and target.taken:
        plan = Plan(progress.source, target.taken, prover)
        living = frozenset(name.lower() for name in target.facts.living)
        return plan._replace(prover=replace(prover, since=plan.beyond, agents=living))
    lines = "; ".join(f"{finding.name}: {finding.detail}" for finding in refused)
    facts: dict[str, Any] = {"option": LATER_TOKEN} if any(finding.risk == "token_loss" for finding in refused) else {}
    raise GuardError(
        f"the restore is refused and nothing was sent. {lines}",
        state=NOTHING_SENT,
        refused=[finding.name for finding in refused],
        fault=fault.facts.get("fault") if fault else None,
        **facts,
    )


def _keep(partial: AtomicFile, request: RestoreRequest, target: Target, taken: Capture) -> str:
    cluster = cluster_of(taken.archive, target.cluster.identity if target.cluster else None, request.cluster)
    consistency = Consistency(False, taken.headers.last_contact_ms, taken.headers.known_leader)
    manifest = manifest_for(taken.archive, taken.digest, file="", cluster=cluster, consistency=consistency)
    return put_new(partial, request.backup_dir or ".", manifest).path


def _send(askers: tuple[Client, Client], request: RestoreRequest, progress: Progress, plan: Plan) -> None:
    with open_unchanged(request.src, plan.source.stamp, plan.source.digest) as archive:
        progress.state = UNKNOWN
        try:
            askers[0].restore(archive, plan.source.digest.size, datacenter=request.datacenter)
            progress.state = REPLACED
            return
        except SnapshotError as error:
            failed = error
    earlier = replace(
        plan.prover,
        src=progress.backup_file,
        archive=plan.before.archive.state.fingerprint,
        across=False,
        _learned=None,
    )
    ended = failed_restore(failed, askers, prover=plan.prover, earlier=earlier, kept=progress.backup_file)
    progress.state = ended.state
    raise ended
