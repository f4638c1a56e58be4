# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Peerings: their states, and which of them a restored server dials."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.peerings import (
    PEERING,
    PEERING_SECRET,
    Peering,
    Peerings,
)

ADDRESSES, MANUAL = 10, 18


def text(number: int, value: bytes) -> bytes:
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])) + bytes([len(value)]) + value


def peering(name: bytes = b"east", *, state: int = 3, address: int | None = ADDRESSES, deleted: bytes = b"") -> bytes:
    addresses = text(address, b"127.0.0.1:8502") if address else b""
    return text(1, b"id-" + name) + text(2, name) + text(4, deleted) + bytes([6 << 3, state]) + addresses


def secret(name: bytes = b"east", stream: bytes = b"s3cr3t") -> bytes:
    return text(1, b"id-" + name) + text(3, text(1, stream) if stream else b"")


def found(*messages: tuple[int, bytes]) -> tuple[Peering, ...]:
    peerings = Peerings()
    for type_id, message in messages:
        peerings.record(type_id, message)
    return peerings.result()


@pytest.mark.parametrize(
    ("message", "secrets", "state", "dials"),
    [
        (peering(), [secret()], "ACTIVE", True),
        (peering(address=MANUAL), [secret()], "ACTIVE", True),
        (peering(state=2), [secret()], "ESTABLISHING", True),
        # The other side dials, or nothing is there to dial with.
        (peering(address=None), [secret()], "ACTIVE", False),
        (peering(), [], "ACTIVE", False),
        (peering(), [secret(b"west")], "ACTIVE", False),
        (peering(), [secret(stream=b"")], "ACTIVE", False),
        # It is at its end.
        (peering(state=5), [secret()], "DELETING", False),
        (peering(state=6), [secret()], "TERMINATED", False),
        (peering(deleted=b"\x08\x01"), [secret()], "ACTIVE", False),
        # A state of a version to come.
        (peering(state=9), [secret()], "9", True),
    ],
)
def test_what_a_restored_server_dials(message: bytes, secrets: list[bytes], state: str, dials: bool) -> None:
    expected = (Peering("id-east", "east", state, dials),)
    rows = [(PEERING_SECRET, one) for one in secrets]

    assert found((PEERING, message), *rows) == expected
    # In any order.
    assert found(*rows, (PEERING, message)) == expected


def test_they_come_by_name() -> None:
    assert [one.name for one in found(*((PEERING, peering(name)) for name in (b"c", b"a", b"b")))] == ["a", "b", "c"]


def test_no_secret_is_kept() -> None:
    peerings = Peerings()
    peerings.record(PEERING_SECRET, secret())

    assert b"id-east" in repr(vars(peerings)).encode()
    assert b"s3cr3t" not in repr(vars(peerings)).encode()


@pytest.mark.parametrize("message", [b"\x0a\x05abc", b"\x0b"])
def test_what_is_no_peering(message: bytes) -> None:
    with pytest.raises((ValueError, KeyError, IndexError, TypeError)):
        found((PEERING, message))
