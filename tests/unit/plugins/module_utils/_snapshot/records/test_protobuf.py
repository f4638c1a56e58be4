# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages in protobuf's wire format: where each field begins and ends, and what is no message."""

from __future__ import annotations

import random

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.protobuf import (
    Field,
    fields,
    value_of,
)

NO_MESSAGE = (ValueError, KeyError, IndexError)


def text(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value


def test_fields_of_every_kind_in_their_order() -> None:
    parts = [
        b"\x08\x96\x01",  # 1: the varint 150
        b"\x11" + bytes(8),  # 2: 64 bits
        text(3, b"name"),
        b"\x25" + bytes(4),  # 4: 32 bits
        text(3, b""),
        b"\x92\x01\x03abc",  # 18: a tag of two bytes
    ]

    assert list(fields(b"".join(parts))) == [
        Field(1, parts[0], None),
        Field(2, parts[1], None),
        Field(3, parts[2], b"name"),
        Field(4, parts[3], None),
        Field(3, parts[4], b""),
        Field(18, parts[5], b"abc"),
    ]
    assert list(fields(b"")) == []


@pytest.mark.parametrize(
    "message",
    [
        b"\x0a",  # a tag and no length
        b"\x0a\x05abc",  # shorter than it says
        b"\x08",  # a varint that is missing
        b"\x08\xff",  # one that is cut
        b"\x08" + b"\xff" * 11,  # one that never ends
        b"\x08" + b"\xff" * 10 + b"\x01",  # one that ends too late
        b"\x11\0\0\0",  # 64 bits, cut
        b"\x0b",  # the start of a group, which nobody writes any more
        b"\x0f",  # a wire type that there is not
        b"\x08\x01" * 50_001,
    ],
    ids=range(10),
)
def test_what_is_no_message(message: bytes) -> None:
    with pytest.raises(NO_MESSAGE):
        list(fields(message))


def test_any_bytes_end_in_fields_or_in_an_error() -> None:
    source = random.Random(4)
    read = 0
    for _number in range(3000):
        message = source.randbytes(source.randrange(12))
        try:
            found = list(fields(message))
        except NO_MESSAGE:
            continue
        read += 1
        assert b"".join(field.whole for field in found) == message
    assert read > 100


def test_a_value_by_its_path() -> None:
    message = text(1, b"id") + text(2, text(1, b"first") + text(2, text(3, b"deep"))) + text(1, b"again")

    assert value_of(message, 1) == b"id"
    assert value_of(message, 2, 1) == b"first"
    assert value_of(message, 2, 2, 3) == b"deep"
    assert value_of(message, 7) == b""
    assert value_of(message, 2, 7, 1) == b""
