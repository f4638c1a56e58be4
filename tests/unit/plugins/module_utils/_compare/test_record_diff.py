# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two states, in counts and names."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterable, Sequence

import pytest
from support.states import UNKNOWN, Record, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import (
    RecordCollector,
    Selection,
    TypeChange,
    compare_records,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import StateReader

SESSION, TOKEN, POLICY = 3, 17, 19
EVERYTHING = Selection()


def show(visitor: Visitor, records: Iterable[Record], piece: int = 1 << 16) -> None:
    """Read a state in pieces while a visitor looks on."""
    reader, state = StateReader(visitor=visitor), state_of(records)
    for start in range(0, len(state), piece):
        reader.feed(state[start : start + piece])
    reader.finish()


def compared(
    before: Sequence[Record],
    after: Sequence[Record],
    selection: Selection = EVERYTHING,
    *,
    limit: int = 10,
    piece: int = 1 << 16,
) -> dict[str, TypeChange]:
    """Compare two states and leave out the types that are equal."""
    older, newer = RecordCollector(selection), RecordCollector(selection)
    show(older, before, piece)
    show(newer, after, piece)
    changes = compare_records(older.complete(), newer.complete(), limit=limit)
    return {name: change for name, change in changes.items() if not change.equal}


def change(*, added: Sequence[str] = (), removed: Sequence[str] = (), changed: Sequence[str] = ()) -> TypeChange:
    """Return a change whose names are all listed."""
    names = {"added": list(added), "removed": list(removed), "changed": list(changed)}
    return TypeChange(len(added), len(removed), len(changed), names)


def token(accessor: str, description: str = "") -> Record:
    return Record(TOKEN, {"AccessorID": accessor, "Description": description, "SecretID": f"secret of {accessor}"})


def general(record: Record) -> Record:
    """Return a KVS record in a layout that the fast path does not take."""
    return Record(record.type_id, {**record.value, "Zone": None})


@pytest.mark.parametrize("piece", [1 << 16, 7])
def test_added_removed_and_changed(piece: int) -> None:
    before = [kv("same", b"v"), kv("gone", b"v"), kv("other", b"v"), token("a"), token("b")]
    after = [token("b", "new"), kv("new", b"v"), kv("other", b"w", index=99), kv("same", b"v", index=99), token("a")]

    assert compared(before, after, piece=piece) == {
        "ACLToken": change(changed=["b"]),
        "KVS": change(added=["new"], removed=["gone"], changed=["other"]),
    }


def test_the_order_of_records_and_the_holder_of_a_lock_make_no_difference() -> None:
    before = [kv(f"k{number}", b"v") for number in range(50)]
    after = [kv(f"k{number}", b"v", index=7, session="x" * 36) for number in range(49, -1, -1)]

    assert compared(before, after) == {}


def test_other_flags_are_a_change() -> None:
    before, after = kv("a", b"v"), kv("a", b"v")
    after.value["Flags"] = 1

    assert compared([before], [after]) == {"KVS": change(changed=["a"])}


def test_a_key_has_one_name_whichever_way_its_record_was_read() -> None:
    before = [kv("a", b"v"), general(kv("b", b"v"))]
    after = [general(kv("a", b"v")), kv("b", b"v")]

    # The field that no Consul has is content: changed, not removed and added.
    assert compared(before, after) == {"KVS": change(changed=["a", "b"])}
    assert compared(before, before) == {}


def test_an_empty_state_on_either_side() -> None:
    records = [kv("a", b"v"), token("t")]
    whole = change(added=["a"])

    assert compared([], records)["KVS"] == whole
    assert compared(records, [])["ACLToken"] == change(removed=["t"])
    assert compared([], []) == {}


def test_the_limit_bounds_the_names_and_not_the_counts() -> None:
    before = [kv(f"gone/{number:03}", b"v") for number in range(300)]
    after = [kv(f"new/{number:03}", b"v") for number in range(200, 0, -1)]
    found = compared(before, after, limit=2)["KVS"]

    assert (found.added, found.removed, found.truncated) == (200, 300, True)
    assert found.names == {"added": ["new/001", "new/002"], "removed": ["gone/000", "gone/001"], "changed": []}
    assert not compared([kv("a", b"v")], [], limit=1)["KVS"].truncated


def test_types_and_prefix_narrow_it() -> None:
    before = [kv("app/a", b"v"), kv("web/a", b"v"), general(kv("app/b", b"v")), general(kv("web/b", b"v")), token("t")]

    assert compared(before, [], Selection(types=frozenset({"ACLToken"}))) == {"ACLToken": change(removed=["t"])}
    assert compared(before, [], Selection(prefix=b"app/")) == {
        "ACLToken": change(removed=["t"]),
        "KVS": change(removed=["app/a", "app/b"]),
    }


def test_volatile_types_come_when_they_are_asked_for() -> None:
    session = Record(SESSION, {"ID": "s", "Node": "n", "CreateIndex": 1})
    agents = [node("agent"), node("agent", check="serfHealth")]
    initial = Record(
        TOKEN,
        {"AccessorID": "i", "Description": "Initial Management Token", "SecretID": "s",
         "Policies": [{"ID": "00000000-0000-0000-0000-000000000001"}]},
    )  # fmt: skip
    before = [session, *agents, initial]

    assert compared(before, []) == {}
    assert compared(before, [], Selection(types=frozenset({"Session", "Register"}))) == {
        "Session": change(removed=["s on n"])
    }
    assert compared(before, [], Selection(volatile=True)) == {
        "ACLToken": change(removed=["i"]),
        "Register": change(removed=["check serfHealth on agent", "node agent"]),
        "Session": change(removed=["s on n"]),
    }


def test_a_node_that_an_agent_takes_over_is_removed_from_what_users_stored() -> None:
    own = [node("n"), node("n", check="ping")]

    assert compared(own, [*own, node("n", check="serfHealth"), node("m")]) == {
        "Register": change(added=["node m"], removed=["check ping on n", "node n"])
    }


def test_records_that_can_not_be_named_are_compared_by_their_bytes() -> None:
    strange = [Record(UNKNOWN, {"x": number}) for number in range(3)]
    odd = Record(POLICY, ["no map"])

    assert compared([*strange, odd], [strange[2], strange[0], odd]) == {
        f"Unknown({UNKNOWN})": change(removed=[f"#2 of Unknown({UNKNOWN})"])
    }
    assert compared([odd], [Record(POLICY, ["another"])]) == {
        "ACLPolicy": change(added=["#1 of ACLPolicy"], removed=["#1 of ACLPolicy"])
    }
    assert compared([strange[0]] * 3, [strange[0]] * 2) == {
        f"Unknown({UNKNOWN})": change(removed=[f"#1 of Unknown({UNKNOWN})"])
    }


def test_a_key_without_a_name_is_compared_whatever_the_prefix() -> None:
    assert compared([Record(2, [1])], [], Selection(prefix=b"app/")) == {"KVS": change(removed=["#1 of KVS"])}


def test_records_of_one_name_are_matched_by_their_content_first() -> None:
    twice = [kv("a", b"1"), kv("a", b"2")]

    assert compared(twice, twice[::-1]) == {}
    assert compared(twice, twice[:1]) == {"KVS": change(removed=["a"])}
    assert compared(twice[:1], twice) == {"KVS": change(added=["a"])}


def test_types_that_neither_has_are_there_when_they_are_asked_for() -> None:
    assert compare_records({}, {}, limit=1, types=["KVS", "ACLToken"]) == {
        "ACLToken": TypeChange(),
        "KVS": TypeChange(),
    }


def test_no_names_with_a_limit_of_none_but_all_counts() -> None:
    found = compared([kv("a", b"v"), kv("b", b"v")], [kv("b", b"w"), kv("c", b"v")], limit=0)["KVS"]

    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert found.names == {"added": [], "removed": [], "changed": []}
    assert found.truncated


def test_many_changes_in_no_order() -> None:
    source = random.Random(3)
    before = {f"{number:05}": b"v%d" % source.randrange(3) for number in range(9000)}
    after = {key: b"v%d" % source.randrange(3) for key in source.sample(sorted(before), 8000)}
    after.update({f"new/{number}": b"v" for number in range(1000)})
    shuffled = source.sample(sorted(after), len(after))
    found = compared([kv(*one) for one in before.items()], [kv(key, after[key]) for key in shuffled], limit=10**6)

    assert found["KVS"] == change(
        added=sorted({*after} - {*before}),
        removed=sorted({*before} - {*after}),
        changed=sorted(key for key in {*before} & {*after} if before[key] != after[key]),
    )


def test_rows_keep_no_secret() -> None:
    collector = RecordCollector(EVERYTHING)
    show(collector, [Record(TOKEN, {"AccessorID": "", "SecretID": "s3cr3t-of-a-token"}), kv("a", b"v")])
    rows = collector.complete()

    assert [name.label for name in rows[TOKEN].names([0])] == [b"a token without accessor"]
    kept = b"".join(zlib.decompress(chunk.names) for chunk in collector.rows[TOKEN].chunks)
    assert b"without accessor" in kept
    assert b"s3cr3t" not in kept
    assert not any(change.changed or change.added for change in compare_records(rows, {}, limit=5).values())
