# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint's properties, over states that nobody thought of: packing never changes it, content always does."""

from __future__ import annotations

import random
from typing import Any

import pytest
from support.archives import SUMS, Part, archive_of, parts_of
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import Fingerprint

# The environment of the oldest versions does without.
hypothesis = pytest.importorskip("hypothesis")
st = pytest.importorskip("hypothesis.strategies")
PACE = hypothesis.settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
BOOKKEEPING = ("CreateIndex", "ModifyIndex")
KV_BOOKKEEPING = (*BOOKKEEPING, "LockIndex", "Session")

texts = st.text(st.characters(codec="utf-8"), max_size=40)
leaves = st.none() | st.booleans() | st.integers(0, (1 << 64) - 1) | texts | st.binary(max_size=40)
names = st.text("abcdefgXYZ", min_size=1, max_size=8)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
structs = st.dictionaries(names, values, min_size=1, max_size=6)
policies = structs.map(
    lambda fields: Record(19, {**fields, "ID": "an-id", "Name": "p", "CreateIndex": 1, "ModifyIndex": 2})
)
keys = st.builds(kv, texts.filter(bool), st.binary(max_size=300))
records = st.lists(policies | keys, min_size=1, max_size=6)


def fingerprint(archive: bytes) -> Fingerprint:
    return read_archive([archive]).state.fingerprint


def shuffled(chance: random.Random, value: Any) -> Any:
    """Return a value with its maps in another order, as Go writes them."""
    if isinstance(value, dict):
        pairs = [(key, shuffled(chance, inner)) for key, inner in value.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    return [shuffled(chance, inner) for inner in value] if isinstance(value, list) else value


@PACE
@hypothesis.given(records, st.integers())
def test_packing_never_changes_it(some: list[Record], seed: int) -> None:
    chance = random.Random(seed)
    other = [Record(one.type_id, shuffled(chance, one.value)) for one in some]
    chance.shuffle(other)
    parts = parts_of(archive_around(state_of(other, last_index=7), index=8))
    lines = parts[-1].data.splitlines(keepends=True)
    packed_anew = archive_of([*parts[:-1], Part(SUMS, b"".join(reversed(lines)))])
    assert fingerprint(packed_anew) == fingerprint(archive_around(state_of(some)))


@PACE
@hypothesis.given(records, st.data())
def test_bookkeeping_never_changes_it(some: list[Record], data: Any) -> None:
    number = data.draw(st.integers(0, len(some) - 1))
    one = some[number]
    field = data.draw(st.sampled_from(KV_BOOKKEEPING[:3] if one.type_id == 2 else BOOKKEEPING))
    changed = Record(one.type_id, {**one.value, field: data.draw(st.integers(0, (1 << 64) - 1))})
    after = [*some[:number], changed, *some[number + 1 :]]
    assert fingerprint(archive_around(state_of(after))) == fingerprint(archive_around(state_of(some)))


def leaves_of(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to all that is no map and no list."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if pairs is None:
        return [way]
    return [found for key, inner in pairs for found in leaves_of(inner, (*way, key))]


def replaced(value: Any, way: tuple[Any, ...], leaf: Any) -> Any:
    if not way:
        return leaf
    if isinstance(value, dict):
        return {key: replaced(inner, way[1:], leaf) if key == way[0] else inner for key, inner in value.items()}
    return [replaced(inner, way[1:], leaf) if n == way[0] else inner for n, inner in enumerate(value)]


@PACE
@hypothesis.given(records, st.data())
def test_every_other_leaf_changes_it(some: list[Record], data: Any) -> None:
    number = data.draw(st.integers(0, len(some) - 1))
    one = some[number]
    outside = KV_BOOKKEEPING if one.type_id == 2 else BOOKKEEPING
    ways = [way for way in leaves_of(one.value) if way[0] not in outside]
    way = data.draw(st.sampled_from(ways))
    leaf = data.draw(st.sampled_from([b"another", 4711, b"", 0]))
    changed = Record(one.type_id, replaced(one.value, way, leaf))
    after = [*some[:number], changed, *some[number + 1 :]]
    same = state_of(after) == state_of(some)
    assert (fingerprint(archive_around(state_of(after))) == fingerprint(archive_around(state_of(some)))) == same


@PACE
@hypothesis.given(records)
def test_a_record_more_changes_it(some: list[Record]) -> None:
    assert fingerprint(archive_around(state_of([*some, some[0]]))) != fingerprint(archive_around(state_of(some)))
