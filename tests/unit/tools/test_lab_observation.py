# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the oracle counts as equal, and how its observations are compared."""

from __future__ import annotations

import random

from lab.comparison import Row, compare, losses, table
from lab.oracle import digest
from lab.seeding import kv


def test_bookkeeping_is_no_content() -> None:
    one = {"Name": "a", "CreateIndex": 1, "Nested": [{"ModifyIndex": 2, "x": "ü"}]}
    other = {"Nested": [{"x": "ü", "ModifyIndex": 9}], "Hash": "h", "Name": "a"}
    assert digest(one) == digest(other)
    assert digest(one) != digest(other | {"Name": "b"})


def test_compare_tells_what_is_missing_different_and_extra() -> None:
    before = {"kv": {"a": "1", "b": "2", "c": "3"}, "agent-nodes": {"old": "1"}, "nothing": {}}
    after = {"kv": {"b": "2", "c": "4", "d": "5"}, "agent-nodes": {"new": "1"}}
    kv_row, agents = compare(before, after)
    assert kv_row == Row("kv", 3, 3, missing=("a",), different=("c",), extra=("d",))
    assert kv_row.verdict == "LOST"
    assert agents.verdict == "agents'"
    assert losses([kv_row, agents]) == [kv_row]
    assert "LOST" in table([kv_row, agents])


def test_equal_and_extra_are_no_loss() -> None:
    rows = compare({"kv": {"a": "1"}, "nodes": {"n": "1"}}, {"kv": {"a": "1"}, "nodes": {"n": "1", "m": "2"}})
    assert [row.verdict for row in rows] == ["equal", "extra"]
    assert losses(rows) == []


def test_a_type_that_is_gone_is_a_loss() -> None:
    assert [row.type for row in losses(compare({"kv": {"a": "1"}}, {}))] == ["kv"]


def test_seeded_keys_are_mixed_distinct_and_repeatable() -> None:
    entries = list(kv.entries(1000, random.Random(1)))
    assert entries == list(kv.entries(1000, random.Random(1)))
    assert len({entry.key for entry in entries}) == 1000
    assert {entry.key for entry in entries} >= set(kv.ODD_KEYS)
    sizes = [len(entry.value) for entry in entries]
    assert min(sizes) == 0
    assert max(sizes) > 60 * 1024


def test_batches_keep_within_the_servers_limits() -> None:
    entries = list(kv.entries(1000, random.Random(1)))
    batches = list(kv.batches(entries, 64))
    assert [operation["KV"]["Key"] for batch in batches for operation in batch] == [entry.key for entry in entries]
    assert max(map(len, batches)) == 64
    assert all(len(str(batch).encode()) < 512 * 1024 for batch in batches)
