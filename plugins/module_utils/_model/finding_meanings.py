# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each finding means, and for which versions of Consul: a table, filled from what servers were seen to do (pure).

What is said of 1.8.7 and 1.22.7 was observed on servers of those versions, with archives that were changed in that one
point. Numbers are those of issues and pull requests in github.com/hashicorp/consul.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from .versions import build_of, order_key

INFO, WARNING, CRITICAL = "info", "warning", "critical"

SEEN, UNTESTED, NONE = "seen", "untested", "none"
"""What is known of a finding's effect on one version: servers of it were seen to suffer it; nobody tried that version,
and nothing says that it is safe; or it does no harm there."""

REVISION = 5
"""Counts up when a finding is added or looks for more than before: a manifest of another revision may lack it."""


class Meaning(NamedTuple):
    """``severity``: how much a finding matters to a version that it harms; to others it is INFO.

    ``cure``: what to type or do. ``harms`` and ``spares``: versions on which harm was seen, or none; both empty where
    the version makes no difference.
    """

    severity: str
    sentence: str
    cure: str = ""
    harms: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()


_BOTH = ("1.8.7", "1.22.7")
_ANEW = "Correct it in the cluster that the archive comes from, and take a new archive"

# The most serious first.
MEANINGS: dict[str, Meaning] = {
    # 1.8.7: "check node … does not match node …" (#6991). #12444 compares without regard to case, since 1.11.4.
    "node_names_differ_in_case": Meaning(
        CRITICAL,
        "Names of a node differ only in case. Consul treats them as one node. If a check spells the name differently "
        "from its node, old servers (1.8.7 among them) crash while they restore the archive, and again at each start.",
        "Deregister the node in the cluster that the archive comes from, register it in one spelling, and take a new "
        "archive; or restore into Consul 1.11.4 or newer",
        harms=("1.8.7",),
        spares=("1.11.4", "1.22.7"),
    ),
    # 1.22.7: "missing value for index 'accessor'" (#21368). 1.8.7 gives such a token an accessor.
    "token_without_accessor": Meaning(
        CRITICAL,
        "ACL tokens have no accessor. Newer servers (1.22.7 among them) crash while they restore the archive, and "
        "again at each start. Old servers (1.8.7 among them) add an accessor.",
        "Restore into the version that the archive comes from, wait until 'consul acl token list' shows an accessor "
        "for every token, and take a new archive",
        harms=("1.22.7",),
        spares=("1.8.7",),
    ),
    # What the state machine of 1.22.7 ends with, field by field: ``_snapshot/checks/conformance``.
    "unreadable_record": Meaning(
        CRITICAL,
        "Consul 1.22.7 can't decode some records, or they lack a field that it indexes by. No Consul server writes "
        "such records. A server crashes while it restores the archive, and again at each start.",
        "Don't restore this archive. Take a new one, and find out what modified it",
        harms=("1.22.7",),
    ),
    # "failed inserting check: Missing service registration", in both.
    "check_without_service": Meaning(
        CRITICAL,
        "Checks belong to services that are not registered on their node in the archive. Servers crash while they "
        "restore the archive, and again at each start.",
        _ANEW,
        harms=_BOTH,
    ),
    # "check node … does not match node …", in both.
    "check_of_another_node": Meaning(
        CRITICAL,
        "Checks name a different node from the one they are registered on. Servers crash while they restore the "
        "archive, and again at each start.",
        _ANEW,
        harms=_BOTH,
    ),
    # "Invalid Session TTL", initializeSessionTimers in agent/consul/session_ttl.go.
    "session_ttl_invalid": Meaning(
        CRITICAL,
        "Sessions have a TTL that is not a duration. No server that restores the archive can become the leader.",
        "Destroy the sessions in the cluster that the archive comes from, and take a new archive",
        harms=_BOTH,
    ),
    # 1.22.7: "A policy with name … already exists", writeBuiltinACLPolicy in agent/consul/leader.go.
    "builtin_policy_name_taken": Meaning(
        CRITICAL,
        "A policy has the name of a builtin policy, which is not in the archive itself. With ACLs enabled, newer "
        "servers (1.22.7 among them) that restore the archive can't become the leader. Old ones (1.8.7 among them) "
        "can, but don't create the management token that their configuration sets.",
        "Rename the policy in the cluster that the archive comes from, and take a new archive",
        harms=("1.22.7",),
        spares=("1.8.7",),
    ),
    # persist and restore of the CA's configuration in 1.22.7, #4954, #5016; both versions fall back on their own.
    "ca_provider_empty": Meaning(
        WARNING,
        "The configuration of the Connect CA has no provider. Servers before 1.4.1 reject such a restore with an "
        'error (unknown CA provider ""); later versions use their own configuration instead.',
    ),
    # 1.8.7 configures the provider before it leads: initializeCA in agent/consul/leader_connect.go.
    "ca_provider_external": Meaning(
        WARNING,
        "The Connect CA's provider is an external service (Vault, AWS). If the target cluster can't reach it, old "
        "servers (1.8.7 among them) can't elect a leader after the restore. Newer ones (1.22.7 among them) elect one, "
        "but issue no certificates until the provider answers.",
        "Make sure that the target's servers can reach the provider",
        harms=("1.8.7",),
        spares=("1.22.7",),
    ),
    "ca_certificate_expired": Meaning(
        WARNING,
        "The active root certificate of the Connect CA has expired. It is restored, but the certificates it signed "
        "are not trusted until the CA is rotated.",
    ),
    # An old leader loses the methods while it takes a snapshot: of several of one type it keeps one.
    "binding_rule_without_method": Meaning(
        WARNING,
        "Binding rules name auth methods that are not in the archive. Logins with those methods fail after a "
        "restore. Consul 1.8.7 loses auth methods this way: where several have the same type, its snapshots keep "
        "only one.",
        "Note the configuration of the auth methods while the cluster still has them, and create them again after a "
        "restore: consul acl auth-method create",
    ),
    "token_without_method": Meaning(
        WARNING,
        "ACL tokens were issued by auth methods that are not in the archive. They are restored, although deleting "
        "the auth method would have revoked them, and logins for new ones fail.",
        "Create the auth methods again after a restore (consul acl auth-method create), or delete the tokens",
    ),
    # The fields Rules and Type went with the legacy ACL system in 1.11 (#11232).
    "legacy_token": Meaning(
        WARNING,
        "Legacy ACL tokens hold their own rules instead of policies. Newer servers (1.22.7 among them) drop the rules, "
        "and the tokens grant nothing after a restore.",
        "Give each token a policy with the same rules first, in a cluster of the archive's version: consul acl token "
        "update -upgrade-legacy",
        harms=("1.22.7",),
        spares=("1.8.7",),
    ),
    # Seen on both: restored, and gone within seconds (reapExpiredACLTokens in agent/consul/acl_token_exp.go).
    "token_expired": Meaning(
        WARNING,
        "ACL tokens have expired. They are restored and then removed; clients that use one need a new token.",
    ),
    # Seen on both: the session stays as it is, and no node's end ends it.
    "session_without_node": Meaning(
        WARNING,
        "Sessions belong to nodes that are not in the archive. They are restored. As no agent can fail for them, "
        "their locks stay held until the sessions expire or are destroyed.",
    ),
    "unnamed_records": Meaning(
        WARNING,
        "Some records have a type or shape that this collection does not know. A server that does not know the "
        "type crashes while it restores the archive, and again at each start.",
    ),
    "doubled_record": Meaning(
        WARNING,
        "Records occur in the archive more than once. Consul keeps the last one of each. No Consul server writes such "
        "an archive.",
        "Take a new archive, and find out what modified this one",
    ),
    # Consul keeps such links and leaves them out when it shows a token (fixupTokenPolicyLinks in agent/consul/state).
    "acl_link_missing": Meaning(
        INFO,
        "ACL tokens or roles refer to policies or roles that are not in the archive. Consul keeps such links when a "
        "policy or role is deleted, and ignores them.",
    ),
    # startPeeringStreamSync in agent/consul/leader_peering.go; a clone was seen to become ACTIVE.
    "peering_dials": Meaning(
        INFO,
        "The archive contains peerings with their secrets. Another cluster that restores it dials the peers and "
        "replaces the original cluster there.",
    ),
    # Seen on both: nodes with a serfHealth check go 20 to 60 seconds after a restore unless their agent is there.
    "services_of_agents": Meaning(
        INFO,
        "Services are registered by agents. After a restore into another cluster they are removed within a minute, "
        "and return when their agents join it.",
    ),
}


def effect_on(name: str, version: str | None) -> str:
    """Return what is known of a finding's effect on a version (None: unknown): SEEN, UNTESTED or NONE.

    Between a version that was harmed and one that was not, nobody knows where the change lies, so all of them count as
    UNTESTED; beyond the one that was not harmed there is no harm.
    """
    meaning = MEANINGS[name]
    if not meaning.harms:
        return SEEN
    if version is None:
        return UNTESTED
    build, target = build_of(version), order_key(version)
    if build in meaning.harms:
        return SEEN

    def is_beyond(harmed: str) -> bool:
        low, high = sorted([order_key(harmed), target])
        return any(low <= order_key(safe) <= high for safe in meaning.spares)

    return NONE if all(is_beyond(harmed) for harmed in meaning.harms) else UNTESTED


def severity_for(name: str, version: str | None) -> str:
    """Return how much a finding matters to a version; None stands for the version that it harms most."""
    meaning = MEANINGS[name]
    return meaning.severity if version is None or effect_on(name, version) != NONE else INFO


def deadly(names: Collection[str], version: str | None) -> dict[str, str]:
    """Return the critical ones of these findings for a version, each with what is known of its effect on it."""
    critical = [name for name, meaning in MEANINGS.items() if name in names and meaning.severity == CRITICAL]
    effects = {name: effect_on(name, version) for name in critical}
    return {name: effect for name, effect in effects.items() if effect != NONE}
