# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A writer of states: the records that a test needs, in the encoding that Consul uses."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgpack

from support.archives import META, STATE, SUMS, Part, archive_of, mended, part_of, with_state

REGISTER, KVS = 0, 2
UNKNOWN = 99
"""A record type that no Consul has."""


class Record(NamedTuple):
    """A record: its type byte and the value that follows."""

    type_id: int
    value: Any


def packed(value: Any) -> bytes:
    """Return a value in the old msgpack, in which text and bytes are one type."""
    return bytes(msgpack.packb(value, use_bin_type=False))


def encoded(records: Iterable[Record]) -> bytes:
    """Return records as they stand in a state."""
    return b"".join(bytes([record.type_id]) + packed(record.value) for record in records)


def state_of(records: Iterable[Record], *, last_index: int = 100) -> bytes:
    """Return a whole state."""
    return packed({"LastIndex": last_index}) + encoded(records)


def kv(key: str, value: bytes | None, *, index: int = 10, session: str = "") -> Record:
    """Return a KVS record; its fields stand in the order that Consul's encoder gives them."""
    fields = {
        "CreateIndex": index,
        "Flags": 0,
        "Key": key,
        "LockIndex": 1 if session else 0,
        "ModifyIndex": index,
        "Session": session,
        "Value": value,
    }
    return Record(KVS, fields)


def node(name: str, datacenter: str = "dc1", *, check: str = "") -> Record:
    """Return a Register record of a node, or of one of its checks."""
    fields: dict[str, Any] = {"Address": "192.0.2.1", "Datacenter": datacenter, "ID": "", "Node": name}
    if check:
        fields["Check"] = {"CheckID": check, "Node": name, "Status": "passing"}
    return Record(REGISTER, dict(sorted(fields.items())))


def incompressible(size: int, *, piece: int = 400_000) -> list[Record]:
    """Return KVS records of random bytes that add up to about ``size``, each small enough for Consul."""
    return [kv(f"bulk/{number}", os.urandom(piece)) for number in range(max(1, size // piece))]


def parts_around(state: bytes, *, index: int = 100) -> list[Part]:
    """Return the members of an archive of this state, in Consul's order and with nothing wrong in them."""
    meta = {
        "Version": 1,
        "ID": f"2-{index}-1700000000000",
        "Index": index,
        "Term": 2,
        "Peers": None,
        "Configuration": {"Servers": [{"Suffrage": 0, "ID": "an-id", "Address": "127.0.0.1:8300"}]},
        "ConfigurationIndex": 1,
        "Size": len(state),
    }
    return mended([Part(META, json.dumps(meta).encode() + b"\n"), Part(STATE, state), Part(SUMS, b"")])


def archive_around(state: bytes, **options: Any) -> bytes:
    """Return a well-formed archive of this state."""
    return archive_of(parts_around(state, **options))


def with_records(archive: bytes, records: Iterable[Record]) -> bytes:
    """Return a well-formed archive that holds some records more."""
    return with_state(archive, part_of(archive, STATE) + encoded(records))
