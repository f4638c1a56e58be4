# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A msgpack value whose length is not known yet, gone through piece by piece and never held (pure).

Nothing but its parts is counted, so a value of any length takes no memory, and a length that lies shows at once.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

HELD = 8 << 20
"""Bytes of a record that are held in memory, and so can be looked into; larger ones are gone through only."""
HEAD = 6
"""Bytes at the beginning of a record that is not held: a text's header, and the first byte of what is in it."""
RECORD_LIMIT = 256 << 20
"""Bytes of a record at most; raft itself gives up long before that."""
PARTS_LIMIT = 1 << 20
"""Values in a record at most, those in its lists and maps included, where it is not small."""


class TooMuch(ValueError):
    """A value has more bytes or parts than anything that Consul writes, or is not msgpack; the text says which."""


class _Shape(NamedTuple):
    """What a value's first byte says: ``width`` bytes of a length follow; each unit of it stands for so many bytes and
    values; ``bytes`` and ``values`` follow in any case."""

    width: int = 0
    unit_bytes: int = 0
    unit_values: int = 0
    bytes: int = 0
    values: int = 0


def _shape(first: int) -> _Shape | None:
    if first < 0x80 or first >= 0xE0 or first in (0xC0, 0xC2, 0xC3):
        return _Shape()
    if first < 0xA0:
        return _Shape(values=2 * (first & 0x0F) if first < 0x90 else first & 0x0F)
    if first < 0xC0:
        return _Shape(bytes=first & 0x1F)
    if first in (0xC4, 0xC5, 0xC6):
        return _Shape(1 << first - 0xC4, unit_bytes=1)
    if first in (0xC7, 0xC8, 0xC9):
        return _Shape(1 << first - 0xC7, unit_bytes=1, bytes=1)
    if first in (0xD9, 0xDA, 0xDB):
        return _Shape(1 << first - 0xD9, unit_bytes=1)
    if first in (0xDC, 0xDD, 0xDE, 0xDF):
        return _Shape(2 << (first & 1), unit_values=1 if first < 0xDE else 2)
    if first in (0xCA, 0xCB):
        return _Shape(bytes=4 << first - 0xCA)
    if 0xCC <= first < 0xD4:
        return _Shape(bytes=1 << (first & 3))
    return _Shape(bytes=1 + (1 << first - 0xD4)) if first >= 0xD4 else None


_SHAPES = [_shape(first) for first in range(256)]


class LongValue:
    """Takes the bytes of one value, in pieces of any size, and knows where it ends.

    ``size``: the bytes taken so far. ``parts``: the values seen so far, those in lists and maps included.
    ``first``: its first bytes, HEAD of them at most. The first one says whether it is a map, a list, a text or
    something else.
    """

    def __init__(self, parts_limit: int = PARTS_LIMIT) -> None:
        self.size = 0
        self.parts = 0
        self.first = b""
        self._digest = hashlib.sha256()
        self._parts_limit = parts_limit
        self._open = 1
        self._skip = 0
        self._head = b""

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the bytes that were taken so far."""
        return self._digest.digest()

    def feed(self, data: bytes, position: int = 0) -> int | None:
        """Go on, and return the offset behind the value's last byte; None when the value goes on behind ``data``.

        :raises TooMuch: it has too many bytes or parts, or is not msgpack.
        """
        start, end = position, len(data)
        if len(self.first) < HEAD:
            self.first += data[position : position + HEAD - len(self.first)]
        while position < end and (self._skip or self._open):
            if self._skip:
                step = min(self._skip, end - position)
                position, self._skip = position + step, self._skip - step
            else:
                position = self._read_header(data, position)
                if self.size + position - start + self._skip > RECORD_LIMIT:
                    raise TooMuch(f"a record has more than {RECORD_LIMIT >> 20} MiB")
        self._digest.update(memoryview(data)[start:position])
        self.size += position - start
        return None if self._skip or self._open else position

    def _read_header(self, data: bytes, position: int) -> int:
        shape = _SHAPES[self._head[0] if self._head else data[position]]
        if shape is None:
            raise TooMuch("a record is not msgpack")
        length = 0
        if shape.width:
            taken = data[position : position + 1 + shape.width - len(self._head)]
            self._head += taken
            position += len(taken)
            if len(self._head) <= shape.width:
                return position
            length, self._head = int.from_bytes(self._head[1:], "big"), b""
        else:
            position += 1
        self.parts += 1
        self._open += shape.values + shape.unit_values * length - 1
        self._skip = shape.bytes + shape.unit_bytes * length
        if self.parts + self._open > self._parts_limit:
            raise TooMuch("a record has too many parts")
        return position


def has_too_many_parts(raw: bytes, limit: int) -> bool:
    """Whether the msgpack values in ``raw`` have more parts than ``limit``; what is short is not looked at."""
    if len(raw) <= limit:
        return False
    position: int | None = 0
    while position is not None and position < len(raw):
        value = LongValue(limit)
        try:
            position = value.feed(raw, position)
        except TooMuch:
            return True
        limit -= value.parts
    return False
