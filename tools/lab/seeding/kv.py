# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and values of mixed kinds and sizes, stored in transactions."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..access import Access
from ..config import at_least

# What a transaction may hold: 64 operations on old servers, 128 on newer ones, and 512 KiB of body on both.
OPERATIONS_OLD, OPERATIONS_NEW = 64, 128
BODY_BYTES = 480 * 1024
DELETED = "lab/deleted/"

# Keys that break careless code: each is stored whatever the number of keys asked for.
ODD_KEYS = (
    "lab/odd/with space",
    "lab/odd/ümläut/日本語/🗝",
    "lab/odd/percent%2Fencoded",
    "lab/odd/question?mark&ampersand=equals#hash",
    'lab/odd/"quotes" and \\backslash',
    "lab/odd/trailing/slash/",
    "lab/odd/double//slash",
    "lab/odd/" + "/".join("deep" for _level in range(40)),
    "lab-without-slash",
)


@dataclass(frozen=True)
class Entry:
    """A key, its flags and its value."""

    key: str
    flags: int
    value: bytes


def entries(count: int, rng: random.Random) -> Iterator[Entry]:
    """``count`` different entries, at least one per odd key; the same for the same generator state."""
    for number, key in enumerate(ODD_KEYS):
        yield Entry(key, number, rng.randbytes(number * 7))
    teams = [f"team-{letter}" for letter in "abcdefgh"]
    for number in range(count - len(ODD_KEYS)):
        key = f"lab/{rng.choice(teams)}/app-{number % 37}/{rng.choice(['config', 'feature', 'state'])}/{number:07}"
        flags = rng.choice((0, 0, 0, 1, 42, 2**32 + 1, 2**64 - 1))
        yield Entry(key, flags, _value(number, rng))


def _value(number: int, rng: random.Random) -> bytes:
    if number % 400 == 7:
        return rng.randbytes(rng.randint(64, 100) * 1024)
    kind = number % 10
    if kind == 0:
        return b""
    if kind == 1:
        return rng.randbytes(rng.randint(1, 8192))
    if kind == 2:
        return json.dumps({"id": number, "hosts": [f"10.0.{rng.randrange(256)}.{n}" for n in range(20)]}).encode()
    if kind == 3:
        return f"Größe {number} ✓\n".encode() * rng.randint(1, 20)
    return rng.randbytes(rng.randint(1, 300))


def batches(items: Iterable[Entry], operations: int) -> Iterator[list[dict[str, Any]]]:
    """Transactions that set the entries, each within the server's limits."""
    batch: list[dict[str, Any]] = []
    size = 0
    for item in items:
        value = base64.b64encode(item.value).decode()
        # JSON escapes what is not ASCII: six characters for each of UTF-16, 120 for the rest of the operation.
        cost = len(value) + 6 * len(item.key) + 120
        if batch and (len(batch) == operations or size + cost > BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"KV": {"Verb": "set", "Key": item.key, "Flags": item.flags, "Value": value}})
        size += cost
    if batch:
        yield batch


def seed_kv(access: Access, version: str, count: int, rng: random.Random) -> list[str]:
    """Store ``count`` entries and return their keys; a few more are deleted again and leave tombstones."""
    keys: list[str] = []

    def noted() -> Iterator[Entry]:
        for entry in entries(count, rng):
            keys.append(entry.key)
            yield entry
        for number in range(5):
            yield Entry(f"{DELETED}{number}", 0, b"soon gone")

    server = access.leader()
    operations = OPERATIONS_NEW if at_least(version, "1.22") else OPERATIONS_OLD
    for batch in batches(noted(), operations):
        access.put("/v1/txn", batch, server=server)
    access.http("DELETE", f"/v1/kv/{DELETED}?recurse", server=server, check=True)
    return keys
