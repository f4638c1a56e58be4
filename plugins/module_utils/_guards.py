# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands between a restore and harm: pure functions from facts to findings, one row of a table each."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._identity import Cluster
from ._types import build_of, series_of, unrestorable

PASSED, ACCEPTED, REFUSED, NOT_CHECKED = "passed", "accepted", "refused", "not_checked"
EXACT, MINOR, OFF = "exact", "minor", "off"
VERSION_CHECKS = (EXACT, MINOR, OFF)


@dataclass(frozen=True)
class ArchiveFacts:
    """What is known of an archive that verifies.

    ``agents``: ids of the nodes that an agent stands for, by name, as far as their agent was alive. ``holds_tokens``:
    whether there are ACL tokens in it at all. ``tokens`` and ``expired``: labels of the given tokens that it holds.
    """

    origin: Cluster
    types: frozenset[int]
    config_kinds: frozenset[str]
    agents: Mapping[str, str]
    holds_tokens: bool
    tokens: frozenset[str]
    expired: frozenset[str]


@dataclass(frozen=True)
class TargetFacts:
    """What is known of the cluster. None: it could not be learned; ``unknown`` says why, by name of the fact.

    ``servers``: their names. ``versions``: those of the servers, each once. ``user_records``: per type, how many
    records a user stored. ``living``: ids of the living agents by name. ``given``: labels of the tokens that the user
    gave, in their order; ``kept``: why one of them outlives any restore, by label.
    """

    permitted: bool | None
    leader: str | None
    healthy: bool | None
    servers: tuple[str, ...]
    unhealthy_servers: tuple[str, ...]
    user_records: Mapping[str, int] | None
    datacenter: str | None
    versions: tuple[str, ...]
    enterprise: bool
    living: Mapping[str, str]
    acl: bool | None
    given: tuple[str, ...]
    kept: Mapping[str, str]
    unknown: Mapping[str, str]


@dataclass(frozen=True)
class RestoreFacts:
    """All that the guards look at.

    ``archive``: None when it does not verify, and ``archive_fault`` says why. ``unchanged``: whether the target holds
    the archive's content already, so that nothing would be sent.
    """

    archive_fault: str | None
    archive: ArchiveFacts | None
    target: TargetFacts
    unchanged: bool
    backup_dir: str | None
    version_check: str


class Verdict(NamedTuple):
    """``ok`` None: not checked. ``final``: no risk that could be accepted changes it. ``remedy``: the end of the
    sentence that names the risk."""

    ok: bool | None
    detail: str
    final: bool = False
    remedy: str = ""


class Guard(NamedTuple):
    """A row: ``risk`` is the name under which a user can accept what it warns of, None where nobody can.

    ``of_sending``: it warns of what the archive would do, so it has nothing to say where none is sent.
    """

    name: str
    risk: str | None
    check: Callable[[RestoreFacts], Verdict]
    of_sending: bool = False


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
    if facts.target.permitted is None:
        return Verdict(
            None, f"whether the token may restore could not be asked: {facts.target.unknown.get('token', 'no answer')}"
        )
    if facts.target.permitted:
        return Verdict(True, "the token may restore")
    detail = facts.target.unknown.get("token", 'the token may not restore; give one whose policy has acl = "write"')
    return Verdict(False, detail, final=True)


def _health(facts: RestoreFacts) -> Verdict:
    if not facts.target.leader:
        return Verdict(False, "the cluster has no leader, and nothing can be restored without one", final=True)
    if facts.target.healthy is None:
        return Verdict(None, f"autopilot could not be asked: {facts.target.unknown.get('health', 'no answer')}")
    if facts.target.healthy:
        return Verdict(True, "autopilot holds the cluster for healthy")
    names = ", ".join(facts.target.unhealthy_servers) or "no server by name"
    return Verdict(
        False,
        f"autopilot holds the cluster for unhealthy ({names}); a server that fails during a restore can be left behind "
        "with another state",
    )


def _fresh(facts: RestoreFacts) -> Verdict:
    if facts.target.user_records is None:
        reason = facts.target.unknown.get("content", "no answer")
        return Verdict(
            False, f"what the cluster holds could not be read, so it could not be kept either: {reason}", final=True
        )
    if not facts.target.user_records:
        return Verdict(True, "the cluster is fresh: it holds nothing that users stored")
    if facts.unchanged:
        return Verdict(True, "the cluster holds the archive's content already; nothing would be lost")
    held = ", ".join(f"{count} {name}" for name, count in sorted(facts.target.user_records.items()))
    return Verdict(False, f"the cluster holds content ({held}), all of which a restore replaces")


def _datacenter(facts: RestoreFacts) -> Verdict:
    archive, target = _origin(facts).datacenter, facts.target.datacenter
    if not archive or not target:
        return Verdict(None, f"the datacenter of {'the archive' if not archive else 'the cluster'} is not known")
    if archive == target:
        return Verdict(True, f"both are of the datacenter {target}")
    return Verdict(
        False,
        f"the archive is of the datacenter {archive}, and the cluster is {target}; Consul would take it without a "
        f"word, and every node that was registered from outside would stay in {archive}, where {target} does not find "
        "it",
    )


def _version(facts: RestoreFacts) -> Verdict:
    archive, targets = _origin(facts).consul_version, facts.target.versions
    if facts.version_check == OFF:
        return Verdict(None, f"version_check is off (archive: {archive or 'unknown'}; servers: {_versions(facts)})")
    if not archive or not targets:
        return Verdict(None, f"the version of {'the archive' if not archive else 'the servers'} is not known")
    shorten = series_of if facts.version_check == MINOR else build_of
    if all(shorten(archive) == shorten(target) for target in targets):
        return Verdict(True, f"the archive is of Consul {archive}, and the servers run {_versions(facts)}")
    loosened = facts.version_check == EXACT and all(series_of(archive) == series_of(target) for target in targets)
    return Verdict(
        False,
        f"the archive is of Consul {archive}, and the servers run {_versions(facts)}; Consul supports a restore into "
        "the same version only, and another one may read records in another way or lose what it does not know",
        remedy=", or set version_check: minor" if loosened else "",
    )


def _record_types(facts: RestoreFacts) -> Verdict:
    archive, target = facts.archive, facts.target
    if archive is None:
        return _NO_ARCHIVE
    if not target.versions:
        return Verdict(
            False,
            "the servers' version is not known, so it can't be told whether they can read all that the archive holds; "
            'a server that can\'t dies, and dies again at each start. Give a token that has agent = "read" or '
            'operator = "read" as well',
            final=True,
        )
    missing: set[str] = set()
    for version in target.versions:
        found = unrestorable(
            archive.types,
            archive.config_kinds,
            archive=archive.origin.consul_version,
            target=version,
            enterprise=target.enterprise,
        )
        if found is None:
            return Verdict(None, f"what Consul {version} can restore is not known")
        missing.update(found)
    if not missing:
        return Verdict(True, f"Consul {_versions(facts)} can read all types of records in the archive")
    return Verdict(
        False,
        f"the archive holds records that Consul {_versions(facts)} can't read ({', '.join(sorted(missing))}); they "
        "would kill the leader, and again at each start. Restore it into the version it comes from "
        f"({archive.origin.consul_version or 'unknown'}), of the same edition, and upgrade that",
        final=True,
    )


def _token_survival(facts: RestoreFacts) -> Verdict:
    archive, target = facts.archive, facts.target
    if archive is None:
        return _NO_ARCHIVE
    if target.acl is False:
        return Verdict(True, "ACLs are off in the cluster; no token is needed")
    label = lasting_token(facts)
    if label:
        reason = "it is in the archive" if label in archive.tokens else target.kept[label]
        return Verdict(True, f"{label} goes on to work after the restore: {reason}")
    if not target.given:
        return Verdict(None, "no token was given, so there is none to look for in the archive")
    seen = (
        "the archive holds no tokens at all"
        if not archive.holds_tokens
        else f"{_listed(target.given)} had expired in the archive"
        if archive.expired
        else f"{_listed(target.given)} {'is' if len(target.given) == 1 else 'are'} not in the archive"
    )
    return Verdict(
        False,
        f"{seen}, nor in the servers' configuration; a restore replaces all tokens, and nobody may be able to log in "
        "afterwards. Set post_restore_token to a token that the archive holds",
        remedy=" if somebody else has one",
    )


def _node_identity(facts: RestoreFacts) -> Verdict:
    if facts.archive is None:
        return _NO_ARCHIVE
    if not facts.target.living:
        return Verdict(None, "the names of the living agents could not be asked")
    conflicts = name_conflicts(facts.archive.agents, facts.target.living)
    if not conflicts:
        return Verdict(True, "no living agent has a name that the archive holds for another node")
    return Verdict(
        False,
        f"living agents have names that the archive holds under other node ids ({_listed(conflicts)}); the catalog "
        'would refuse them for good ("Node name is reserved"), with their services, until each name is deregistered '
        f"after the restore: {deregister(conflicts[0], facts.target.datacenter)}",
    )


def lasting_token(facts: RestoreFacts) -> str | None:
    """Return the label of the given token that goes on to work after the restore, the last one that was given first."""
    held = facts.archive.tokens if facts.archive else frozenset()
    lasting = [label for label in facts.target.given if label in held or label in facts.target.kept]
    return lasting[-1] if lasting else None


def name_conflicts(archive: Mapping[str, str], live: Mapping[str, str]) -> list[str]:
    """Return the names of living agents that the archive holds under another id, as the archive spells them.

    The catalog compares names without regard to case, and lets go of a name whose own agent is not alive
    (``agent/consul/state/catalog.go``, ``ensureNoNodeWithSimilarNameTxn``).

    :param archive: ids by name of nodes whose agent was alive. :param live: ids by name.
    """
    ids = {name.lower(): identity for name, identity in live.items()}
    return sorted(name for name, identity in archive.items() if ids.get(name.lower(), identity) != identity)


def deregister(name: str, datacenter: str | None) -> str:
    """Return the command that frees a node's name."""
    told = {"Datacenter": datacenter, "Node": name} if datacenter else {"Node": name}
    # By way of a pipe, so that the token is in no process list.
    return (
        "printf 'X-Consul-Token: %s' \"$CONSUL_HTTP_TOKEN\" | "
        f"curl -X PUT -H @- -d {shlex.quote(json.dumps(told))} $CONSUL_HTTP_ADDR/v1/catalog/deregister"
    )


def _origin(facts: RestoreFacts) -> Cluster:
    return facts.archive.origin if facts.archive else Cluster(None, None, None)


def _versions(facts: RestoreFacts) -> str:
    edition = "+ent" if facts.target.enterprise else ""
    return ", ".join(build_of(version) + edition for version in facts.target.versions) or "an unknown version"


def _listed(names: Collection[str], limit: int = 5) -> str:
    shown = ", ".join(sorted(names)[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


_NO_ARCHIVE = Verdict(None, "nothing is known of an archive that does not verify")

GUARDS = (
    Guard("archive", None, _archive),
    Guard("token", None, _token),
    Guard("health", "unhealthy_target", _health),
    Guard("fresh", "replace_content", _fresh),
    Guard("datacenter", "other_datacenter", _datacenter, of_sending=True),
    Guard("version", "other_version", _version, of_sending=True),
    Guard("record_types", None, _record_types, of_sending=True),
    Guard("token_survival", "token_loss", _token_survival, of_sending=True),
    Guard("node_identity", "node_conflict", _node_identity, of_sending=True),
)
RISKS = tuple(guard.risk for guard in GUARDS if guard.risk)


def evaluate(facts: RestoreFacts, accepted: Collection[str]) -> list[Finding]:
    """Return what every guard finds, in the table's order; ``accepted`` are the names of risks a user takes."""
    return [_finding(guard, _verdict(guard, facts), facts, accepted) for guard in GUARDS]


def _verdict(guard: Guard, facts: RestoreFacts) -> Verdict:
    if facts.unchanged and guard.of_sending:
        return Verdict(True, "the cluster holds the archive's content already; nothing would be sent")
    return guard.check(facts)


def _finding(guard: Guard, verdict: Verdict, facts: RestoreFacts, accepted: Collection[str]) -> Finding:
    if verdict.ok:
        return Finding(guard.name, PASSED, verdict.detail, None)
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
    """Return a line for each guard that could not look; what a user told it not to look at needs none."""
    return [
        f"guard {finding.name}: {finding.detail}"
        for finding in findings
        if finding.status == NOT_CHECKED and not (finding.name == "version" and version_check == OFF)
    ]


def as_results(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return findings as a module's result shows them."""
    return [finding._asdict() for finding in findings]
