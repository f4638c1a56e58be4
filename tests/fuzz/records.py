# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutations of the records, from their bytes to their meaning; sums and ``Size`` are put right each time.

The record is chosen by its type first, so that the many keys don't get all the attention.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgpack
from support.archives import STATE, Part, archive_of, mended, part_of, replaced, with_state
from support.states import packed

REGISTER, KVS, CONFIG_ENTRY = 0, 2, 22
_OTHER_VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 255, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, -(1 << 63), 1.5, float("nan")),
    *(
        b"",
        b"x",
        b"text",
        b"\0",
        b"\xff\xfe",
        b"x" * 300,
        b"00000000-0000-0000-0000-000000000000",
        bytes(15),
        bytes(16),
    ),
    *([], [None], [b"x"], [1, 2], [{}], {}, {b"": b""}, {b"x": b"y"}, {1: 2}, {b"x": {}}, [[[]]], [{b"ID": b"x"}]),
]


class Cut(NamedTuple):
    """A record as it stands in the state: its type and its msgpack value."""

    type_id: int
    raw: bytes


def cut_up(state: bytes) -> tuple[bytes, list[Cut]]:
    """Return a state's header and its records."""
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=0)
    unpacker.feed(state)
    unpacker.skip()
    header, records = state[: unpacker.tell()], []
    while unpacker.tell() < len(state):
        type_id = unpacker.read_bytes(1)[0]
        start = unpacker.tell()
        unpacker.skip()
        records.append(Cut(type_id, state[start : unpacker.tell()]))
    return header, records


def joined(header: bytes, records: Iterable[Cut]) -> bytes:
    """Return the state that ``cut_up`` was given."""
    return header + b"".join(bytes([record.type_id]) + record.raw for record in records)


def slim(archive: bytes, *, most: int = 3, longest: int = 2000) -> bytes:
    """Return an archive with the first few records of each type, none of them long; nodes stay whole in their order."""
    header, records = cut_up(part_of(archive, STATE))
    counts: dict[int, int] = {}
    kept = []
    for record in records:
        counts[record.type_id] = counts.get(record.type_id, 0) + 1
        limit = 3 * most if record.type_id == REGISTER else most
        if counts[record.type_id] <= limit and len(record.raw) <= longest:
            kept.append(record)
    return with_state(archive, joined(header, kept))


class _Taken(NamedTuple):
    header: bytes
    records: list[Cut]
    at: int

    @property
    def one(self) -> Cut:
        return self.records[self.at]

    def instead(self, *others: Cut) -> bytes:
        return joined(self.header, [*self.records[: self.at], *others, *self.records[self.at + 1 :]])


def _taken(rng: random.Random, archive: bytes) -> _Taken:
    header, records = cut_up(part_of(archive, STATE))
    chosen = rng.choice(sorted({record.type_id for record in records}))
    at = rng.choice([number for number, record in enumerate(records) if record.type_id == chosen])
    return _Taken(header, records, at)


def record_bytes(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Bytes of one record."""
    taken = _taken(rng, archive)
    raw, type_id = bytearray(taken.one.raw), taken.one.type_id
    word = rng.choice(("bits", "cut", "byte more", "byte less", "length", "other value"))
    at = rng.randrange(len(raw))
    if word == "bits":
        for _time in range(rng.choice((1, 1, 2, 4))):
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    elif word == "cut":
        del raw[at:]
    elif word == "byte more":
        raw[at:at] = rng.randbytes(1)
    elif word == "byte less":
        del raw[at]
    elif word == "length":
        raw[at : at + 5] = rng.choice((b"\xdb\xff\xff\xff\xff", b"\xdd\x0f\xff\xff\xff", b"\xdf\x7f\xff\xff\xff"))
    else:
        raw[:] = packed(rng.choice(_OTHER_VALUES))
    return f"record's {word}: {type_id}", with_state(archive, taken.instead(Cut(type_id, bytes(raw))))


def record_order(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Records dropped, doubled, moved, or of another type; the header; the end."""
    taken = _taken(rng, archive)
    one, records = taken.one, list(taken.records)
    other = rng.choice((*range(46), 64, 65, 69, 99, 128, 173, 255))
    target = rng.randrange(len(records))
    moved = records[: taken.at] + records[taken.at + 1 :]
    moved.insert(target, one)
    state = part_of(archive, STATE)
    indexes = ({"LastIndex": value} for value in (0, (1 << 63), (1 << 64) - 1, -1, "x", None, 1.5, [1]))
    headers = [packed(value) for value in (*indexes, {}, {"lastindex": 5}, {"LastIndex": 5, "Other": [1]}, [5], None)]
    choices = {
        f"record dropped: {one.type_id}": taken.instead(),
        f"record twice: {one.type_id}": taken.instead(one, one),
        f"record moved: {one.type_id}": joined(taken.header, moved),
        f"record of type {one.type_id} as {other}": taken.instead(Cut(other, one.raw)),
        f"record of type {other} made up": taken.instead(one, Cut(other, packed(rng.choice(_OTHER_VALUES)))),
        "header": joined(rng.choice(headers), records),
        "no records": taken.header,
        "the state cut": state[: rng.randrange(len(state))],
        "the state's end": state + rng.choice((b"\0", b"\x02", b"late error", b"\x02\xc0", bytes(64))),
    }
    word = rng.choice(sorted(choices))
    return word, with_state(archive, choices[word])


def record_field(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """One field of one record: another value, another type, missing, empty, more of them."""
    taken = _taken(rng, archive)
    type_id, value = taken.one.type_id, _decoded(taken.one)
    holders = list(_holders(value))
    if not holders:
        return record_bytes(rng, archive)
    name, holder, key = rng.choice(holders)
    word = rng.choice(("other", "other", "missing", "zero", "more", "twice as long"))
    old = holder[key]
    if word == "other":
        holder[key] = rng.choice(_OTHER_VALUES)
    elif word == "missing":
        del holder[key]
    elif word == "zero":
        holder[key] = type(old)() if old is not None else None
    elif word == "more":
        if isinstance(holder, dict):
            holder[rng.choice((b"Another", b"", 7))] = rng.choice(_OTHER_VALUES)
        else:
            holder.append(rng.choice(_OTHER_VALUES))
    elif isinstance(old, (bytes, list)):
        holder[key] = old + old
    told = f"field {word}: {type_id} {name}"
    return told, with_state(archive, taken.instead(Cut(type_id, _encoded(type_id, value))))


def repacked(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """The same content: maps in another order, records of a type in another order, wrappers written anew."""
    header, records = cut_up(part_of(archive, STATE))
    shuffled = [Cut(one.type_id, _encoded(one.type_id, _shuffled(rng, _decoded(one)))) for one in records]
    blocks: dict[Any, list[Cut]] = {}
    for number, record in enumerate(shuffled):
        # The records of a node stand together, node first; all others by themselves.
        key = msgpack.unpackb(record.raw, raw=True)[b"Node"] if record.type_id == REGISTER else number
        blocks.setdefault((record.type_id, key), []).append(record)
    keys = list(blocks)
    kinds = sorted({type_id for type_id, _key in keys})
    ordered = [key for kind in kinds for key in rng.sample([k for k in keys if k[0] == kind], _count(keys, kind))]
    parts = mended(replaced(archive, STATE, joined(header, [one for key in ordered for one in blocks[key]])))
    parts[-1] = Part(parts[-1].name, b"".join(sorted(parts[-1].data.splitlines(keepends=True))[:: rng.choice((1, -1))]))
    return "packed anew", archive_of(parts)


def bomb(rng: random.Random, archive: bytes) -> tuple[str, bytes]:
    """Little bytes that stand for a lot of work."""
    header, records = cut_up(part_of(archive, STATE))
    type_id = rng.choice((0, 2, 17, 22, 35, 99))
    count = rng.choice((*(1000, 30_000, 60_000) * 8, 2_000_000, 20_000_000))
    varints = b"\x08" + b"\xff" * min(count, 1_000_000)
    choices = {
        "many nils": b"\xdd" + struct.pack(">I", count) + b"\xc0" * count,
        "many empty maps": b"\xdd" + struct.pack(">I", count // 10) + b"\x80" * (count // 10),
        "many pairs": b"\xdf" + struct.pack(">I", count // 20) + b"\x01\x02" * (count // 20),
        "nested deep": b"\x91" * min(count, 100_000) + b"\xc0",
        "nested rather deep": b"\x91" * rng.choice((300, 500, 511, 512, 900, 1023)) + b"\xc0",
        "a long text": b"\xdb" + struct.pack(">I", count) + b"x" * count,
        "a number without end": packed(varints),
        "many fields": packed(b"\x08\x01" * min(count, 1_000_000)),
        "a length that lies": b"\xdb\xff\xff\xff\xff" + b"x" * count,
        "elements that lie": packed(b"\xa4mesh\xdd\xff\xff\xff\xff"),
    }
    word = rng.choice(sorted(choices))
    return f"bomb: {word}", with_state(archive, joined(header, [*records, Cut(type_id, choices[word])]))


def _count(keys: list[tuple[int, Any]], kind: int) -> int:
    return sum(1 for type_id, _key in keys if type_id == kind)


def _decoded(record: Cut) -> Any:
    value = msgpack.unpackb(record.raw, raw=True, strict_map_key=False)
    if record.type_id == CONFIG_ENTRY and isinstance(value, bytes):
        unpacker = msgpack.Unpacker(raw=True, strict_map_key=False, max_buffer_size=0)
        unpacker.feed(value)
        return list(unpacker)
    return value


def _encoded(type_id: int, value: Any) -> bytes:
    if type_id == CONFIG_ENTRY and isinstance(value, list):
        return packed(b"".join(packed(one) for one in value))
    return packed(value)


def _holders(value: Any, path: str = "") -> Iterable[tuple[str, Any, Any]]:
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        name = key.decode("utf-8", "replace") if isinstance(key, bytes) else "[]"
        yield f"{path}{name}", value, key
        yield from _holders(inner, f"{path}{name}.")


def _shuffled(rng: random.Random, value: Any) -> Any:
    if isinstance(value, dict):
        pairs = [(key, _shuffled(rng, inner)) for key, inner in value.items()]
        rng.shuffle(pairs)
        return dict(pairs)
    return [_shuffled(rng, inner) for inner in value] if isinstance(value, list) else value


Mutation = Callable[[random.Random, bytes], tuple[str, bytes]]
LAYERS: dict[str, list[Mutation]] = {
    "msgpack": [record_bytes],
    "records": [record_order],
    "meaning": [record_field],
    "packing": [repacked],
    "bombs": [bomb],
}
