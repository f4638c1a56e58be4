# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys counted by prefix. That these are the CLI's numbers is seen on real archives, in the integration tests."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.kv_prefixes import (
    KvPrefixes,
    PrefixStats,
)

KEYS = [b"a/b/c", b"a/b/d", b"a/e", b"a", b"a/", b"b//c", "ü/x".encode(), b"\xff\xfe/x", b"ab"]

ROWS = [
    (1, "", {"a": 5, "b": 1, "ü": 1, "��": 1, "ab": 1}),
    (2, "", {"a/b": 2, "a/e": 1, "a": 1, "a/": 1, "b/": 1, "ü/x": 1, "��/x": 1, "ab": 1}),
    (
        3,
        "",
        {"a/b/c": 1, "a/b/d": 1, "a/e": 1, "a": 1, "a/": 1, "b//c": 1, "ü/x": 1, "��/x": 1, "ab": 1},
    ),
    (1, "a", {"a": 5, "ab": 1}),
    (2, "a/", {"a/b": 2, "a/e": 1, "a/": 1}),
    (1, "ü", {"ü": 1}),
    (2, "nothing", {}),
]


@pytest.mark.parametrize(("depth", "within", "counts"), ROWS, ids=str)
def test_counts(depth: int, within: str, counts: dict[str, int]) -> None:
    prefixes = KvPrefixes(depth, within)
    prefixes.add((key, 10) for key in KEYS)

    assert {one.prefix: one.count for one in prefixes.result()} == counts
    assert all(one.size == 10 * one.count for one in prefixes.result())


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("within", ["", "a", "a/", "a/b/c", "b"])
def test_keys_in_any_order_and_in_any_portions_are_counted_alike(depth: int, within: str) -> None:
    source = random.Random(5)
    keys = [b"/".join(source.choices([b"a", b"b", b"", b"ab"], k=source.randint(1, 5))) for _number in range(400)]
    # Counted one by one, in no order: nothing can be remembered from one key to the next.
    counted = Counter(b"/".join(key.split(b"/")[:depth]).decode() for key in keys if key.startswith(within.encode()))

    for ordered in (keys, sorted(keys)):
        prefixes = KvPrefixes(depth, within)
        prefixes.add((key, 1) for key in ordered[:150])
        prefixes.add((key, 1) for key in ordered[150:])
        assert {one.prefix: one.count for one in prefixes.result()} == counted


def test_the_largest_comes_first_and_names_decide_between_equals() -> None:
    prefixes = KvPrefixes(1)
    prefixes.add([(b"small", 1), (b"z", 5), (b"y", 5), (b"large", 6)])

    assert prefixes.result() == [
        PrefixStats("large", 1, 6),
        PrefixStats("y", 1, 5),
        PrefixStats("z", 1, 5),
        PrefixStats("small", 1, 1),
    ]
