# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a restore and harm: pure functions from facts to findings, one row of a table each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

PASSED, ACCEPTED, REFUSED, NOT_CHECKED = "passed", "accepted", "refused", "not_checked"


class RestoreFacts(NamedTuple):
    """All that the guards look at. None: it could not be learned; ``unknown`` says why, by name of the fact."""

    archive_fault: str | None
    """Why the archive does not verify; None when it does."""
    permitted: bool | None
    """Whether the token may restore."""
    leader: str | None
    healthy: bool | None
    """What autopilot says."""
    unhealthy_servers: tuple[str, ...]
    user_records: Mapping[str, int] | None
    """Per type, how many records of the target a user stored."""
    unchanged: bool
    """Whether the target holds the archive's content already."""
    backup_dir: str | None
    unknown: Mapping[str, str]


class Verdict(NamedTuple):
    """``ok`` None: not checked. ``final``: no risk that could be accepted changes it."""

    ok: bool | None
    detail: str
    final: bool = False


class Guard(NamedTuple):
    """A row: ``risk`` is the name under which a user can accept what it warns of, None where nobody can."""

    name: str
    risk: str | None
    check: Callable[[RestoreFacts], Verdict]


class Finding(NamedTuple):
    """What one guard found; ``risk`` is what to add to accept_risks to go on all the same."""

    name: str
    status: str
    detail: str
    risk: str | None


def _archive(facts: RestoreFacts) -> Verdict:
    if facts.archive_fault is None:
        return Verdict(True, "the archive verifies")
    return Verdict(False, f"the archive does not verify: {facts.archive_fault}", final=True)


def _token(facts: RestoreFacts) -> Verdict:
    if facts.permitted is None:
        return Verdict(
            None, f"whether the token may restore could not be asked: {facts.unknown.get('token', 'no answer')}"
        )
    if facts.permitted:
        return Verdict(True, "the token may restore")
    detail = facts.unknown.get("token", 'the token may not restore; give one whose policy has acl = "write"')
    return Verdict(False, detail, final=True)


def _health(facts: RestoreFacts) -> Verdict:
    if not facts.leader:
        return Verdict(False, "the cluster has no leader, and nothing can be restored without one", final=True)
    if facts.healthy is None:
        return Verdict(None, f"autopilot could not be asked: {facts.unknown.get('health', 'no answer')}")
    if facts.healthy:
        return Verdict(True, "autopilot holds the cluster for healthy")
    names = ", ".join(facts.unhealthy_servers) or "no server by name"
    return Verdict(
        False,
        f"autopilot holds the cluster for unhealthy ({names}); a server that fails during a restore can be left behind "
        "with another state",
    )


def _fresh(facts: RestoreFacts) -> Verdict:
    if facts.user_records is None:
        reason = facts.unknown.get("content", "no answer")
        return Verdict(
            False, f"what the cluster holds could not be read, so it could not be kept either: {reason}", final=True
        )
    if not facts.user_records:
        return Verdict(True, "the cluster is fresh: it holds nothing that users stored")
    if facts.unchanged:
        return Verdict(True, "the cluster holds the archive's content already; nothing would be lost")
    held = ", ".join(f"{count} {name}" for name, count in sorted(facts.user_records.items()))
    return Verdict(False, f"the cluster holds content ({held}), all of which a restore replaces")


GUARDS = (
    Guard("archive", None, _archive),
    Guard("token", None, _token),
    Guard("health", "unhealthy_target", _health),
    Guard("fresh", "replace_content", _fresh),
)
RISKS = tuple(guard.risk for guard in GUARDS if guard.risk)


def evaluate(facts: RestoreFacts, accepted: Collection[str]) -> list[Finding]:
    """Return what every guard finds, in the table's order; ``accepted`` are the names of risks a user takes."""
    return [_finding(guard, guard.check(facts), facts, accepted) for guard in GUARDS]


def _finding(guard: Guard, verdict: Verdict, facts: RestoreFacts, accepted: Collection[str]) -> Finding:
    if verdict.ok:
        return Finding(guard.name, PASSED, verdict.detail, None)
    if verdict.ok is None:
        return Finding(guard.name, NOT_CHECKED, verdict.detail, None)
    if guard.risk is None or verdict.final:
        return Finding(guard.name, REFUSED, verdict.detail, None)
    if guard.risk not in accepted:
        return Finding(guard.name, REFUSED, f"{verdict.detail}. To go on: accept_risks: [{guard.risk}]", guard.risk)
    if guard.risk == "replace_content" and not facts.backup_dir:
        detail = f"{verdict.detail}. To go on, set backup_dir to a directory for the safety archive"
        return Finding(guard.name, REFUSED, detail, guard.risk)
    return Finding(guard.name, ACCEPTED, verdict.detail, guard.risk)


def refusals(findings: list[Finding]) -> list[Finding]:
    """Return the findings that forbid the restore."""
    return [finding for finding in findings if finding.status == REFUSED]


def as_results(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return findings as a module's result shows them."""
    return [finding._asdict() for finding in findings]
