# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which protobuf records a server decodes; each fault ends Consul 1.22.7: "cannot parse invalid wire-format data"."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.messages import require_message

PEERING, BUNDLE, SECRETS, RESOURCE = 35, 38, 40, 42


def field(number: int, value: bytes) -> bytes:
    """Return a text or a message as a field."""
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])) + bytes([len(value)]) + value


NAME = field(2, b"web")
GOOD = [
    (PEERING, field(1, b"id") + field(17, field(2, b"dc2") + field(3, field(1, b"region")))),
    (PEERING, field(5, field(1, b"key") + field(2, b"value")) + field(13, field(1, b"web") + field(3, b"\x08\x05"))),
    (BUNDLE, field(1, b"domain")),
    (SECRETS, field(1, b"id") + field(3, field(1, b"x") + field(2, b"y"))),
    (RESOURCE, field(1, NAME + field(3, field(1, b"group")) + field(4, b"")) + field(7, field(1, b"url"))),
    # The payload is bytes, and fields of other numbers or wire types are skipped.
    (RESOURCE, field(7, field(2, b"\xff")) + field(15, b"\xff\xff") + b"\x08\x05"),
    (RESOURCE, field(6, field(1, b"key") + field(2, field(2, field(5, field(1, field(3, b"Kind"))))))),
]
BAD = [
    (PEERING, field(2, b"\xff")),
    (PEERING, field(4, b"\xff\xff")),
    (PEERING, field(5, field(1, b"\xff"))),
    (PEERING, field(17, field(3, b"\x0a\x05ab"))),
    (BUNDLE, field(4, b"\xc3")),
    (SECRETS, field(2, b"\x0a")),
    (RESOURCE, field(1, b"6b50a97a-0ff0-909c-5dcd-58cc767aa108")),
    (RESOURCE, field(1, field(3, field(1, b"\xff")))),
    (RESOURCE, field(6, field(2, field(2, field(5, b"\xff"))))),
    # No valid number of a field; a number of 65 bits.
    (RESOURCE, b"\x02\x00"),
    (RESOURCE, b"\xfa\xff\xff\xff\x1f\x00"),
    (RESOURCE, b"\x78" + b"\xff" * 9 + b"\x02"),
]


@pytest.mark.parametrize(("type_id", "message"), GOOD)
def test_what_a_server_decodes(type_id: int, message: bytes) -> None:
    require_message(type_id, message)


@pytest.mark.parametrize(("type_id", "message"), BAD)
def test_what_ends_a_server(type_id: int, message: bytes) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        require_message(type_id, message)
