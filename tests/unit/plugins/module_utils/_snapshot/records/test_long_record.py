# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are gone through without being held: they end where msgpack says, and never take too much."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import msgpack
import pytest
from support.archives import STATE, part_of
from support.states import Record, archive_around, kv, packed, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.long_record import (
    RECORD_LIMIT,
    LongValue,
    TooMuch,
    has_too_many_parts,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import StateReader

EIGHT_MIB = 8 << 20


def value_of(chance: random.Random, depth: int = 0) -> Any:
    """Return a value of any shape."""
    kinds = ["none", "bool", "int", "float", "text", "bytes", "list", "map", "ext"]
    kind = chance.choice(kinds if depth < 4 else kinds[:6])
    if kind in ("list", "map"):
        count = chance.choice((0, 1, 3, 15, 16, 20))
        inner = [value_of(chance, depth + 1) for _each in range(count)]
        return inner if kind == "list" else dict(enumerate(inner))
    sizes = (0, 1, 31, 32, 255, 256, 65_535, 65_536)
    return {
        "none": None,
        "bool": chance.random() < 0.5,
        "int": chance.choice((-1, 1)) * (chance.getrandbits(chance.randrange(1, 63))),
        "float": chance.random(),
        "text": "x" * chance.choice(sizes),
        "bytes": bytes(chance.choice(sizes)),
        "ext": msgpack.ExtType(5, bytes(chance.choice((1, 2, 3, 4, 8, 16, 300)))),
    }[kind]


@pytest.mark.parametrize("new", [True, False], ids=["new msgpack", "old msgpack"])
@pytest.mark.parametrize("seed", range(20))
def test_it_ends_where_msgpack_says(seed: int, new: bool) -> None:
    chance = random.Random(seed)
    raw = msgpack.packb(value_of(chance), use_bin_type=new)
    data = raw + chance.randbytes(20)
    for piece in (1 if len(data) < 4096 else 999, 4096, len(data)):
        value, end = LongValue(), None
        for start in range(0, len(data), piece):
            end = value.feed(data[start : start + piece])
            if end is not None:
                end += start
                break
        assert end == len(raw)
        assert (value.size, value.digest) == (len(raw), hashlib.sha256(raw).digest())


def test_every_first_byte_is_taken_as_msgpack_takes_it() -> None:
    for first in range(256):
        data = bytes([first]) + bytes(64)
        unpacker = msgpack.Unpacker(raw=True, strict_map_key=False)
        unpacker.feed(data)
        try:
            unpacker.skip()
            expected: int | None = unpacker.tell()
        except (msgpack.FormatError, ValueError):
            with pytest.raises(TooMuch):
                LongValue().feed(data)
            continue
        except msgpack.OutOfData:
            expected = None
        assert LongValue().feed(data) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"\xdb\x10\x00\x00\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\x7f\xff\xff\xff",
        b"\x91\xdb\xff\xff\xff\xff",
        b"\xc1",
        b"\xdd\x00\x20\x00\x00" + b"\xc0" * (1 << 21),
    ],
)
def test_what_is_too_much_shows_as_soon_as_it_is_told(raw: bytes) -> None:
    with pytest.raises(TooMuch):
        LongValue().feed(raw)


def test_the_limit_itself_is_not_too_much() -> None:
    assert LongValue().feed(b"\xdb" + (RECORD_LIMIT - 5).to_bytes(4, "big")) is None


def test_parts_are_counted_over_all_values() -> None:
    assert not has_too_many_parts(packed([1] * 9), 10)
    assert has_too_many_parts(packed([1] * 20), 10)
    assert has_too_many_parts(packed([1] * 6) * 2, 10)
    assert not has_too_many_parts(packed(b"x" * 100), 10)


class Seen(Visitor):
    """Counts the records that could be looked into, and those that couldn't."""

    def __init__(self) -> None:
        self.with_fields, self.without = 0, 0

    def record(self, _type_id: int, content: Any) -> None:
        if content.fields is None:
            self.without += 1
        else:
            self.with_fields += 1


def long_kv(last: bytes) -> bytes:
    return archive_around(state_of([kv("a", b"1"), kv("long", bytes(EIGHT_MIB) + last), Record(19, {"Name": "p"})]))


def in_one_piece(last: bytes) -> Any:
    """Return the archive as it is read when a piece holds all of it."""
    archive, reader = read_archive([long_kv(last)]), StateReader()
    reader.feed(part_of(long_kv(last), STATE))
    return archive._replace(state=reader.finish())


def test_a_record_that_is_too_long_to_be_held_counts_by_its_bytes() -> None:
    found, seen = {}, Seen()
    for last in (b"x", b"x", b"y"):
        archive = read_archive([long_kv(last)], visitor=seen)
        assert archive == in_one_piece(last)
        assert archive.state.records["KVS"].count == 2
        assert archive.state.records["ACLPolicy"].count == 1
        found.setdefault(last, archive.state.fingerprint)
        assert archive.state.fingerprint == found[last]
    assert found[b"x"] != found[b"y"]
    assert (seen.with_fields, seen.without) == (3, 3)


def test_a_long_record_that_is_cut_is_named() -> None:
    state = state_of([kv("long", bytes(3 * EIGHT_MIB))])
    with pytest.raises(ArchiveError, match="inside a record of type KVS"):
        read_archive([archive_around(state[:-5])])


@pytest.mark.parametrize("tail", [b"", bytes(EIGHT_MIB)])
def test_a_long_record_that_no_server_decodes_is_found(tail: bytes) -> None:
    # Read from several pieces, and from one that holds all of it.
    archive = archive_around(state_of([Record(17, "x" * (EIGHT_MIB + 1)), kv("a", b"1"), kv("long", tail)]))
    reader = StateReader()
    reader.feed(part_of(archive, STATE))
    for findings in (read_archive([archive]).state.findings, reader.finish().findings):
        named = {finding.name: list(finding.names) for finding in findings}
        assert named["unreadable_record"] == ["ACLToken 1: the whole record"]
