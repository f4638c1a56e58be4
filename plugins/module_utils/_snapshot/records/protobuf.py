# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of protobuf's wire format as the records that stand in it need: which field begins and ends where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_LARGEST_NUMBER = (1 << 29) - 1
_MOST_FIELDS = 50_000
"""Of one message; a peering with all the certificates and addresses in the world has some hundreds."""


class Field(NamedTuple):
    """A field of a message: its number, all of its bytes, and what it holds where that is a string or a message."""

    number: int
    whole: bytes
    value: bytes | None


def fields(message: bytes) -> Iterator[Field]:
    """Yield a message's fields in their order.

    :raises ValueError, KeyError, IndexError: this is no message.
    """
    position = count = 0
    while position < len(message):
        start = position
        count += 1
        if count > _MOST_FIELDS:
            raise ValueError("a message has too many fields")
        tag, position = _varint(message, position)
        number, wire = tag >> 3, tag & 7
        if not 0 < number <= _LARGEST_NUMBER:
            raise ValueError("a field has no valid number")
        value = None
        if wire == _VARINT:
            _value, position = _varint(message, position)
        elif wire == _BYTES:
            length, position = _varint(message, position)
            value = message[position : position + length]
            position += length
        else:
            position += _FIXED[wire]
        if position > len(message):
            raise ValueError("a field runs past the end of the message")
        yield Field(number, message[start:position], value)


def value_of(message: bytes, *path: int) -> bytes:
    """Return what the string field at a path of field numbers holds; empty where it isn't there.

    :raises ValueError, KeyError, IndexError: this is no message.
    """
    for number in path:
        message = next((field.value for field in fields(message) if field.number == number and field.value), b"")
    return message


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for number in range(_LONGEST_VARINT):
        byte = message[position + number]
        value |= (byte & 0x7F) << 7 * number
        if byte < 0x80:
            if value >= 1 << 64:
                raise ValueError("a number is too large")
            return value, position + number + 1
    raise ValueError("a number is too long")
