# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every guard says of every state of the facts, with and without its risk accepted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._guards import (
    ACCEPTED,
    GUARDS,
    NOT_CHECKED,
    PASSED,
    REFUSED,
    RISKS,
    RestoreFacts,
    as_results,
    evaluate,
    refusals,
)

# A fresh and healthy target, an archive that verifies, a token that may restore it.
GOOD = RestoreFacts(
    archive_fault=None,
    permitted=True,
    leader="10.0.0.1:8300",
    healthy=True,
    unhealthy_servers=(),
    user_records={},
    unchanged=False,
    backup_dir=None,
    unknown={},
)
FULL = {"KVS": 3, "ACLToken": 1}

# Guard, what differs from GOOD, accepted risks, status, risk in the result, words in the detail.
ROWS: list[tuple[str, dict[str, Any], tuple[str, ...], str, str | None, str]] = [
    ("archive", {}, (), PASSED, None, "verifies"),
    ("archive", {"archive_fault": "cut short"}, (), REFUSED, None, "does not verify: cut short"),
    ("archive", {"archive_fault": "cut short"}, RISKS, REFUSED, None, "cut short"),
    ("token", {}, (), PASSED, None, "may restore"),
    ("token", {"permitted": False}, (), REFUSED, None, 'acl = "write"'),
    ("token", {"permitted": False}, RISKS, REFUSED, None, 'acl = "write"'),
    ("token", {"permitted": False, "unknown": {"token": "it is not known"}}, (), REFUSED, None, "it is not known"),
    ("token", {"permitted": None}, (), NOT_CHECKED, None, "could not be asked: no answer"),
    ("token", {"permitted": None, "unknown": {"token": "404"}}, (), NOT_CHECKED, None, "could not be asked: 404"),
    ("health", {}, (), PASSED, None, "healthy"),
    ("health", {"leader": None}, (), REFUSED, None, "no leader"),
    ("health", {"leader": None}, RISKS, REFUSED, None, "no leader"),
    ("health", {"leader": None, "healthy": True}, RISKS, REFUSED, None, "no leader"),
    ("health", {"healthy": None, "unknown": {"health": "403"}}, (), NOT_CHECKED, None, "could not be asked: 403"),
    (
        "health",
        {"healthy": False, "unhealthy_servers": ("server-3", "server-5")},
        (),
        REFUSED,
        "unhealthy_target",
        "(server-3, server-5).*accept_risks: [unhealthy_target]",
    ),
    ("health", {"healthy": False}, ("replace_content",), REFUSED, "unhealthy_target", "no server by name"),
    ("health", {"healthy": False}, ("unhealthy_target",), ACCEPTED, "unhealthy_target", "left behind"),
    ("fresh", {}, (), PASSED, None, "fresh"),
    ("fresh", {"user_records": None}, (), REFUSED, None, "could not be read"),
    ("fresh", {"user_records": None, "unknown": {"content": "500"}}, RISKS, REFUSED, None, "kept either: 500"),
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
]


def identity(row: tuple[Any, ...]) -> str:
    name, changes, accepted, status = row[:4]
    return f"{name}-{status}-{'-'.join(f'{key}={value}' for key, value in changes.items())}-{'+'.join(accepted)}"


@pytest.mark.parametrize(
    ("name", "changes", "accepted", "status", "risk", "words"), ROWS, ids=[identity(row) for row in ROWS]
)
def test_row(
    name: str, changes: dict[str, Any], accepted: tuple[str, ...], status: str, risk: str | None, words: str
) -> None:
    findings = {finding.name: finding for finding in evaluate(GOOD._replace(**changes), accepted)}
    finding = findings[name]

    assert (finding.status, finding.risk) == (status, risk)
    position = 0
    for part in words.split(".*"):
        assert part in finding.detail[position:]
        position = finding.detail.index(part, position)
    # One fact out of order is no reason for another guard to refuse.
    assert all(other.status == PASSED for other in findings.values() if other.name != name)


def test_every_guard_has_rows_for_what_it_can_say() -> None:
    said: dict[str, set[str]] = {}
    for name, _changes, _accepted, status, _risk, _words in ROWS:
        said.setdefault(name, set()).add(status)

    assert said == {
        "archive": {PASSED, REFUSED},
        "token": {PASSED, REFUSED, NOT_CHECKED},
        "health": {PASSED, REFUSED, NOT_CHECKED, ACCEPTED},
        "fresh": {PASSED, REFUSED, ACCEPTED},
    }
    assert list(said) == [guard.name for guard in GUARDS]


def test_all_guards_speak_at_once_and_in_order() -> None:
    bad = GOOD._replace(archive_fault="cut", permitted=False, healthy=False, user_records=FULL)
    findings = evaluate(bad, ())

    assert [finding.name for finding in findings] == ["archive", "token", "health", "fresh"]
    assert refusals(findings) == findings


def test_what_is_accepted_or_not_checked_does_not_forbid() -> None:
    facts = GOOD._replace(permitted=None, healthy=False, user_records=FULL, backup_dir="/b")
    findings = evaluate(facts, RISKS)

    assert [finding.status for finding in findings] == [PASSED, NOT_CHECKED, ACCEPTED, ACCEPTED]
    assert refusals(findings) == []


def test_an_unknown_risk_accepts_nothing() -> None:
    assert refusals(evaluate(GOOD._replace(healthy=False), ("everything",)))


def test_the_risks_of_the_table() -> None:
    assert RISKS == ("unhealthy_target", "replace_content")


def test_results_are_plain() -> None:
    assert as_results(evaluate(GOOD, ())[:1]) == [
        {"name": "archive", "status": "passed", "detail": "the archive verifies", "risk": None}
    ]
