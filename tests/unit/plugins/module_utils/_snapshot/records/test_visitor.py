# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who looks on while a state is read sees every record once, in its order."""

from __future__ import annotations

import pytest
from support.states import Record, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import Content
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    record_digest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import StateReader

INDEX = 16


class Witness(Visitor):
    """Writes down what it is shown."""

    def __init__(self, wants_keys: bool) -> None:
        self.wants_keys = wants_keys
        self.seen: list[object] = []

    def record(self, type_id: int, content: Content) -> None:
        fields = content.fields or {}
        self.seen.append((type_id, fields.get(b"Key") or fields.get(b"Node")))

    def keys(self, keys: list[tuple[bytes, int]], digests: list[bytes]) -> None:
        assert len(keys) == len(digests)
        self.seen += [(2, key, digest) for (key, _size), digest in zip(keys, digests)]

    def node_ends(self, agents: bool) -> None:
        self.seen.append(agents)


@pytest.mark.parametrize("piece", [1, 1 << 16])
@pytest.mark.parametrize("wants_keys", [True, False])
def test_what_is_seen(wants_keys: bool, piece: int) -> None:
    digest = record_digest(b"\xa5Flags\x00\xa3Key\xa1a\xa5Value\xa1v")
    odd = Record(2, {**kv("b", b"v").value, "Zone": None})
    records = [node("s"), node("s", check="serfHealth"), node("u"), Record(INDEX, {"Key": "kvs"}), kv("a", b"v"), odd]
    witness = Witness(wants_keys)
    reader, state = StateReader(visitor=witness), state_of(records)
    for start in range(0, len(state), piece):
        reader.feed(state[start : start + piece])
    alone = StateReader()
    alone.feed(state)

    assert reader.finish() == alone.finish()
    assert witness.seen == [
        (0, b"s"),
        (0, b"s"),
        True,
        (0, b"u"),
        (INDEX, b"kvs"),
        *([(2, b"a", digest)] if wants_keys else []),
        (2, b"b"),
        False,
    ]
