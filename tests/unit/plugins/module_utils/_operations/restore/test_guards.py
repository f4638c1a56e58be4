# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of guards as a whole: order, risks, what forbids a restore and what is warned of."""

from __future__ import annotations

from support.restores import facts

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guard_facts import (
    SigningFacts,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guards import (
    ACCEPTED,
    GUARDS,
    NOT_CHECKED,
    OFF,
    PASSED,
    RISKS,
    Finding,
    as_results,
    evaluate,
    refusals,
    warnings,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.peerings import Peering

FULL = {"KVS": 3, "ACLToken": 1}
DIALLED = Peering("id-1", "east", "ACTIVE", True)
OF_SENDING = [guard.name for guard in GUARDS if guard.upload_only]


def test_all_guards_speak_at_once_and_in_order() -> None:
    bad = facts(
        archive_fault="cut", permitted=False, healthy=False, user_records=FULL, of_datacenter="dc9", version="1.8.7",
        types=frozenset({99}), tokens=frozenset(), living={"server-1": "another"},
        findings={"token_without_accessor": 1}, archive_peerings=(DIALLED,), signing=SigningFacts(True, None, "forged"),
    )  # fmt: skip
    findings = evaluate(bad, ())

    assert [finding.name for finding in findings] == [guard.name for guard in GUARDS]
    assert refusals(findings) == findings


def test_what_is_accepted_or_not_checked_does_not_forbid() -> None:
    found = evaluate(facts(permitted=None, healthy=False, user_records=FULL, backup_dir="/b"), RISKS)

    assert [finding.status for finding in found][:5] == [PASSED, PASSED, NOT_CHECKED, ACCEPTED, ACCEPTED]
    assert refusals(found) == []


def test_nothing_is_said_of_an_archive_that_does_not_verify() -> None:
    found = {one.name: one for one in evaluate(facts(archive_fault="cut", archive=None), RISKS)}

    assert [one.name for one in refusals(list(found.values()))] == ["archive"]
    assert {found[name].status for name in OF_SENDING} == {NOT_CHECKED}


def test_where_nothing_would_be_sent_nothing_is_warned_of() -> None:
    told = {"of_datacenter": "dc9", "version": "1.8.7", "types": frozenset({99}), "tokens": frozenset()}
    found = {one.name: one for one in evaluate(facts(unchanged=True, **told), ())}

    assert {found[name].status for name in OF_SENDING} == {PASSED}
    assert {found[name].detail for name in OF_SENDING} == {
        "the cluster already holds the archive's content; nothing would be sent"
    }


def test_names_from_outside_are_shown_escaped() -> None:
    details = [
        one.detail for one in evaluate(facts(of_datacenter="dc9\x1b[2J\n", config_kinds=frozenset({"a\rb"})), ())
    ]

    assert "dc9\\x1b[2J\\n" in " ".join(details)
    assert [detail for detail in details if not detail.isprintable()] == []


def test_an_unknown_risk_accepts_nothing() -> None:
    assert refusals(evaluate(facts(healthy=False), ("everything",)))


def test_the_risks_of_the_table() -> None:
    assert (
        *("unsigned_archive", "unhealthy_target", "replace_content", "other_datacenter", "other_version"),
        *("critical_findings", "active_peering", "token_loss", "node_conflict"),
    ) == RISKS


def test_a_guard_that_could_not_look_is_a_warning_unless_it_was_told_not_to() -> None:
    found = [Finding("version", NOT_CHECKED, "off", None), Finding("token", NOT_CHECKED, "404", None)]

    assert warnings(found, OFF) == ["guard token: 404"]
    assert warnings(found, "exact") == ["guard version: off", "guard token: 404"]
    assert warnings(evaluate(facts(), ()), "exact") == []


def test_what_a_restore_loses_is_said_although_nothing_stands_against_it() -> None:
    [line] = warnings(evaluate(facts(findings={"legacy_token": 2, "token_expired": 1}), ()), "exact")

    assert line.startswith(
        "guard findings: the archive holds nothing that is known to stop Consul 1.22.7, but legacy_t"
    )
    assert "token_expired: 1. " in line


def test_results_are_plain() -> None:
    assert as_results(evaluate(facts(), ())[:1]) == [
        {"name": "archive", "status": "passed", "detail": "the archive verifies", "risk": None}
    ]
