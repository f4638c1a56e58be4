# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every check says of every state of the facts, with and without its risk accepted."""

from __future__ import annotations

from typing import Any

import pytest
from support.restores import facts

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guard_checks import (
    deregister,
    name_conflicts,
    surviving_token,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guard_facts import (
    SigningFacts,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guards import (
    ACCEPTED,
    GUARDS,
    NOT_CHECKED,
    PASSED,
    REFUSED,
    RISKS,
    evaluate,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.peerings import Peering

FULL = {"KVS": 3, "ACLToken": 1}
DIALLED = Peering("id-1", "east", "ACTIVE", True)
WAITING = Peering("id-2", "west", "PENDING", False)

# Guard, what differs from GOOD, accepted risks, status, risk in the result, words in the detail.
SIGNED = SigningFacts(True, "ops@example.com")
UNSIGNED = SigningFacts(True, None, "its manifest is not signed")
ROWS: list[tuple[str, dict[str, Any], tuple[str, ...], str, str | None, str]] = [
    ("archive", {}, (), PASSED, None, "verifies"),
    ("archive", {"archive_fault": "cut short"}, (), REFUSED, None, "does not verify: cut short"),
    ("archive", {"archive_fault": "cut short"}, RISKS, REFUSED, None, "cut short"),
    ("signature", {}, (), PASSED, None, "no signature is required"),
    ("signature", {"signing": SIGNED}, (), PASSED, None, "signed by ops@example.com"),
    ("signature", {"signing": UNSIGNED}, (), REFUSED, "unsigned_archive", "nobody.*vouches.*is not signed.*ACL tokens"),
    ("signature", {"signing": UNSIGNED}, ("unsigned_archive",), ACCEPTED, "unsigned_archive", "is not signed"),
    ("signature", {"archive": None}, RISKS, NOT_CHECKED, None, "does not verify"),
    ("token", {}, (), PASSED, None, "may restore"),
    ("token", {"permitted": False}, (), REFUSED, None, 'acl = "write"'),
    ("token", {"permitted": False}, RISKS, REFUSED, None, 'acl = "write"'),
    ("token", {"permitted": False, "unknown": {"token": "it is not known"}}, (), REFUSED, None, "it is not known"),
    ("token", {"permitted": False, "provided": ()}, RISKS, REFUSED, None, 'no token was given.*use a token.*"write"'),
    ("token", {"permitted": None}, (), NOT_CHECKED, None, "did not report whether the token may restore: no answer"),
    ("token", {"permitted": None, "unknown": {"token": "404"}}, (), NOT_CHECKED, None, "may restore: 404"),
    ("health", {}, (), PASSED, None, "healthy"),
    ("health", {"leader": None}, (), REFUSED, None, "no leader"),
    ("health", {"leader": None}, RISKS, REFUSED, None, "no leader"),
    ("health", {"leader": None, "healthy": True}, RISKS, REFUSED, None, "no leader"),
    ("health", {"leader": None, "unknown": {"token": "it is not known"}}, (), NOT_CHECKED, None, "could not be read"),
    ("health", {"healthy": None, "unknown": {"health": "403"}}, (), NOT_CHECKED, None, "could not be read: 403"),
    (
        "health",
        {"healthy": False, "unhealthy_servers": ("server-3", "server-5")},
        (),
        REFUSED,
        "unhealthy_target",
        "(server-3, server-5).*accept_risks: [unhealthy_target]",
    ),
    ("health", {"healthy": False}, ("replace_content",), REFUSED, "unhealthy_target", "no server is named"),
    ("health", {"healthy": False}, ("unhealthy_target",), ACCEPTED, "unhealthy_target", "a different state"),
    ("fresh", {}, (), PASSED, None, "fresh"),
    ("fresh", {"user_records": None}, (), REFUSED, None, "could not be read"),
    ("fresh", {"user_records": None, "unknown": {"content": "500"}}, RISKS, REFUSED, None, "saved first: 500"),
    ("fresh", {"user_records": FULL}, (), REFUSED, "replace_content", "(1 ACLToken, 3 KVS).*[replace_content]"),
    ("fresh", {"user_records": FULL, "unchanged": True}, (), PASSED, None, "already"),
    ("fresh", {"user_records": FULL, "backup_dir": "/b"}, (), REFUSED, "replace_content", "[replace_content]"),
    ("fresh", {"user_records": FULL}, ("unhealthy_target",), REFUSED, "replace_content", "[replace_content]"),
    ("fresh", {"user_records": FULL}, ("replace_content",), REFUSED, "replace_content", "set backup_dir"),
    (
        "fresh",
        {"user_records": FULL, "backup_dir": "/b"},
        ("replace_content",),
        ACCEPTED,
        "replace_content",
        "holds content (1 ACLToken, 3 KVS)",
    ),
    ("datacenter", {}, (), PASSED, None, "datacenter dc1"),
    ("datacenter", {"of_datacenter": None}, (), NOT_CHECKED, None, "of the archive is not known"),
    ("datacenter", {"datacenter": None}, (), NOT_CHECKED, None, "of the cluster is not known"),
    (
        "datacenter",
        {"of_datacenter": "dc9"},
        (),
        REFUSED,
        "other_datacenter",
        "dc9.*cluster is dc1.*would stay in dc9.*[other_datacenter]",
    ),
    ("datacenter", {"of_datacenter": "dc9"}, RISKS, ACCEPTED, "other_datacenter", "the cluster is dc1"),
    ("version", {}, (), PASSED, None, "1.22.7, and the servers run 1.22.7"),
    ("version", {"versions": ("1.22.7", "1.22.7+ent")}, (), PASSED, None, "the servers run 1.22.7"),
    ("version", {"version": None}, (), NOT_CHECKED, None, "of the archive is not known"),
    ("version", {"version": "1.22.6"}, (), REFUSED, "other_version", "[other_version], or set version_check: minor"),
    ("version", {"version": "1.22.7-rc1"}, (), REFUSED, "other_version", "1.22.7-rc1"),
    ("version", {"version": "1.22.6", "version_check": "minor"}, (), PASSED, None, "1.22.6"),
    ("version", {"version": "1.21.0"}, (), REFUSED, "other_version", "same version only.*[other_version]"),
    ("version", {"version": "1.21.0", "version_check": "minor"}, (), REFUSED, "other_version", "[other_version]"),
    ("version", {"versions": ("1.22.6", "1.22.7")}, (), REFUSED, "other_version", "run 1.22.6, 1.22.7"),
    ("version", {"version": "1.21.0"}, RISKS, ACCEPTED, "other_version", "1.21.0"),
    ("version", {"version": "1.21.0", "version_check": "off"}, (), NOT_CHECKED, None, "off (archive: 1.21.0; servers"),
    ("version", {"version": None, "version_check": "off"}, (), NOT_CHECKED, None, "archive: unknown"),
    ("record_types", {}, (), PASSED, None, "Consul 1.22.7 can read all"),
    ("record_types", {"types": frozenset({2, 99})}, RISKS, REFUSED, None, "1.22.7 can't read (Unknown(99)).*crash"),
    ("record_types", {"types": frozenset({2, 65})}, RISKS, REFUSED, None, "(Namespace (65)).*same edition"),
    ("record_types", {"types": frozenset({2, 65}), "enterprise": True}, (), PASSED, None, "1.22.7+ent can read"),
    ("record_types", {"config_kinds": frozenset({"cake"})}, RISKS, REFUSED, None, "(ConfigEntry cake)"),
    ("record_types", {"versions": ()}, RISKS, REFUSED, None, 'not known.*agent = "read"'),
    ("record_types", {"versions": ("1.7.0",)}, RISKS, NOT_CHECKED, None, "not known what Consul 1.7.0 can restore"),
    ("record_types", {"versions": ("1.22.7", "1.8.7")}, RISKS, REFUSED, None, "(ConfigEntry mesh)"),
    ("findings", {}, (), PASSED, None, "nothing that is known to harm Consul 1.22.7"),
    ("findings", {"findings": {"services_of_agents": 3, "of_the_future": 1}}, (), PASSED, None, "known to harm"),
    (
        "findings",
        {"findings": {"token_without_accessor": 2}},
        RISKS,
        REFUSED,
        None,
        "records that stop servers: token_without_accessor: 2 (seen to stop Consul 1.22.7). ACL tokens.*new archive",
    ),
    (
        "findings",
        {"findings": {"token_without_accessor": 2}, "version": "1.22.6", "versions": ("1.22.6",)},
        (),
        REFUSED,
        "critical_findings",
        "(not tried with Consul 1.22.6; seen to stop 1.22.7).*snapshot_rehearse.*accept_risks: [critical_findings]",
    ),
    (
        "findings",
        {"findings": {"session_ttl_invalid": 1}, "version": "2.0.0", "versions": ("2.0.0",)},
        RISKS,
        ACCEPTED,
        "critical_findings",
        "not tried with Consul 2.0.0; seen to stop 1.22.7 and 1.8.7",
    ),
    ("findings", {"findings": {"node_names_differ_in_case": 1}}, (), PASSED, None, "nothing that is known to harm"),
    ("findings", {"findings": {"legacy_token": 1}}, (), PASSED, None, "stop Consul 1.22.7, but legacy_token: 1.*rules"),
    ("active_peering", {}, (), PASSED, None, "no peering"),
    ("active_peering", {"archive_peerings": (WAITING,)}, (), PASSED, None, "no peering"),
    (
        "active_peering",
        {"archive_peerings": (DIALLED, WAITING)},
        (),
        REFUSED,
        "active_peering",
        "(east).*in place of the cluster.*don't delete the peerings.*accept_risks: [active_peering] where",
    ),
    ("active_peering", {"archive_peerings": (DIALLED,)}, RISKS, ACCEPTED, "active_peering", "(east)"),
    (
        "active_peering",
        {"archive_peerings": (DIALLED,), "archive_servers": frozenset({"a", "b"}), "server_ids": frozenset({"b", "c"})},
        (),
        PASSED,
        None,
        "its own (east)",
    ),
    (
        "active_peering",
        {"archive_peerings": (DIALLED,), "target_peerings": frozenset({"id-1", "id-2"})},
        (),
        PASSED,
        None,
        "already holds these peerings (east)",
    ),
    ("token_survival", {}, (), PASSED, None, "token stays valid after the restore: it is in the archive"),
    ("token_survival", {"acl": False, "provided": (), "tokens": frozenset()}, (), PASSED, None, "ACLs are off"),
    ("token_survival", {"tokens": frozenset(), "surviving": {"token": "made anew"}}, (), PASSED, None, "made anew"),
    ("token_survival", {"acl": None}, (), PASSED, None, "in the archive"),
    (
        "token_survival",
        {"provided": ("token", "post_restore_token"), "tokens": frozenset({"post_restore_token"})},
        (),
        PASSED,
        None,
        "post_restore_token stays valid",
    ),
    ("token_survival", {"provided": ("token", "post_restore_token")}, (), PASSED, None, "token stays valid"),
    ("token_survival", {"provided": (), "tokens": frozenset()}, (), NOT_CHECKED, None, "no token was given"),
    (
        "token_survival",
        {"tokens": frozenset()},
        (),
        REFUSED,
        "token_loss",
        "token is not in the archive.*nobody may be able to log in.*Set post_restore_token.*[token_loss]",
    ),
    ("token_survival", {"tokens": frozenset(), "acl": None}, (), REFUSED, "token_loss", "token is not in the archive"),
    (
        "token_survival",
        {"tokens": frozenset(), "provided": ("token", "post_restore_token")},
        (),
        REFUSED,
        "token_loss",
        "post_restore_token and token are not in the archive",
    ),
    (
        "token_survival",
        {"tokens": frozenset(), "expired": frozenset({"token"})},
        (),
        REFUSED,
        "token_loss",
        "token had expired",
    ),
    ("token_survival", {"tokens": frozenset(), "holds_tokens": False}, (), REFUSED, "token_loss", "no tokens at all"),
    ("token_survival", {"tokens": frozenset()}, RISKS, ACCEPTED, "token_loss", "nobody may be able"),
    ("node_identity", {}, (), PASSED, None, "no living agent"),
    ("node_identity", {"living": {}}, (), NOT_CHECKED, None, "could not be listed"),
    ("node_identity", {"living": {"other": "id-7"}}, (), PASSED, None, "no living agent"),
    (
        "node_identity",
        {"living": {"Server-1": "new"}},
        (),
        REFUSED,
        "node_conflict",
        'ids (server-1).*reserved.*\'{"Datacenter": "dc1", "Node": "server-1"}\'.*/v1/catalog/deregister.*[node_conf',
    ),
    ("node_identity", {"living": {"web-1": "new"}}, RISKS, ACCEPTED, "node_conflict", "(web-1)"),
]


def identity(row: tuple[Any, ...]) -> str:
    name, changes, accepted, status = row[:4]
    # Sets have no order, and all processes have to call a test the same.
    changes = {key: sorted(value) if isinstance(value, frozenset) else value for key, value in changes.items()}
    return f"{name}-{status}-{'-'.join(f'{key}={value}' for key, value in changes.items())}-{'+'.join(accepted)}"


@pytest.mark.parametrize(
    ("name", "changes", "accepted", "status", "risk", "words"), ROWS, ids=[identity(row) for row in ROWS]
)
def test_row(
    name: str, changes: dict[str, Any], accepted: tuple[str, ...], status: str, risk: str | None, words: str
) -> None:
    findings = {finding.name: finding for finding in evaluate(facts(**changes), accepted)}
    finding = findings[name]

    assert (finding.status, finding.risk) == (status, risk)
    position = 0
    for part in words.split(".*"):
        assert part in finding.detail[position:]
        position = finding.detail.index(part, position)
    # One fact out of order is no reason for another guard to refuse.
    assert [other.name for other in findings.values() if other.name != name and other.status == REFUSED] == []


def test_every_guard_has_rows_for_what_it_can_say() -> None:
    said: dict[str, set[str]] = {}
    for name, _changes, _accepted, status, _risk, _words in ROWS:
        said.setdefault(name, set()).add(status)

    assert said == {
        "archive": {PASSED, REFUSED},
        "signature": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
        "token": {PASSED, REFUSED, NOT_CHECKED},
        "health": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
        "fresh": {PASSED, REFUSED, ACCEPTED},
        "datacenter": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
        "version": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
        "record_types": {PASSED, REFUSED, NOT_CHECKED},
        "findings": {PASSED, REFUSED, ACCEPTED},
        "active_peering": {PASSED, REFUSED, ACCEPTED},
        "token_survival": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
        "node_identity": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
    }
    assert list(said) == [guard.name for guard in GUARDS]


def test_of_two_tokens_that_survive_the_last_one_counts() -> None:
    both = ("token", "post_restore_token")
    assert surviving_token(facts(provided=both, tokens=frozenset(both))) == "post_restore_token"
    assert surviving_token(facts(provided=both, tokens=frozenset({"token"}))) == "token"
    assert surviving_token(facts(provided=both, tokens=frozenset(), surviving={"token": "configured"})) == "token"
    assert surviving_token(facts(provided=both, tokens=frozenset())) is None
    assert surviving_token(facts(archive=None)) is None


def test_names_conflict_whatever_their_case() -> None:
    archive = {"Web-1": "id-1", "web-2": "id-2", "web-3": "id-3"}
    assert name_conflicts(archive, {"web-1": "another", "WEB-2": "id-2", "web-4": "id-4"}) == ["Web-1"]
    assert name_conflicts({}, {"web-1": "id-1"}) == []


def test_the_command_that_frees_a_name_shows_no_token_and_is_safe_to_paste() -> None:
    command = deregister("it's; rm -rf /", "dc1")
    assert "$CONSUL_HTTP_TOKEN" in command
    assert command.startswith("printf 'X-Consul-Token: %s'")
    # The quote in the name ends the shell's word, stands for itself, and begins the word again.
    assert """'{"Datacenter": "dc1", "Node": "it'"'"'s; rm -rf /"}'""" in command
    assert '"Datacenter"' not in deregister("web-1", None)
