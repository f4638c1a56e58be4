# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether to take, to keep and to restore, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.decisions import (
    Decision,
    NewestArchive,
    keeps_newer,
    should_keep,
    should_restore,
    should_take,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)

NOW = 1_000_000.0


def fingerprint(**types: int) -> Fingerprint:
    """Return a fingerprint with one record of each type."""
    return Fingerprint({name: TypeDigest(1, digest) for name, digest in types.items()})


HELD = NewestArchive(index=42, confirmed_at=NOW - 100, fingerprint=fingerprint(KVS=1, ACLToken=2))

TAKE = [
    ("nothing there", None, {}, True, "a snapshot tells"),
    ("nothing there, max_age", None, {"max_age": 1000}, True, "a snapshot tells"),
    ("no max_age", HELD, {}, True, "a snapshot tells"),
    ("young", HELD, {"max_age": 101}, False, "the archive of index 42 was confirmed 100 s ago, and max_age is 101 s"),
    ("just too old", HELD, {"max_age": 100}, True, "the newest archive was confirmed 100 s ago, and max_age is 100 s"),
    ("max_age zero", replace(HELD, confirmed_at=NOW), {"max_age": 0}, True, "the newest archive was confirmed 0 s ago"),
    ("young, forced", HELD, {"max_age": 1000, "force": True}, True, "it was forced"),
    ("no leader confirmed it", replace(HELD, confirmed_at=None), {"max_age": 1000}, True, "no leader has confirmed"),
    ("in the future", replace(HELD, confirmed_at=NOW + 1), {"max_age": 1000}, True, "dated in the future"),
    ("young, another fingerprint's version", replace(HELD, fingerprint=None), {"max_age": 101}, False, "index 42"),
]


@pytest.mark.parametrize(("held", "options", "go", "reason"), [row[1:] for row in TAKE], ids=[row[0] for row in TAKE])
def test_should_take(held: NewestArchive | None, options: dict[str, Any], go: bool, reason: str) -> None:
    decision = should_take(held, **{"max_age": None, "force": False, "now": NOW, **options})

    assert decision.go is go
    assert reason in decision.reason


SAME = fingerprint(KVS=1, ACLToken=2)
KEEP = [
    ("nothing there", None, SAME, {}, True, "there was no archive of this cluster"),
    ("same", HELD, SAME, {}, False, "the content is still that of index 42"),
    ("same, forced", HELD, SAME, {"force": True}, True, "it was forced"),
    ("same, not skipped", HELD, SAME, {"skip_unchanged": False}, True, "index 42, and skip_unchanged is false"),
    ("not comparable", replace(HELD, fingerprint=None), SAME, {}, True, "the newest archive can't be compared with"),
    ("changed", HELD, fingerprint(KVS=3, ACLToken=2), {}, True, "content changed since index 42: KVS"),
    (
        "same, without a leader",
        HELD,
        SAME,
        {"by_leader": False},
        False,
        "index 42, which no leader confirmed this time",
    ),
    ("behind, without a leader", HELD, fingerprint(KVS=3), {"by_leader": False}, True, "of index 42: ACLToken, KVS"),
    ("a hostile name", HELD, fingerprint(**{"\x1b[2J": 3}), {}, True, "index 42: \\x1b[2J, ACLToken, KVS"),
    ("type gone", HELD, fingerprint(KVS=1), {}, True, "content changed since index 42: ACLToken"),
    (
        "several, by name",
        HELD,
        fingerprint(Register=9, KVS=3, ACLToken=2),
        {},
        True,
        "content changed since index 42: KVS, Register",
    ),
    (
        "changed, not skipped",
        HELD,
        fingerprint(KVS=3, ACLToken=2),
        {"skip_unchanged": False},
        True,
        "since index 42: KVS",
    ),
]


@pytest.mark.parametrize(
    ("held", "taken", "options", "go", "reason"), [row[1:] for row in KEEP], ids=[row[0] for row in KEEP]
)
def test_should_keep(
    held: NewestArchive | None, taken: Fingerprint, options: dict[str, Any], go: bool, reason: str
) -> None:
    decision = should_keep(held, taken, **{"skip_unchanged": True, "force": False, **options})

    assert decision.go is go
    assert decision.reason.endswith(reason)


@pytest.mark.parametrize(
    ("index", "options", "stays"),
    [
        (41, {"by_leader": False}, True),
        (42, {"by_leader": False}, False),
        (41, {"by_leader": True}, False),
        (41, {"by_leader": False, "force": True}, False),
    ],
)
def test_an_older_state_does_not_replace_a_newer_one(index: int, options: dict[str, Any], stays: bool) -> None:
    decision = keeps_newer(HELD, index, **{"force": False, **options})
    assert (decision is not None) is stays
    assert keeps_newer(None, index, by_leader=False, force=False) is None
    if decision:
        assert not decision.go


RESTORE = [
    ("unreadable", None, None, Decision(True, "the cluster's own content could not be read")),
    ("equal", SAME, False, Decision(False, "the cluster already holds the archive's content")),
    ("equal and fresh", SAME, True, Decision(False, "the cluster already holds the archive's content")),
    ("fresh", fingerprint(Autopilot=1), True, Decision(True, "the cluster is fresh")),
    (
        "other content",
        fingerprint(KVS=5, ACLToken=2),
        False,
        Decision(True, "the cluster's content is not the archive's: KVS"),
    ),
]


@pytest.mark.parametrize(("target", "fresh", "decision"), [row[1:] for row in RESTORE], ids=[row[0] for row in RESTORE])
def test_should_restore(target: Fingerprint | None, fresh: bool | None, decision: Decision) -> None:
    assert should_restore(SAME, target, fresh=fresh) == decision
