# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written since a restore, told apart from what it failed to bring back; record by record."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import archive_around, kv, packed, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.across_versions import (
    Baseline,
    CrossVersionCheck,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.written_since import modified
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import content_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import TypeDigest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor

NOW, SINCE = 1_800_000_000.0, 100
REGISTER, KVS, TOMBSTONE, AUTOPILOT, INDEX, TOKEN, POLICY, CONFIG_ENTRY, PEERING = 0, 2, 5, 9, 16, 17, 19, 22, 35
Record = tuple[int, dict[str, Any]]


def token(accessor: str, index: int, description: str = "") -> Record:
    fields = {"AccessorID": accessor, "SecretID": "s" + accessor, "Description": description, "Policies": []}
    return TOKEN, {**fields, "CreateIndex": index, "ModifyIndex": index}


def policy(name: str, index: int, rules: str = "") -> Record:
    return POLICY, {"ID": "id of " + name, "Name": name, "Rules": rules, "CreateIndex": 1, "ModifyIndex": index}


def node(name: str, index: int) -> Record:
    return REGISTER, {"Node": name, "Address": "192.0.2.1", "ModifyIndex": index}


def row(table: str, index: int) -> Record:
    return INDEX, {"Key": table, "Value": index}


def feed(visitor: Visitor, records: list[Record]) -> None:
    for type_id, fields in records:
        visitor.record(type_id, content_of(type_id, packed(fields)))
        if type_id == REGISTER:
            visitor.node_ends(False)


def compared(archive: list[Record], cluster: list[Record], agents: tuple[str, ...] = ()) -> tuple[set[str], Any]:
    """Return the types that differ, and what was written since by type: (added, changed, removed)."""
    learned = Baseline(False)
    feed(learned, archive)
    compare = CrossVersionCheck(learned, SINCE, agents=agents)
    feed(compare, cluster)
    differing = compare.differing(NOW)
    _explained, written = compare.written_since(TypeDigest(0, 0), None)
    return differing, {name: (one["added"], one["changed"], one["removed"]) for name, one in written.items()}


OLD, LATER = SINCE, SINCE + 1


def test_added_and_changed_since() -> None:
    archive = [policy("kept", 5), policy("mine", 5, "old")]
    assert compared(archive, archive) == (set(), {})
    later = [policy("kept", 5), policy("mine", LATER, "new"), policy("late", LATER)]
    assert compared(archive, later) == (set(), {"ACLPolicy": (1, 1, 0)})
    # The same with an index that the restore itself goes beyond is a difference.
    assert compared(archive, [policy("kept", 5), policy("mine", OLD, "new")])[0] == {"ACLPolicy"}
    assert compared(archive, [*archive, policy("late", OLD)])[0] == {"ACLPolicy"}


def test_removed_since_only_where_something_tells() -> None:
    archive = [token("a", 5), token("b", 5)]
    left = [token("a", 5)]
    assert compared(archive, left) == ({"ACLToken"}, {})
    # The table was not written to since; then it was, and no record accounts for that.
    assert compared(archive, [*left, row("acl-tokens", OLD)])[0] == {"ACLToken"}
    assert compared(archive, [*left, row("acl-tokens", LATER)]) == (set(), {"ACLToken": (0, 0, 1)})
    assert compared(archive, [*left, row("acl-policies", LATER)])[0] == {"ACLToken"}
    # The leader's own token accounts for it, a user's shows that users write there.
    own = (
        TOKEN,
        {
            **token("own", LATER, "Initial Management Token")[1],
            "Policies": [{"ID": "00000000-0000-0000-0000-000000000001"}],
        },
    )
    assert compared(archive, [*left, own, row("acl-tokens", LATER)])[0] == {"ACLToken"}
    users = [*left, token("c", LATER), row("acl-tokens", LATER)]
    assert compared(archive, users) == (set(), {"ACLToken": (1, 0, 1)})


def test_nodes_of_living_agents_are_nobodys_content() -> None:
    archive = [node("outside", 5)]
    assert compared(archive, [*archive, node("Server-1", LATER)], ("server-1",)) == (set(), {})
    assert compared(archive, [*archive, node("late", LATER)], ("server-1",)) == (set(), {"Register": (1, 0, 0)})
    assert compared(archive, [node("other", 5), row("nodes", LATER)])[0] == {"Register"}
    assert compared(archive, [row("nodes", LATER), row("services", OLD)]) == (set(), {"Register": (0, 0, 1)})
    assert compared(archive, [row("services", LATER)])[0] == {"Register"}


def test_what_leaders_write_at_their_start_must_be_the_archives() -> None:
    def autopilot(index: int, logs: int) -> Record:
        return AUTOPILOT, {"MaxTrailingLogs": logs, "CreateIndex": 1, "ModifyIndex": index}

    assert compared([autopilot(5, 300)], [autopilot(LATER, 250)])[0] == {"Autopilot"}
    assert compared([autopilot(5, 300)], [row("autopilot-config", LATER)])[0] == {"Autopilot"}


def test_sessions_that_are_younger_are_named() -> None:
    session = 3, {"ID": "an-id", "Node": "n", "CreateIndex": LATER, "ModifyIndex": LATER}
    older = 3, {"ID": "another", "Node": "n", "CreateIndex": 5, "ModifyIndex": 5}
    assert compared([], [older]) == (set(), {})
    assert compared([], [older, session]) == (set(), {"Session": (1, 0, 0)})


def keys_compared(archive: list[Any], cluster: list[Any]) -> tuple[bool, Any]:
    """Return whether all that differs of keys is explained, and what was written since: (added, changed, removed)."""
    before = archive_around(state_of(archive))
    compare = CrossVersionCheck(Baseline(False), SINCE, keys=True)
    read_archive([archive_around(state_of(cluster))], visitor=compare)
    assert compare.differing(NOW) == set()
    resolver = compare.resolver(NOW)
    if resolver is not None:
        read_archive([before], visitor=resolver)
    own = read_archive([before]).state.fingerprint.types.get("KVS", TypeDigest(0, 0))
    explained, written = compare.written_since(own, resolver)
    found = written.get("KVS")
    return explained, (found["added"], found["changed"], found["removed"], found["names"]) if found else None


def tombstone(key: str, index: int) -> Any:
    record = kv(key, None, index=index)
    return record._replace(type_id=TOMBSTONE)


def test_keys() -> None:
    archive = [kv("a", b"1"), kv("b", b"1"), kv("c", b"1")]
    a, b, c = archive
    assert keys_compared(archive, archive) == (True, None)
    assert keys_compared(archive, [a, b, c, kv("d", b"x", index=LATER)]) == (True, (1, 0, 0, ["d"]))
    assert keys_compared(archive, [a, kv("b", b"2", index=LATER), c]) == (True, (0, 1, 0, ["b"]))
    assert keys_compared(archive, [a, c, tombstone("b", LATER)]) == (True, (0, 0, 1, ["b"]))
    # Written anew with what it held, and a lock, are no change.
    assert keys_compared(archive, [a, kv("b", b"1", index=LATER), c]) == (True, None)
    # What is missing, or another, without a later index is not explained by what was written elsewhere.
    late = kv("d", b"x", index=LATER)
    for cluster in (
        [a, c, late],
        [a, c, tombstone("b", OLD), late],
        [a, kv("b", b"2"), c, late],
        [a, b, c, kv("e", b"x"), late],
        [late],
    ):
        assert not keys_compared(archive, cluster)[0]


@pytest.mark.parametrize("index", [1, 127, 128, 300, 1 << 40])
def test_the_index_of_a_peering(index: int) -> None:
    varint, rest = b"", index
    while rest > 0x7F:
        varint, rest = varint + bytes([rest & 0x7F | 0x80]), rest >> 7
    message = b"\x12\x01a" + b"\x60" + varint + bytes([rest])
    assert modified(PEERING, {b"": message}) == index
    assert modified(PEERING, {b"": b"\x60"}) is None
    assert modified(CONFIG_ENTRY, {b"Entry": {b"ModifyIndex": index}}) == index
    assert modified(REGISTER, {b"Node": b"n", b"ModifyIndex": 3, b"Service": {b"ModifyIndex": index}}) == max(3, index)
    assert modified(POLICY, {b"ModifyIndex": b"text"}) is None
