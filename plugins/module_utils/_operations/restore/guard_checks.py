# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks behind the guards of a restore: one function from facts to a verdict for each (pure)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping

from ..._errors import listed
from ..._model.compatibility import unrestorable
from ..._model.finding_meanings import INFO, MEANINGS, SEEN, deadly, severity_for
from ..._model.identity import ClusterIdentity
from ..._model.versions import build_of, series_of
from .guard_facts import EXACT, MINOR, OFF, RestoreFacts, Verdict, is_origin

_NO_ARCHIVE = Verdict(None, "not known, because the archive does not verify")


def archive(facts: RestoreFacts) -> Verdict:
    if facts.archive_fault is None:
        return Verdict(True, "the archive verifies")
    return Verdict(False, f"the archive does not verify: {facts.archive_fault}", final=True)


def signature(facts: RestoreFacts) -> Verdict:
    if facts.archive is None:
        return _NO_ARCHIVE
    signing = facts.archive.signing
    if not signing.required:
        return Verdict(True, "no signature is required, because allowed_signers is not set")
    if not signing.fault:
        return Verdict(True, f"the archive's manifest is signed by {signing.signer}")
    return Verdict(
        False,
        f"nobody in allowed_signers vouches for the archive: {signing.fault}. Anyone who can write there may have "
        "put it there, with ACL tokens of their own in it",
    )


def token(facts: RestoreFacts) -> Verdict:
    target = facts.target
    if target.permitted is None:
        return Verdict(
            None, f"Consul did not report whether the token may restore: {target.unknown.get('token', 'no answer')}"
        )
    if target.permitted:
        return Verdict(True, "the token may restore")
    denied = (
        'the token may not restore; use one whose policy has acl = "write"'
        if target.provided
        else 'no token was given, and anonymous requests may not restore; use a token whose policy has acl = "write"'
    )
    return Verdict(False, target.unknown.get("token", denied), final=True)


def health(facts: RestoreFacts) -> Verdict:
    target = facts.target
    if not target.leader and "token" in target.unknown:
        return Verdict(None, "the cluster could not be read; the guard token says why")
    if not target.leader:
        return Verdict(False, "the cluster has no leader, and a restore requires one", final=True)
    if target.healthy is None:
        return Verdict(None, f"autopilot's report could not be read: {target.unknown.get('health', 'no answer')}")
    if target.healthy:
        return Verdict(True, "autopilot reports the cluster as healthy")
    names = ", ".join(target.unhealthy_servers) or "no server is named"
    return Verdict(
        False,
        f"autopilot reports the cluster as unhealthy ({names}); a server that fails during a restore can keep a "
        "different state",
    )


def fresh(facts: RestoreFacts) -> Verdict:
    held = facts.target.user_records
    if held is None:
        reason = facts.target.unknown.get("content", "no answer")
        return Verdict(
            False, f"the content of the cluster could not be read, so it could not be saved first: {reason}", final=True
        )
    if not held:
        return Verdict(True, "the cluster is fresh: it holds nothing that users stored")
    if facts.unchanged:
        return Verdict(True, "the cluster already holds the archive's content; nothing would be lost")
    counts = ", ".join(f"{count} {name}" for name, count in sorted(held.items()))
    return Verdict(False, f"the cluster holds content ({counts}), and a restore replaces all of it")


def datacenter(facts: RestoreFacts) -> Verdict:
    source, target = _origin(facts).datacenter, facts.target.datacenter
    if not source or not target:
        return Verdict(None, f"the datacenter of {'the archive' if not source else 'the cluster'} is not known")
    if source == target:
        return Verdict(True, f"the archive and the cluster both belong to the datacenter {target}")
    return Verdict(
        False,
        f"the archive belongs to the datacenter {source}, and the cluster is {target}. Consul would accept it "
        f"silently, and every externally registered node would stay in {source}, where {target} does not find it",
    )


def version(facts: RestoreFacts) -> Verdict:
    source, targets = _origin(facts).consul_version, facts.target.versions
    if facts.version_check == OFF:
        return Verdict(None, f"version_check is off (archive: {source or 'unknown'}; servers: {_versions(facts)})")
    if not source or not targets:
        return Verdict(None, f"the version of {'the archive' if not source else 'the servers'} is not known")
    shorten = series_of if facts.version_check == MINOR else build_of
    if all(shorten(source) == shorten(target) for target in targets):
        return Verdict(True, f"the archive comes from Consul {source}, and the servers run {_versions(facts)}")
    loosened = facts.version_check == EXACT and all(series_of(source) == series_of(target) for target in targets)
    return Verdict(
        False,
        f"the archive comes from Consul {source}, and the servers run {_versions(facts)}; Consul supports a restore "
        "into the same version only, and another version may read records differently or drop what it does not know",
        remedy=", or set version_check: minor" if loosened else "",
    )


def record_types(facts: RestoreFacts) -> Verdict:
    held, target = facts.archive, facts.target
    if held is None:
        return _NO_ARCHIVE
    if not target.versions:
        return Verdict(
            False,
            "the servers' version is not known, so it is not known either whether they can read every record of the "
            "archive. A server that can't read one crashes, and crashes again at each start. Use a token that also has "
            'agent = "read" or operator = "read"',
            final=True,
        )
    missing: set[str] = set()
    for server in target.versions:
        unreadable = unrestorable(
            held.types,
            held.config_kinds,
            archive=held.origin.consul_version,
            target=server,
            enterprise=target.enterprise,
        )
        if unreadable is None:
            return Verdict(None, f"it is not known what Consul {server} can restore")
        missing.update(unreadable)
    if not missing:
        return Verdict(True, f"Consul {_versions(facts)} can read all types of records in the archive")
    return Verdict(
        False,
        f"the archive holds records that Consul {_versions(facts)} can't read ({', '.join(sorted(missing))}); they "
        "would crash the leader, and crash it again at each start. Restore it into the version it comes from "
        f"({held.origin.consul_version or 'unknown'}), of the same edition, and upgrade afterwards",
        final=True,
    )


def findings(facts: RestoreFacts) -> Verdict:
    if facts.archive is None:
        return _NO_ARCHIVE
    counts = facts.archive.findings
    # An unknown version counts as one that nobody tried.
    effects: dict[str, dict[str, str]] = {}
    for server in facts.target.versions or (None,):
        for name, effect in deadly(counts, server).items():
            effects.setdefault(name, {})[build_of(server) if server else "of unknown version"] = effect
    if effects:
        seen = any(SEEN in by_version.values() for by_version in effects.values())
        details = "; ".join(_of_finding(name, counts[name], effects[name]) for name in effects)
        end = "" if seen else ". Rehearse the archive in that version first (snapshot_rehearse)"
        return Verdict(False, f"the archive holds records that stop servers: {details}{end}", final=seen)
    others = {
        name: count for name, count in counts.items() if name in MEANINGS and _matters(name, facts.target.versions)
    }
    if not others:
        return Verdict(True, f"the archive holds nothing that is known to harm Consul {_versions(facts)}")
    sentences = "; ".join(f"{name}: {others[name]}. {MEANINGS[name].sentence}" for name in MEANINGS if name in others)
    return Verdict(
        True, f"the archive holds nothing that is known to stop Consul {_versions(facts)}, but {sentences}", warn=True
    )


def _of_finding(name: str, count: int, effects: Mapping[str, str]) -> str:
    stopped = [version for version, effect in effects.items() if effect == SEEN]
    known = (
        f"seen to stop Consul {listed(sorted(stopped))}"
        if stopped
        else f"not tried with Consul {listed(sorted(effects))}; seen to stop {listed(sorted(MEANINGS[name].harms))}"
    )
    return f"{name}: {count} ({known}). {MEANINGS[name].sentence} {MEANINGS[name].cure}"


def _matters(name: str, versions: Collection[str]) -> bool:
    return any(severity_for(name, version) != INFO for version in versions or (None,))


def active_peering(facts: RestoreFacts) -> Verdict:
    held, target = facts.archive, facts.target
    if held is None:
        return _NO_ARCHIVE
    dialled = held.active_peerings
    if not dialled:
        return Verdict(True, "the archive holds no peering that this cluster would dial")
    names = listed(sorted(peering.name for peering in dialled))
    if is_origin(held, target):
        return Verdict(True, f"the archive was taken from this cluster; its peerings are its own ({names})")
    if {peering.id for peering in dialled} <= target.peerings:
        return Verdict(True, f"the cluster already holds these peerings ({names})")
    return Verdict(
        False,
        f"the archive holds peerings with their secrets ({names}). After the restore this cluster dials those peers, "
        "and they accept it in place of the cluster that the archive was taken from. If that cluster is still in use, "
        "restore only where no server can reach the peers, and don't delete the peerings afterwards: the peers would "
        "end the original's, too",
        remedy=" where that cluster is permanently lost",
    )


def token_survival(facts: RestoreFacts) -> Verdict:
    held, target = facts.archive, facts.target
    if held is None:
        return _NO_ARCHIVE
    if target.acl is False:
        return Verdict(True, "ACLs are off in the cluster; no token is needed")
    label = surviving_token(facts)
    if label:
        reason = "it is in the archive" if label in held.tokens else target.surviving[label]
        return Verdict(True, f"{label} stays valid after the restore: {reason}")
    if not target.provided:
        return Verdict(None, "no token was given, so there is none to look for in the archive")
    seen = (
        "the archive holds no tokens at all"
        if not held.holds_tokens
        else f"{listed(sorted(target.provided))} had expired in the archive"
        if held.expired
        else f"{listed(sorted(target.provided))} {'is' if len(target.provided) == 1 else 'are'} not in the archive"
    )
    return Verdict(
        False,
        f"{seen}, nor in the servers' configuration. A restore replaces all tokens, so nobody may be able to log in "
        "afterwards. Set post_restore_token to a token that the archive holds",
        remedy=" if somebody else has one",
    )


def node_identity(facts: RestoreFacts) -> Verdict:
    if facts.archive is None:
        return _NO_ARCHIVE
    if not facts.target.living:
        return Verdict(None, "the cluster's agents could not be listed")
    conflicts = name_conflicts(facts.archive.agents, facts.target.living)
    if not conflicts:
        return Verdict(True, "no living agent has a name that the archive holds for another node")
    return Verdict(
        False,
        f"living agents have names that the archive holds under other node ids ({listed(sorted(conflicts))}). The "
        'catalog would refuse them permanently ("Node name is reserved"), with their services, until each name is '
        f"deregistered after the restore: {deregister(conflicts[0], facts.target.datacenter)}",
    )


def surviving_token(facts: RestoreFacts) -> str | None:
    """Return the label of the provided token that goes on working after the restore; of two the one provided last."""
    held = facts.archive.tokens if facts.archive else frozenset()
    surviving = [label for label in facts.target.provided if label in held or label in facts.target.surviving]
    return surviving[-1] if surviving else None


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
    payload = {"Datacenter": datacenter, "Node": name} if datacenter else {"Node": name}
    # By way of a pipe, so that the token is in no process list.
    return (
        "printf 'X-Consul-Token: %s' \"$CONSUL_HTTP_TOKEN\" | "
        f"curl -X PUT -H @- -d {shlex.quote(json.dumps(payload))} $CONSUL_HTTP_ADDR/v1/catalog/deregister"
    )


def _origin(facts: RestoreFacts) -> ClusterIdentity:
    return facts.archive.origin if facts.archive else ClusterIdentity(None, None, None)


def _versions(facts: RestoreFacts) -> str:
    edition = "+ent" if facts.target.enterprise else ""
    return ", ".join(build_of(version) + edition for version in facts.target.versions) or "an unknown version"
