# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows: which ones have no partner on the other side, and the names of any of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_rows import (
    WIDTH,
    Rows,
    named,
    nameless,
    without_partner,
)


def row(number: int, first: int = 1) -> bytes:
    return bytes([first]) + number.to_bytes(WIDTH - 1, "big")


def joined(*numbers: int) -> bytes:
    return b"".join(row(number, number % 5) for number in numbers)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (), ([], [])),
        ((1, 2, 3), (1, 2, 3), ([], [])),
        ((1, 2, 3), (3, 1, 2), ([], [])),
        ((1, 2, 3), (), ([0, 1, 2], [])),
        ((), (7, 8), ([], [0, 1])),
        ((1, 2, 3, 4), (9, 3, 1), ([1, 3], [0])),
        # More of one row here than there: the first ones go without.
        ((5, 5, 6, 5), (5, 6), ([0, 1], [])),
        ((5,), (5, 6, 5), ([], [0, 1])),
    ],
)
def test_without_partner(
    before: tuple[int, ...], after: tuple[int, ...], expected: tuple[list[int], list[int]]
) -> None:
    assert without_partner(joined(*before), joined(*after)) == expected


def test_against_counters_with_rows_that_are_alike() -> None:
    source = random.Random(11)
    for _round in range(200):
        # Of few values, so that parts of rows are found where no row begins.
        before, after = (
            [bytes(source.choices(b"\1\2", k=2)) * (WIDTH // 2) for _number in range(source.randrange(12))]
            for _side in range(2)
        )
        gone, come = without_partner(b"".join(before), b"".join(after))
        assert Counter(before[at] for at in gone) == Counter(before) - Counter(after)
        assert Counter(after[at] for at in come) == Counter(after) - Counter(before)
        assert gone == sorted(set(gone))


def test_many_equal_rows_take_one_pass() -> None:
    # Were each one looked for among all others, this would take minutes.
    assert without_partner(row(1) * 60_000, row(1) * 50_000) == (list(range(10_000)), [])


def test_names_of_any_positions() -> None:
    rows, keys = Rows(), [b"key/%06d" % number for number in range(10_000)]
    for begin in range(0, len(keys), 700):
        some = keys[begin : begin + 700]
        rows.add_keys(some, [row(number) * 2 for number in range(len(some))])
        rows.add(row(1) * 2, named(b"secret %d" % begin, b"label %d" % begin))
    rows.complete()
    all_names = list(rows.names(range(10_000)))

    assert [name.label for name in all_names[699:702]] == [b"key/000699", b"label 0", b"key/000700"]
    assert list(rows.names([0, 4999, 9999])) == [all_names[at] for at in (0, 4999, 9999)]
    assert list(rows.names([])) == []
    assert len(rows.digests) == WIDTH * (10_000 + 15)
    assert sum(chunk.number for chunk in rows.chunks) == 10_000 + 15


def test_names_that_are_long_are_not_kept_as_they_are() -> None:
    rows = Rows()
    rows.add_keys([b"long/" + b"x" * 300_000], [row(1) * 2])
    rows.add_keys([b"short"], [row(2) * 2])
    rows.complete()

    assert [len(name.label) for name in rows.names([0, 1])] == [300_005, 5]
    assert sum(len(chunk.names) for chunk in rows.chunks) < 3000


def test_a_name_is_the_same_whichever_way_it_came() -> None:
    rows = Rows()
    rows.add_keys([b"a"], [row(1) * 2])
    rows.add(row(2) * 2, named(b"a", b"a"))
    rows.complete()
    first, second = rows.names([0, 1])

    assert first == second
    assert nameless(b"a", b"a") != first
