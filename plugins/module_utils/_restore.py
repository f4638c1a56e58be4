# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restoring a cluster: verify, look at the target, guards, safety archive, send, wait, prove."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ._aftermath import NOTHING_SENT, REPLACED, UNKNOWN, failed_restore, proof, wait
from ._client import Client
from ._decide import HELD_IN_ITS_WAY, Decision, should_restore
from ._errors import ArchiveError, GuardError, SnapshotError
from ._files import Partial, open_unchanged, remove_leftovers, require_directory
from ._guards import EXACT, Finding, RestoreFacts, evaluate, lasting_token, name_conflicts, refusals
from ._left import agents_awaited, next_steps
from ._manifest import Consistency
from ._proof import Prover
from ._ready import Expected
from ._store import cluster_of, manifest_for, put_new
from ._take import Taken
from ._target import Source, Target, read_source, read_target, secrets_of
from ._types import is_across

TOKEN, LATER_TOKEN = "token", "post_restore_token"
_SETTLING = 15
"""Seconds granted to a cluster that has just started: autopilot reports every server as unhealthy in its first ten."""


class RestoreRequest(NamedTuple):
    """What is to be restored, and what is accepted. ``wait_timeout`` in seconds."""

    src: str
    datacenter: str | None
    backup_dir: str | None
    accept_risks: tuple[str, ...]
    wait_timeout: float
    version_check: str = EXACT


class Plan(NamedTuple):
    """What to send, what it replaces, and what proves it: all is there when no guard refuses."""

    source: Source
    before: Taken
    prover: Prover


class Progress:
    """How far a restore has come: what a result shows, whether it ends well or not."""

    def __init__(self, warn: Callable[[str], None] = lambda text: None) -> None:
        """:param warn: gets a text for each try that is followed by another."""
        self._warn = warn
        self.attempts: list[str] = []
        self.state = NOTHING_SENT
        self.guards: list[Finding] = []
        self.backup_file: str | None = None
        self.proof: dict[str, Any] | None = None
        self.decision: Decision | None = None
        self.source: Source | None = None
        self.target: Target | None = None
        self.agents_awaited: list[dict[str, Any]] | None = None
        self.next_steps: list[str] | None = None
        self.duration: dict[str, float] = {}

    def again(self, error: SnapshotError) -> None:
        """Note a try that failed and is followed by another."""
        self.attempts.append(error.message)
        self._warn(f"trying again: {error.message}")

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
    tokens = {TOKEN: client} if after is client else {TOKEN: client, LATER_TOKEN: after}
    with contextlib.ExitStack() as stack:
        fault = _verify(request, tokens, progress)
        partial = _safety_file(request.backup_dir, stack, check) if request.backup_dir else None
        with progress.phase("target"):
            settling = 0 if "unhealthy_target" in request.accept_risks else min(_SETTLING, request.wait_timeout)
            target = read_target(
                tokens, partial, datacenter=request.datacenter, settling=settling, report=progress.again
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
    after = tokens[lasting_token(facts) or list(tokens)[-1]]
    progress.agents_awaited, progress.next_steps = _left_to_people(plan.source, target)
    with progress.phase("restore"):
        _send((client, after), request, progress, plan)
    expected = Expected(target.down, max(plan.source.index, plan.before.archive.meta.index))
    seconds, kept = request.wait_timeout, progress.backup_file
    with progress.phase("wait"):
        wait(after, datacenter=request.datacenter, seconds=seconds, expected=expected, kept=kept)
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


def _safety_file(directory: str, stack: contextlib.ExitStack, check: bool) -> Partial | None:
    require_directory(directory)
    if check:
        return None
    remove_leftovers(directory)
    return stack.enter_context(Partial(directory))


def _decide(client: Client, request: RestoreRequest, progress: Progress, target: Target) -> Prover | None:
    """Note whether the cluster has to be restored and, where it has not, the proof; return what proves it later."""
    progress.target, source, own = target, progress.source, target.fingerprint
    if source is None:
        return None
    across = is_across(source.facts.origin.consul_version, target.facts.versions)
    prover = Prover(request.src, source.fingerprint, request.datacenter, across)
    progress.decision = should_restore(source.fingerprint, own, fresh=target.fresh)
    if own is not None and not progress.decision.go:
        progress.proof = prover.proof_of(own)
    elif own is not None and prover.may_be_equal(own):
        with contextlib.suppress(SnapshotError):
            look = prover.look(client)
            if look.proof["equal"]:
                progress.proof, progress.decision = look.proof, HELD_IN_ITS_WAY
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


def _left_to_people(source: Source, target: Target) -> tuple[list[dict[str, Any]] | None, list[str]]:
    # A restore does not touch the gossip pool: who was not in it before is not in it afterwards.
    awaited, facts = agents_awaited(source.agents, target.present), target.facts
    steps = next_steps(
        awaited=awaited,
        conflicts=name_conflicts(source.facts.agents, facts.living),
        servers=facts.servers,
        down=target.down,
        acl=facts.acl,
        datacenter=facts.datacenter,
        archive_datacenter=source.facts.origin.datacenter,
    )
    return awaited, steps


def _allowed(progress: Progress, prover: Prover | None, fault: ArchiveError | None) -> Plan:
    refused, target = refusals(progress.guards), progress.target
    if not refused and progress.source and prover and target and target.taken:
        return Plan(progress.source, target.taken, prover)
    lines = "; ".join(f"{finding.name}: {finding.detail}" for finding in refused)
    raise GuardError(
        f"the restore is refused and nothing was sent. {lines}",
        state=NOTHING_SENT,
        refused=[finding.name for finding in refused],
        fault=fault.facts.get("fault") if fault else None,
    )


def _keep(partial: Partial, request: RestoreRequest, target: Target, taken: Taken) -> str:
    cluster = cluster_of(taken.archive, target.cluster.identity if target.cluster else None)
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
    before, kept = plan.before.archive.state.fingerprint, progress.backup_file
    ended = failed_restore(failed, askers, prover=plan.prover, before=before, kept=kept)
    progress.state = ended.state
    raise ended
