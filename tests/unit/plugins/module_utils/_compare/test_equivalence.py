# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster holds an archive's content: how closely it is looked at, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.equivalence import (
    Comparison,
    Reference,
    compare,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor

SINCE = 100
TOKEN, POLICY, INDEX = 17, 19, 16
BUILTIN = "00000000-0000-0000-0000-000000000001"
KEYS = (kv("a", b"1"), kv("b", b"2"))


def policy(identity: str, rules: str = "") -> Record:
    return Record(POLICY, {"ID": identity, "Name": identity, "Rules": rules, "CreateIndex": 5, "ModifyIndex": 5})


class Cluster:
    """A state that can be read, and how often that was done."""

    def __init__(self, *records: Record) -> None:
        self.archive = archive_around(state_of(records))
        self.passes: list[str] = []

    @property
    def fingerprint(self) -> Fingerprint:
        return read_archive([self.archive]).state.fingerprint

    def __call__(self, visitor: Visitor | None) -> Fingerprint:
        self.passes.append("fingerprint" if visitor is None else "keys" if visitor.wants_records else "records")
        return read_archive([self.archive], visitor=visitor).state.fingerprint


def reference(*records: Record, **options: Any) -> Reference:
    archive = Cluster(*records)
    return Reference(archive.fingerprint, archive, **options)


def outcome(comparison: Comparison) -> tuple[bool, list[str]]:
    return comparison.equal, comparison.proof["differs"]


def test_equal_fingerprints_are_enough() -> None:
    cluster = Cluster(*KEYS)
    assert outcome(compare(reference(*KEYS), cluster)) == (True, [])
    assert cluster.passes == ["fingerprint"]


def test_other_keys_need_no_closer_look_where_nothing_was_restored() -> None:
    cluster = Cluster(KEYS[0])
    comparison = compare(reference(*KEYS), cluster)
    assert outcome(comparison) == (False, ["KVS"])
    assert comparison.proof["types"]["KVS"] == {"archive": 2, "cluster": 1, "equal": False}
    assert "written_since" not in comparison.proof
    assert cluster.passes == ["fingerprint"]


def test_what_leaders_make_is_found_by_a_closer_look() -> None:
    cluster = Cluster(*KEYS, policy(BUILTIN))
    assert outcome(compare(reference(*KEYS), cluster)) == (True, [])
    assert cluster.passes == ["fingerprint", "records"]


def test_a_policy_of_a_user_is_a_difference() -> None:
    assert outcome(compare(reference(*KEYS), Cluster(*KEYS, policy("of a user")))) == (False, ["ACLPolicy"])


def test_across_versions_the_records_are_compared_at_once() -> None:
    cluster = Cluster(*KEYS, policy(BUILTIN, "others"))
    comparison = compare(reference(*KEYS, policy(BUILTIN, "old"), across=True), cluster)
    assert outcome(comparison) == (True, [])
    assert comparison.proof["across_versions"] is True
    assert cluster.passes == ["records"]


def test_a_key_that_was_written_since_is_no_difference() -> None:
    cluster = Cluster(*KEYS, kv("later", b"", index=SINCE + 1))
    comparison = compare(reference(*KEYS, since=SINCE), cluster)
    assert outcome(comparison) == (True, [])
    assert comparison.proof["written_since"]["KVS"]["names"] == ["later"]
    assert cluster.passes == ["fingerprint", "keys"]


def test_a_key_that_was_written_before_is_a_difference() -> None:
    comparison = compare(reference(*KEYS, since=SINCE), Cluster(*KEYS, kv("earlier", b"", index=SINCE)))
    assert outcome(comparison) == (False, ["KVS"])
    assert comparison.proof["written_since"] == {}


def test_across_versions_keys_are_compared_one_by_one_where_they_differ() -> None:
    cluster = Cluster(*KEYS, kv("later", b"", index=SINCE + 1))
    assert compare(reference(*KEYS, since=SINCE, across=True), cluster).equal
    assert cluster.passes == ["records", "keys"]


def test_equal_content_after_a_restore_shows_that_nothing_was_written() -> None:
    assert compare(reference(*KEYS, since=SINCE), Cluster(*KEYS)).proof["written_since"] == {}


def test_a_known_fingerprint_needs_no_closer_look() -> None:
    cluster = Cluster(KEYS[0])
    assert not compare(reference(*KEYS, since=SINCE), cluster, known=cluster.fingerprint).equal
    assert cluster.passes == ["fingerprint"]


def test_the_content_of_a_fresh_cluster_is_what_leaders_make() -> None:
    fresh = Reference(Fingerprint({}), since=SINCE)
    assert compare(fresh, Cluster(policy(BUILTIN))).equal
    assert not compare(fresh, Cluster(*KEYS)).equal


def test_a_missing_record_whose_table_was_written_to_is_a_guess() -> None:
    row = Record(INDEX, {"Key": "acl-policies", "Value": SINCE + 1})
    comparison = compare(reference(*KEYS, policy("of a user"), since=SINCE), Cluster(*KEYS, row))
    assert comparison.equal
    assert comparison.guessed
    assert comparison.proof["written_since"]["ACLPolicy"]["removed"] == 1


def test_the_archive_is_learned_once_also_for_the_time_after_a_restore() -> None:
    archive = Cluster(*KEYS)
    before = Reference(archive.fingerprint, archive)
    compare(before, Cluster(*KEYS, policy(BUILTIN)))
    compare(before, Cluster(*KEYS, policy(BUILTIN)))
    after = before.since_index(SINCE, frozenset({"web-1"}))
    compare(after, Cluster(*KEYS, policy(BUILTIN)))
    assert archive.passes == ["records"]
    assert (after.since, after.agents) == (SINCE, frozenset({"web-1"}))


@pytest.mark.parametrize(
    ("cluster", "may"),
    [
        ({"KVS": 1}, True),
        ({"ACLToken": 1}, False),
        ({"KVS": 1, "ACLToken": 1, "ACLPolicy": 1}, True),
        ({"KVS": 1, "ACLToken": 1}, False),
        ({"KVS": 2, "ACLToken": 1, "ACLPolicy": 1}, False),
    ],
    ids=["a token fewer, which may have expired", "keys fewer", "a policy more", "the same", "a key more"],
)
def test_only_more_of_what_leaders_make_is_worth_a_closer_look(cluster: dict[str, int], may: bool) -> None:
    archive = Fingerprint({"KVS": TypeDigest(1, 1), "ACLToken": TypeDigest(1, 1)})
    other = Fingerprint({name: TypeDigest(count, count) for name, count in cluster.items()})
    assert Reference(archive).may_equal(other) is may


def test_across_versions_all_but_keys_is_worth_a_closer_look() -> None:
    archive = Fingerprint({"KVS": TypeDigest(1, 1), "ConfigEntry": TypeDigest(1, 1)})
    across = Reference(archive, across=True)
    assert across.may_equal(Fingerprint({"KVS": TypeDigest(1, 1)}))
    assert not across.may_equal(Fingerprint({"KVS": TypeDigest(2, 2)}))
