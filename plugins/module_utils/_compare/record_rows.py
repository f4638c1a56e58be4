# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of one type as rows: a digest of each one's content, side by side, and their names, compressed (pure).

Two states have most rows in common, so names are looked at for those that differ alone. Rows of two states are matched
bucket by bucket, so that no more than a small part of them is ever held as Python objects.
"""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from .._snapshot.records.stream import pack, unpack

WIDTH = 16
"""Bytes of a row: half of a SHA-256, which no two records share by chance."""

_NAMED, _NAMELESS = b"\1", b"\0"
_BUCKETS = 256
_CHUNK_NAMES = 4096
_CHUNK_BYTES = 1 << 18
_FASTEST = 1


class RowName(NamedTuple):
    """``digest``: of what tells the record from all others of its type. ``label``: what people are shown."""

    digest: bytes
    label: bytes


def named(identity: bytes, label: bytes) -> RowName:
    """Return the name of a record whose identity is known. It may be secret, so a digest of it is all that is kept."""
    return RowName(sha256(_NAMED + identity).digest()[:WIDTH], label)


def nameless(content: bytes, label: bytes) -> RowName:
    """Return the name of a record that only the digest of its content tells from others."""
    return RowName(sha256(_NAMELESS + content).digest()[:WIDTH], label)


class Chunk(NamedTuple):
    """Some records that follow each other: their number, their rows, and their names, packed and compressed."""

    number: int
    digests: bytes
    names: bytes


class Rows:
    """The records of one type, in the order in which they come."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        """All that was taken in, once ``complete`` was called."""
        self._digests = bytearray()
        self._names: list[bytes | RowName] = []
        self._size = 0

    @property
    def digests(self) -> bytes:
        """The rows, WIDTH bytes each."""
        return b"".join([chunk.digests for chunk in self.chunks])

    def add(self, digest: bytes, name: RowName) -> None:
        """Take in a record; ``digest`` is that of its content."""
        self._keep(digest[:WIDTH], [name], WIDTH + len(name.label))

    def add_keys(self, keys: list[bytes], digests: list[bytes]) -> None:
        """Take in KVS records, which are told from each other by what they are called."""
        self._keep(b"".join([digest[:WIDTH] for digest in digests]), keys, sum(map(len, keys)))

    def complete(self) -> None:
        """Say that no record comes any more, which has to be said before any is asked for."""
        if self._names:
            names = zlib.compress(pack(self._names), _FASTEST)
            self.chunks.append(Chunk(len(self._names), bytes(self._digests), names))
            self._digests, self._names, self._size = bytearray(), [], 0

    def names(self, positions: Iterable[int]) -> Iterator[RowName]:
        """Yield the names of the records at these positions, which are in ascending order."""
        names: list[bytes | RowName] = []
        begin = end = next_chunk = 0
        for position in positions:
            while position >= end:
                begin, chunk = end, self.chunks[next_chunk]
                end, next_chunk = end + chunk.number, next_chunk + 1
                if position < end:
                    names = unpack(zlib.decompress(chunk.names))
            yield _row_name(names[position - begin])

    def _keep(self, digests: bytes, names: Iterable[bytes | RowName], size: int) -> None:
        self._digests += digests
        self._names += names
        self._size += size
        if len(self._names) >= _CHUNK_NAMES or self._size >= _CHUNK_BYTES:
            self.complete()


def _row_name(name: bytes | RowName) -> RowName:
    if isinstance(name, bytes):
        return named(name, name)
    digest, label = name
    return RowName(digest, label)


def without_partner(before: bytes, after: bytes) -> tuple[list[int], list[int]]:
    """Return the positions of the rows of either side that the other side lacks, each in ascending order.

    A row that stands there more than once has as many partners as the other side has of it; the last ones have them.
    """
    if before == after:
        return [], []
    only_before: list[int] = []
    only_after: list[int] = []
    for mine, others in zip(_buckets(before), _buckets(after)):
        my_rows, other_rows = _rows_at(before, mine), _rows_at(after, others)
        my_places, other_places = dict(zip(my_rows, mine)), dict(zip(other_rows, others))
        if len(my_places) == len(my_rows) and len(other_places) == len(other_rows):
            only_before += [my_places[row] for row in my_places.keys() - other_places.keys()]
            only_after += [other_places[row] for row in other_places.keys() - my_places.keys()]
        else:
            only_before += _lacking(mine, my_rows, other_rows)
            only_after += _lacking(others, other_rows, my_rows)
    return sorted(only_before), sorted(only_after)


def _buckets(rows: bytes) -> list[array[int]]:
    buckets = [array("I") for _number in range(_BUCKETS)]
    for position, first in enumerate(rows[::WIDTH]):
        buckets[first].append(position)
    return buckets


def _rows_at(rows: bytes, positions: Iterable[int]) -> list[bytes]:
    return [rows[WIDTH * position : WIDTH * position + WIDTH] for position in positions]


def _lacking(positions: array[int], rows: list[bytes], others: list[bytes]) -> list[int]:
    """Return the positions of those rows that have no partner among the others, where some stand there repeatedly."""
    free, lacking = Counter(others), []
    for position, row in zip(reversed(positions), reversed(rows)):
        if free[row]:
            free[row] -= 1
        else:
            lacking.append(position)
    return lacking
