# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fast way through KVS records gives what the general way gives, and takes nothing that it does not know."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import KVS, Record, encoded, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot import state as _state
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.kv_prefixes import KvPrefixes
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.kv_records import read_kv_run
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import State, StateReader

SESSION = "e6f2b7a0-8c0b-4f0e-9d57-5a2d8c0f8a11"


def changed(record: Record, **fields: Any) -> Record:
    """Return a record with some fields changed or added, in the order that Consul's encoder would give them."""
    return Record(record.type_id, dict(sorted({**record.value, **fields}.items())))


KNOWN = {
    "plain": kv("a/b", b"value"),
    "no value": kv("a/b", None),
    "empty value": kv("a/b", b""),
    "key of 31 bytes": kv("k" * 31, b"v"),
    "key of 32 bytes": kv("k" * 32, b"v"),
    "key of 300 bytes": kv("k" * 300, b"v"),
    "key in another script": kv("ü/日本語/🗝", b"v"),
    "value of 31 bytes": kv("a", b"v" * 31),
    "value of 32 bytes": kv("a", b"v" * 32),
    "value of 65535 bytes": kv("a", b"v" * 65_535),
    "value of 65536 bytes": kv("a", b"v" * 65_536),
    "value that looks like a record": kv("a", encoded([kv("inner", b"v")])),
    "flags": changed(kv("a", b"v"), Flags=2**64 - 1),
    "larger indexes": kv("a", b"v", index=2**40),
    "locked": kv("a", b"v", session=SESSION),
}
# Enterprise writes more fields, a later version may write others; both go the general way.
OTHER = {
    "a field in front": changed(kv("a/b", b"v"), Admin=1),
    "a field in the midst": changed(kv("a/b", b"v"), Namespace="team-a", Partition="default"),
    "a field at the end": changed(kv("a/b", b"v"), Zone="z"),
    "a field less": Record(KVS, {name: value for name, value in kv("a/b", b"v").value.items() if name != "LockIndex"}),
    "session of another length": kv("a/b", b"v", session="short"),
    # What no server could restore is looked at closely.
    "session that is no UUID": kv("a/b", b"v", session="z" * 36),
    "empty key": kv("", b"v"),
}


def read(records: list[Record], *, piece: int = 1 << 17) -> State:
    reader = StateReader(KvPrefixes(2))
    data = state_of(records)
    for start in range(0, len(data), piece):
        reader.feed(data[start : start + piece])
    return reader.finish()


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read with the fast way closed."""

    def reading(records: list[Record]) -> State:
        with monkeypatch.context() as context:
            context.setattr(_state, "read_kv_run", lambda _buffer, position, *_rest: position)
            return read(records)

    return reading


@pytest.mark.parametrize("record", KNOWN.values(), ids=KNOWN)
def test_known_shapes_are_taken_whole(record: Record) -> None:
    data, digests, keys = encoded([record]), [], []

    assert read_kv_run(b"??" + data + b"\x00rest", 2, digests, keys) == 2 + len(data)
    assert keys == [(record.value["Key"].encode(), len(data))]
    assert len(digests) == 1


@pytest.mark.parametrize("record", OTHER.values(), ids=OTHER)
def test_other_shapes_are_left_alone(record: Record) -> None:
    digests: list[bytes] = []

    assert read_kv_run(encoded([record]), 0, digests, None) == 0
    assert digests == []


@pytest.mark.parametrize("record", [*KNOWN.values(), *OTHER.values()], ids=[*KNOWN, *OTHER])
def test_both_ways_agree(record: Record, slowly: Any) -> None:
    fast, slow = read([record]), slowly([record])

    assert fast == slow
    assert fast.records["KVS"].count == fast.user_records["KVS"] == 1
    assert sum(one.count for one in fast.kv_prefixes) == 1


def test_fast_and_slow_records_side_by_side(slowly: Any) -> None:
    records = [one for pair in zip(KNOWN.values(), [*OTHER.values()] * 4) for one in pair]
    expected = slowly(records)

    assert expected.records["KVS"].count == len(records)
    assert expected.records["KVS"].size == len(state_of(records))
    for piece in (13, 100, 4096, 1 << 17):
        assert read(records, piece=piece) == expected


def test_a_record_cut_anywhere_is_left_for_later() -> None:
    first = encoded([kv("a", b"v")])
    for record in (kv("b" * 40, b"w" * 40), kv("b", b"w" * 40, session=SESSION), kv("b", None), kv("b", b"w" * 300)):
        data = first + encoded([record])
        for end in range(len(first), len(data)):
            assert read_kv_run(data[:end], 0, [], []) == len(first)


def test_what_raft_keeps_beside_is_no_content() -> None:
    records = [kv("a", b"v"), kv("a", b"v", index=2**33), kv("a", b"v", session=SESSION)]

    assert len({read([record]).fingerprint.overall for record in records}) == 1


@pytest.mark.parametrize(
    "other",
    [kv("a", b"w"), kv("b", b"v"), changed(kv("a", b"v"), Flags=1), kv("a", None)],
    ids=["value", "key", "flags", "none"],
)
def test_what_a_user_stored_is_content(other: Record) -> None:
    assert read([other]).fingerprint != read([kv("a", b"v")]).fingerprint
