# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where records begin and end, however the bytes arrive, and what is no state at all."""

from __future__ import annotations

import pytest
from support.states import Record, encoded, kv, packed, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.record_types import (
    FIRST_ENTERPRISE_TYPE,
    KINDS,
    kind_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.stream import (
    Frame,
    RecordSplitter,
)

HEADER = state_of([], last_index=300)
RECORDS = [
    encoded([one])
    for one in (
        Record(17, {"AccessorID": "a", "Policies": [{"ID": "p"}], "Rules": None}),
        kv("a/key", b"x" * 40),
        kv("b", None),
        Record(22, b"raw string of some length that needs two bytes for it"),
        Record(6, [{"Coord": {"Vec": [1, 2, 3]}}]),
        Record(3, {"ID": "s", "Behavior": "release"}),
        Record(200, {"from": "a version to come"}),
        kv("large", b"z" * 70_000),
        Record(0, {"Node": "n", "Meta": {f"k{number}": "v" for number in range(40)}}),
    )
]


def split(data: bytes, piece: int) -> list[Frame]:
    splitter = RecordSplitter()
    frames: list[Frame] = []
    for start in range(0, len(data), piece):
        frames += splitter.feed(data[start : start + piece])
    frames += splitter.finish()
    assert (splitter.last_index, splitter.header_size) == (300, len(HEADER))
    return frames


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 1000, 1 << 17])
def test_pieces_of_any_size_give_the_same_records(piece: int) -> None:
    records = RECORDS if piece > 3 else [one for one in RECORDS if len(one) < 1000]
    frames = split(HEADER + b"".join(records), piece)

    assert [bytes([frame.type_id]) + frame.raw for frame in frames] == records
    assert [frame.size for frame in frames] == [len(one) for one in records]


def test_a_state_without_records() -> None:
    assert split(HEADER, 100) == []


def test_only_the_end_of_a_record_is_an_end() -> None:
    small = [one for one in RECORDS if len(one) < 1000]
    whole = HEADER + b"".join(small)
    ends = {len(HEADER + b"".join(small[:number])) for number in range(len(small) + 1)}

    for end in range(len(whole)):
        if end in ends:
            split(whole[:end], 1 << 17)
            continue
        with pytest.raises(ArchiveError) as caught:
            split(whole[:end], 1 << 17)
        assert caught.value.fault == "records"
        assert not caught.value.retryable
        assert "Don't restore" in caught.value.hint


def test_a_cut_record_is_named() -> None:
    with pytest.raises(ArchiveError, match="inside a record of type KVS"):
        split(HEADER + encoded([kv("a", b"v")])[:-1], 100)


NO_STATES = {
    "nothing": b"",
    "no header": encoded([Record(17, {"AccessorID": "a"})]),
    "header of another kind": packed({"Something": 1}),
    "header that is no map": packed([1, 2]),
    "header without a number": packed({"LastIndex": "x"}),
    "a byte that msgpack has no use for": HEADER + b"\x02\xc1",
    "text": b"rpc error: something went wrong",
    "nested too deep": HEADER + b"\x02" + b"\x91" * 100_000,
}


@pytest.mark.parametrize("data", NO_STATES.values(), ids=NO_STATES)
def test_what_is_no_state_is_refused(data: bytes) -> None:
    splitter = RecordSplitter()
    with pytest.raises(ArchiveError) as caught:
        list(splitter.feed(data)) + list(splitter.finish())

    assert caught.value.fault == "records"


def test_the_names_are_those_that_consul_prints() -> None:
    # agent/structs/structs.go, requestTypeStrings; the ids are part of Consul's format.
    assert {number: kind.name for number, kind in KINDS.items() if number < 20} == {
        0: "Register",
        2: "KVS",
        3: "Session",
        4: "ACL",
        5: "Tombstone",
        6: "CoordinateBatchUpdate",
        7: "PreparedQuery",
        9: "Autopilot",
        12: "Intention",
        13: "ConnectCA",
        14: "ConnectCAProviderState",
        15: "ConnectCAConfig",
        16: "Index",
        17: "ACLToken",
        19: "ACLPolicy",
    }


@pytest.mark.parametrize("type_id", [1, 44, FIRST_ENTERPRISE_TYPE, 65, 255])
def test_a_type_without_a_name_counts_as_durable(type_id: int) -> None:
    assert kind_of(type_id) == (f"Unknown({type_id})", True)


def test_what_moves_by_itself_is_not_durable() -> None:
    assert sorted(number for number, kind in KINDS.items() if not kind.durable) == [3, 5, 6, 16, 29, 30, 31, 33]
