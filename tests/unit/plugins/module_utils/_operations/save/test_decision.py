# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether to take a snapshot, whether to keep it, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import DestinationError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.decision import (
    DAMAGED,
    FORCED,
    REBUILT,
    NewestArchive,
    decide,
    is_less_than_asked,
    newest_archive,
    require_overwritable,
    should_keep,
    should_take,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import Consistency, Manifest

NOW = 1_000_000.0


def fingerprint(**types: int) -> Fingerprint:
    """Return a fingerprint with one record of each type."""
    return Fingerprint({name: TypeDigest(1, digest) for name, digest in types.items()})


NEWEST = NewestArchive(index=42, confirmed_at=NOW - 100, fingerprint=fingerprint(KVS=1, ACLToken=2))

TAKE = [
    ("nothing there", None, {}, True, "only a snapshot can tell"),
    ("nothing there, max_age", None, {"max_age": 1000}, True, "only a snapshot can tell"),
    ("no max_age", NEWEST, {}, True, "only a snapshot can tell"),
    ("young", NEWEST, {"max_age": 101}, False, "the archive of index 42 was confirmed 100 s ago, and max_age is 101 s"),
    (
        "just too old",
        NEWEST,
        {"max_age": 100},
        True,
        "was confirmed 100 s ago, and max_age is 100 s",
    ),
    (
        "max_age zero",
        replace(NEWEST, confirmed_at=NOW),
        {"max_age": 0},
        True,
        "archive was confirmed 0 s ago",
    ),
    ("young, forced", NEWEST, {"max_age": 1000, "force": True}, True, "it was forced"),
    ("no leader confirmed it", replace(NEWEST, confirmed_at=None), {"max_age": 1000}, True, "no leader has confirmed"),
    ("in the future", replace(NEWEST, confirmed_at=NOW + 1), {"max_age": 1000}, True, "dated in the future"),
    ("young, another fingerprint's version", replace(NEWEST, fingerprint=None), {"max_age": 101}, False, "index 42"),
]


@pytest.mark.parametrize(("newest", "options", "go", "reason"), [row[1:] for row in TAKE], ids=[row[0] for row in TAKE])
def test_should_take(newest: NewestArchive | None, options: dict[str, Any], go: bool, reason: str) -> None:
    decision = should_take(newest, **{"max_age": None, "force": False, "now": NOW, **options})

    assert decision.go is go
    assert reason in decision.reason


SAME = fingerprint(KVS=1, ACLToken=2)
KEEP = [
    ("nothing there", None, SAME, {}, True, "there was no archive of this cluster"),
    ("same", NEWEST, SAME, {}, False, "the content is still that of index 42"),
    ("same, not skipped", NEWEST, SAME, {"skip_unchanged": False}, True, "index 42, and skip_unchanged is false"),
    (
        "not comparable",
        replace(NEWEST, fingerprint=None),
        SAME,
        {},
        True,
        "has a fingerprint of another version",
    ),
    ("changed", NEWEST, fingerprint(KVS=3, ACLToken=2), {}, True, "content changed since index 42: KVS"),
    (
        "same, without a leader",
        NEWEST,
        SAME,
        {"by_leader": False},
        False,
        "index 42, which no leader confirmed this time",
    ),
    (
        "behind, without a leader",
        NEWEST,
        fingerprint(KVS=3),
        {"by_leader": False},
        True,
        "content differs from that of index 42: ACLToken, KVS",
    ),
    ("a hostile name", NEWEST, fingerprint(**{"\x1b[2J": 3}), {}, True, "index 42: \\x1b[2J, ACLToken, KVS"),
    ("type gone", NEWEST, fingerprint(KVS=1), {}, True, "content changed since index 42: ACLToken"),
    (
        "several, by name",
        NEWEST,
        fingerprint(Register=9, KVS=3, ACLToken=2),
        {},
        True,
        "content changed since index 42: KVS, Register",
    ),
    (
        "changed, not skipped",
        NEWEST,
        fingerprint(KVS=3, ACLToken=2),
        {"skip_unchanged": False},
        True,
        "since index 42: KVS",
    ),
]


@pytest.mark.parametrize(
    ("newest", "snapshot", "options", "go", "reason"), [row[1:] for row in KEEP], ids=[row[0] for row in KEEP]
)
def test_should_keep(
    newest: NewestArchive | None, snapshot: Fingerprint, options: dict[str, Any], go: bool, reason: str
) -> None:
    decision = should_keep(newest, snapshot, **{"skip_unchanged": True, **options})

    assert decision.go is go
    assert decision.reason.endswith(reason)


CLUSTER = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"))
PRODUCTION = CLUSTER._replace(name="production")
REBUILT_PRODUCTION = PRODUCTION._replace(servers=("new",), id="another")
MANIFEST = Manifest(
    file="a.snap",
    size=4,
    sha256="ab" * 32,
    meta_id="2-42-1700000000000",
    index=42,
    taken_at=NOW - 100,
    confirmed_at=NOW - 100,
    cluster=CLUSTER,
    consistency=Consistency(False, 0, True),
    fingerprint=SAME,
    records={},
    user_records={},
)


def manifest(**changes: Any) -> Manifest:
    return replace(MANIFEST, **changes)


def test_the_newest_archive_is_certainly_of_the_same_servers() -> None:
    assert newest_archive(None, CLUSTER) is None
    assert newest_archive(MANIFEST, CLUSTER) == NewestArchive(42, NOW - 100, SAME)
    assert newest_archive(MANIFEST, CLUSTER._replace(servers=("s2", "s3"))) is not None
    assert newest_archive(MANIFEST, CLUSTER._replace(servers=("s3",))) is None
    assert newest_archive(MANIFEST, CLUSTER._replace(servers=())) is None
    unconfirmed = newest_archive(manifest(confirmed_by_leader=False), CLUSTER)
    assert unconfirmed is not None
    assert unconfirmed.confirmed_at is None


OTHER = fingerprint(KVS=9, ACLToken=2)
LEADERLESS = {"confirmed_by_leader": False}
DECIDE = [
    ("nothing there", None, {}, {}, "there was no archive of this cluster", False),
    ("same", {}, {}, {}, "the content is still that of index 42", False),
    ("changed", {}, {"fingerprint": OTHER}, {}, "content changed since index 42: KVS", False),
    ("forced", {}, {}, {"force": True}, FORCED.reason, False),
    ("of other servers", {"cluster": CLUSTER._replace(servers=("s9",))}, {}, {}, "no archive of this cluster", False),
    ("rebuilt", {"cluster": PRODUCTION}, {"cluster": REBUILT_PRODUCTION}, {}, REBUILT.reason, True),
    ("rebuilt, by force", {"cluster": PRODUCTION}, {"cluster": REBUILT_PRODUCTION}, {"force": True}, "forced", True),
    (
        "another name is another cluster, not a rebuilt one",
        {"cluster": PRODUCTION._replace(name="staging")},
        {"cluster": REBUILT_PRODUCTION},
        {"force": True},
        "forced",
        False,
    ),
    ("a name for one without", {}, {"cluster": PRODUCTION}, {}, "still that of index 42", False),
    ("older and leaderless", {}, {"index": 41, **LEADERLESS}, {"overwrites": True}, "42 is newer than this", False),
    (
        "older, leaderless, into a directory",
        {},
        {"index": 41, "fingerprint": OTHER, **LEADERLESS},
        {},
        "content differs from that of index 42: KVS",
        False,
    ),
    ("not older and leaderless", {}, LEADERLESS, {"overwrites": True}, "which no leader confirmed this time", False),
    ("older, by a leader", {}, {"index": 41}, {"overwrites": True}, "still that of index 42", False),
    (
        "older, leaderless, forced",
        {},
        {"index": 41, **LEADERLESS},
        {"overwrites": True, "force": True},
        "forced",
        False,
    ),
]


@pytest.mark.parametrize(
    ("before", "snapshot", "options", "reason", "rebuilt"), [row[1:] for row in DECIDE], ids=[row[0] for row in DECIDE]
)
def test_decide(
    before: dict[str, Any] | None, snapshot: dict[str, Any], options: dict[str, Any], reason: str, rebuilt: bool
) -> None:
    verdict = decide(
        None if before is None else manifest(**before),
        manifest(**snapshot),
        **{"overwrites": False, "skip_unchanged": True, "force": False, **options},
    )
    assert reason in verdict.decision.reason
    assert verdict.rebuilt is rebuilt
    stays = ("still that of", "is newer than", "no leader confirmed this time")
    assert verdict.decision.go is not any(words in reason for words in stays)


def test_what_stands_in_for_a_decision_goes_ahead() -> None:
    assert (DAMAGED.go, REBUILT.go) == (True, True)


OVERWRITABLE = [
    ("the same servers", CLUSTER, CLUSTER, True, None),
    ("the same servers, a name now", CLUSTER, PRODUCTION, True, None),
    ("the same servers, two names", PRODUCTION._replace(name="staging"), PRODUCTION, True, "staging, dc1"),
    ("other servers", CLUSTER, CLUSTER._replace(servers=("s9",)), True, "servers s9"),
    ("servers unknown", CLUSTER._replace(servers=()), CLUSTER, True, "holds an archive of dc1"),
    ("rebuilt", PRODUCTION, REBUILT_PRODUCTION, True, None),
    ("rebuilt and empty", PRODUCTION, REBUILT_PRODUCTION, False, "from before it was rebuilt"),
]


@pytest.mark.parametrize(
    ("before", "cluster", "holds", "refusal"), [row[1:] for row in OVERWRITABLE], ids=[row[0] for row in OVERWRITABLE]
)
def test_require_overwritable(
    before: ClusterIdentity, cluster: ClusterIdentity, holds: bool, refusal: str | None
) -> None:
    if refusal is None:
        require_overwritable("/b/a.snap", before, cluster, holds_user_records=holds)
        return
    with pytest.raises(DestinationError) as caught:
        require_overwritable("/b/a.snap", before, cluster, holds_user_records=holds)
    assert refusal in caught.value.message
    assert "force: true" in caught.value.hint
    assert caught.value.facts == {"path": "/b/a.snap"}


@pytest.mark.parametrize(
    ("sealed", "signed", "seals", "signs", "reason"),
    [
        (False, False, False, False, None),
        (True, True, False, False, None),
        (True, True, True, True, None),
        (False, True, True, True, "not encrypted"),
        (True, False, True, True, "not signed"),
        (True, False, True, False, None),
        (False, True, False, True, None),
    ],
)
def test_an_archive_that_is_sealed_less_than_asked_is_not_enough(
    sealed: bool, signed: bool, seals: bool, signs: bool, reason: str | None
) -> None:
    decision = is_less_than_asked(sealed=sealed, signed=signed, seals=seals, signs=signs)
    assert (decision is None) == (reason is None)
    if decision is not None:
        assert decision.go
        assert decision.reason == f"the newest archive is {reason}"
