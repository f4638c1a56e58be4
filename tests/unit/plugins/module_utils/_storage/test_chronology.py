# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archive is newer, whatever clocks say."""

from __future__ import annotations

import time

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.chronology import (
    DAY,
    NEVER,
    Stamp,
    histories,
    in_order,
    is_ahead,
)

NOW = 1_000 * DAY
A, B = ("a1", "a2"), ("b1",)


def stamp(servers: tuple[str, ...], index: int | None, days: float) -> Stamp:
    """Return an archive that was taken so many days from now."""
    return Stamp(servers, index, NOW + days * DAY)


# Each lists archives, the newest first.
ORDERS = {
    "by time": [stamp((), None, -1), stamp((), None, -2), stamp((), None, -3)],
    "by index within a history": [stamp(A, 9, -0.2), stamp(A, 8, -0.1), stamp(A, 7, -0.3)],
    "one history through a server in between": [
        stamp(("x", "y"), 9, -0.3),
        stamp(("w", "x"), 8, -0.2),
        stamp(("w",), 7, -0.1),
    ],
    "two histories by time": [stamp(A, 5, -1), stamp(B, 900, -2), stamp(A, 4, -3), stamp(B, 800, -4)],
    "dated ahead, and older by its index": [stamp(A, 9, -1), stamp(A, 8, 10), stamp(A, 7, -3)],
    "dated ahead, and newer by its index": [stamp(A, 9, 10), stamp(A, 8, -1)],
    "dated ahead, nothing to go by": [stamp(A, 8, -9), stamp((), 7, 10)],
    "dated ahead does not outrank another history": [stamp(B, 1, -1), stamp(A, 9, 10), stamp(A, 8, -2)],
    "all dated ahead": [stamp(A, 9, 10), stamp(A, 8, 20)],
    "a history that began anew": [stamp(A, 20, -1), stamp(A, 10, -2), stamp(A, 900, -4), stamp(A, 800, -5)],
    "began anew, and one dated ahead of each": [
        *[stamp(A, 20, -1), stamp(A, 15, 10), stamp(A, 10, -2), stamp(A, 900, -4)],
    ],
    "up to a day ahead is believed": [stamp((), None, 1), stamp((), None, 0.5), stamp((), None, 0)],
    "one index twice": [stamp(A, 9, -1), stamp(A, 9, 10)],
}


@pytest.mark.parametrize("turned", [False, True], ids=["as listed", "the other way round"])
@pytest.mark.parametrize("stamps", ORDERS.values(), ids=ORDERS)
def test_order(stamps: list[Stamp], turned: bool) -> None:
    given = stamps[::-1] if turned else stamps
    assert [given[place.position] for place in in_order(given, NOW)] == stamps


def test_what_a_date_ahead_counts_as() -> None:
    given = [stamp(A, 9, -1), stamp(A, 8, 10), stamp(A, 7, -3), stamp(B, 5, 10)]
    counts = {place.position: place.counts_as for place in in_order(given, NOW)}
    assert counts == {0: NOW - DAY, 1: NOW - 3 * DAY, 2: NOW - 3 * DAY, 3: NEVER}


def test_a_day_ahead() -> None:
    assert not is_ahead(NOW + DAY, NOW)
    assert is_ahead(NOW + DAY + 1, NOW)


def test_histories() -> None:
    assert histories([("a", "b"), ("c",), (), ("b", "d"), (), ("d", "e")]) == [[0, 3, 5], [1], [2], [4]]


def test_ten_thousand_take_no_time() -> None:
    begun = time.process_time()
    places = in_order([stamp((f"s{n % 9}", f"s{n % 7}"), n, -n / 100) for n in range(10_000)], NOW)
    assert len(places) == 10_000
    assert time.process_time() - begun < 2
