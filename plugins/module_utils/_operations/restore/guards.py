# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a restore and harm: pure functions from facts to findings, one row of a table each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from ..._errors import printable
from . import guard_checks as checks
from .guard_checks import deregister, name_conflicts, surviving_token
from .guard_facts import EXACT, MINOR, OFF, VERSION_CHECKS, ArchiveFacts, RestoreFacts, TargetFacts, Verdict

__all__ = [
    "ACCEPTED",
    "EXACT",
    "GUARDS",
    "MINOR",
    "NOT_CHECKED",
    "OFF",
    "PASSED",
    "REFUSED",
    "RISKS",
    "VERSION_CHECKS",
    "ArchiveFacts",
    "Finding",
    "Guard",
    "RestoreFacts",
    "TargetFacts",
    "Verdict",
    "as_results",
    "deregister",
    "evaluate",
    "name_conflicts",
    "refusals",
    "surviving_token",
    "warnings",
]

PASSED, ACCEPTED, REFUSED, NOT_CHECKED = "passed", "accepted", "refused", "not_checked"


class Guard(NamedTuple):
    """A row: ``risk`` is the name under which a user can accept what it warns of, None where nobody can.

    ``upload_only``: it warns of what the archive would do, so it has nothing to say where none is sent.
    """

    name: str
    risk: str | None
    check: Callable[[RestoreFacts], Verdict]
    upload_only: bool = False


class Finding(NamedTuple):
    """What one guard found; ``risk`` is what to add to accept_risks to go on all the same.

    ``warn``: it passed, and the user has to know its detail all the same.
    """

    name: str
    status: str
    detail: str
    risk: str | None
    warn: bool = False


GUARDS = (
    Guard("archive", None, checks.archive),
    Guard("signature", "unsigned_archive", checks.signature, upload_only=True),
    Guard("token", None, checks.token),
    Guard("health", "unhealthy_target", checks.health),
    Guard("fresh", "replace_content", checks.fresh),
    Guard("datacenter", "other_datacenter", checks.datacenter, upload_only=True),
    Guard("version", "other_version", checks.version, upload_only=True),
    Guard("record_types", None, checks.record_types, upload_only=True),
    Guard("findings", "critical_findings", checks.findings, upload_only=True),
    Guard("active_peering", "active_peering", checks.active_peering, upload_only=True),
    Guard("token_survival", "token_loss", checks.token_survival, upload_only=True),
    Guard("node_identity", "node_conflict", checks.node_identity, upload_only=True),
)
RISKS = tuple(guard.risk for guard in GUARDS if guard.risk)


def evaluate(facts: RestoreFacts, accepted: Collection[str]) -> list[Finding]:
    """Return what every guard finds, in the table's order; ``accepted`` are the names of risks a user takes."""
    return [_finding(guard, _verdict(guard, facts), facts, accepted) for guard in GUARDS]


def _verdict(guard: Guard, facts: RestoreFacts) -> Verdict:
    if facts.unchanged and guard.upload_only:
        return Verdict(True, "the cluster already holds the archive's content; nothing would be sent")
    verdict = guard.check(facts)
    # Names in it come from an archive or a cluster.
    return verdict._replace(detail=printable(verdict.detail, None))


def _finding(guard: Guard, verdict: Verdict, facts: RestoreFacts, accepted: Collection[str]) -> Finding:
    if verdict.ok:
        return Finding(guard.name, PASSED, verdict.detail, None, verdict.warn)
    if verdict.ok is None:
        return Finding(guard.name, NOT_CHECKED, verdict.detail, None)
    if guard.risk is None or verdict.final:
        return Finding(guard.name, REFUSED, verdict.detail, None)
    if guard.risk not in accepted:
        detail = f"{verdict.detail}. To go on: accept_risks: [{guard.risk}]{verdict.remedy}"
        return Finding(guard.name, REFUSED, detail, guard.risk)
    if guard.risk == "replace_content" and not facts.backup_dir:
        detail = f"{verdict.detail}. To go on, set backup_dir to a directory for the safety archive"
        return Finding(guard.name, REFUSED, detail, guard.risk)
    return Finding(guard.name, ACCEPTED, verdict.detail, guard.risk)


def refusals(findings: list[Finding]) -> list[Finding]:
    """Return the findings that forbid the restore."""
    return [finding for finding in findings if finding.status == REFUSED]


def warnings(findings: list[Finding], version_check: str) -> list[str]:
    """Return a line for each guard that could not look, or that passed and has something to say all the same.

    A check that the user turned off needs none.
    """
    return [
        f"guard {finding.name}: {finding.detail}"
        for finding in findings
        if finding.warn or (finding.status == NOT_CHECKED and not (finding.name == "version" and version_check == OFF))
    ]


def as_results(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return findings as a module's result shows them."""
    return [{name: getattr(finding, name) for name in ("name", "status", "detail", "risk")} for finding in findings]
