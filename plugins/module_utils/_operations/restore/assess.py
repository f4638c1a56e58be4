# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was found on both sides to what is to be done: all guards and the decision, in one plan (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._compare.equivalence import Comparison, Reference
from ..._consul.readiness import Expected
from ..._errors import GuardError, printable
from ..._model.versions import is_across
from ..._storage.archive_source import ArchiveSource
from ..capture import Capture
from ..decision import Decision
from ..proof import reader_of
from .decision import EQUIVALENT, should_restore
from .guard_facts import RestoreFacts, is_origin, own_peerings
from .guards import Finding, evaluate, name_conflicts, refusals, surviving_token, warnings
from .next_steps import agents_awaited, next_steps, servers_gone
from .outcome import AFTERWARDS
from .sides import RestoreRequest, Source, Target, Verified
from .states import NOTHING_SENT


@dataclass(frozen=True)
class FollowUp:
    """What a restore leaves to people."""

    agents_awaited: list[dict[str, Any]] | None
    servers_gone: list[dict[str, Any]]
    next_steps: list[str]


@dataclass(frozen=True)
class Upload:
    """What is sent, what it replaces, and what has to hold afterwards.

    ``reference``: the content that proves the restore. ``expected``: what is waited for. ``surviving_token``: label of
    the token to ask with afterwards; None where none is known to go on working. ``peerings``: names, by id, of those
    that are the cluster's own and that it dials.
    """

    source: Source
    before: Capture
    replaces_content: bool
    reference: Reference
    expected: Expected
    surviving_token: str | None
    follow_up: FollowUp
    peerings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What the guards found, what was decided, and what follows from both.

    ``decision``: None where the archive does not verify. ``proof``: the comparison, where nothing has to be restored.
    ``refusal``: what to raise where a guard refuses. ``upload``: None where nothing is to be sent.
    """

    guards: tuple[Finding, ...]
    warnings: tuple[str, ...]
    decision: Decision | None
    proof: dict[str, Any] | None = None
    refusal: GuardError | None = None
    upload: Upload | None = None


def remarks_on(source: Source | None, request: RestoreRequest) -> list[str]:
    """Return what a person should know before anything is sent; it refuses nothing."""
    saved = source.cluster_name if source else None
    if not request.cluster or not saved or request.cluster == saved:
        return []
    return [f"the archive was saved for the cluster {printable(saved)}, and the target is {printable(request.cluster)}"]


def reference_of(source: Source | None, target: Target) -> Reference | None:
    """Return the archive's content, which clusters are compared with; None where the archive does not verify."""
    if source is None:
        return None
    across = is_across(source.facts.origin.consul_version, target.facts.versions)
    return Reference(source.fingerprint, reader_of(source.plain, source.fingerprint), across)


def reference_before(upload: Upload, backup: ArchiveSource | None) -> Reference:
    """Return what the cluster held before the upload.

    :param backup: where its records are; None where it was fresh.
    """
    fingerprint, reference = upload.before.archive.state.fingerprint, upload.reference
    read = reader_of(backup.plain, fingerprint) if backup else None
    return Reference(fingerprint, read, since=reference.since, agents=reference.agents)


def assess(
    request: RestoreRequest,
    verified: Verified,
    target: Target,
    reference: Reference | None,
    equivalent: Comparison | None,
) -> Plan:
    """Decide what is to be done.

    :param reference: the archive's content; None where it does not verify.
    :param equivalent: the closer look that showed the cluster to hold the archive's content, if there was one.
    """
    decision, proof = _decide(target, reference, equivalent)
    facts = RestoreFacts(
        archive_fault=verified.fault.as_text() if verified.fault else None,
        archive=verified.source.facts if verified.source else None,
        target=target.facts,
        unchanged=decision is not None and not decision.go,
        backup_dir=request.backup_dir,
        version_check=request.version_check,
    )
    findings = evaluate(facts, request.accept_risks)
    plan = Plan(tuple(findings), tuple(warnings(findings, request.version_check)), decision, proof)
    if facts.unchanged:
        return plan
    refused = refusals(findings)
    if refused or verified.source is None or reference is None or target.capture is None:
        return Plan(plan.guards, plan.warnings, decision, refusal=_refusal(refused, verified))
    upload = _upload(facts, verified.source, target, reference, target.capture)
    return Plan(plan.guards, plan.warnings, decision, upload=upload)


def _decide(
    target: Target, reference: Reference | None, equivalent: Comparison | None
) -> tuple[Decision | None, dict[str, Any] | None]:
    if reference is None:
        return None, None
    own = target.fingerprint
    decision = should_restore(reference.fingerprint, own, fresh=target.fresh)
    comparison = None
    if own is not None and not decision.go:
        comparison = reference.compared_with(own)
    elif equivalent is not None:
        decision, comparison = EQUIVALENT, equivalent.proof
    return decision, None if comparison is None else {**comparison, "written_since": {}}


def _refusal(refused: list[Finding], verified: Verified) -> GuardError:
    details = "; ".join(f"{finding.name}: {finding.detail}" for finding in refused)
    option: dict[str, Any] = {"option": AFTERWARDS} if any(finding.risk == "token_loss" for finding in refused) else {}
    return GuardError(
        f"the restore is refused and nothing was sent. {details}",
        state=NOTHING_SENT,
        refused=[finding.name for finding in refused],
        fault=verified.fault.facts.get("fault") if verified.fault else None,
        **option,
    )


def _upload(facts: RestoreFacts, source: Source, target: Target, reference: Reference, before: Capture) -> Upload:
    # The restore is applied at an index beyond both, whatever is written until then.
    beyond = max(source.index, before.archive.meta.index)
    return Upload(
        source=source,
        before=before,
        replaces_content=not target.fresh,
        reference=reference.since_index(beyond, frozenset(name.lower() for name in facts.target.living)),
        expected=Expected(target.down, beyond),
        surviving_token=surviving_token(facts),
        follow_up=follow_up(source, target),
        peerings=own_peerings(source.facts, target.facts),
    )


def follow_up(source: Source, target: Target) -> FollowUp:
    """Return what is left to people; who was not in the gossip pool before a restore is not in it afterwards."""
    archive, facts = source.facts, target.facts
    gone = servers_gone(source.agents, target.present, target.own_ids)
    awaited = agents_awaited(source.agents, target.present, [server["node"] for server in gone])
    steps = next_steps(
        awaited=awaited,
        gone=gone,
        conflicts=name_conflicts(archive.agents, facts.living),
        servers=facts.servers,
        down=target.down,
        peerings=[] if is_origin(archive, facts) else [peering.name for peering in archive.active_peerings],
        acl=facts.acl,
        datacenter=facts.datacenter,
        archive_datacenter=archive.origin.datacenter,
    )
    return FollowUp(awaited, gone, steps)
