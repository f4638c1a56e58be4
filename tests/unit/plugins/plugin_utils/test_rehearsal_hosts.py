# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters spread over rehearsal hosts: evenly, always in the same way, and most of them stay where they are."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._rehearsal_hosts import (
    hosts_of,
    spread,
    unusable_of,
)

GROUPS = {"all": ["r1", "r2", "c1", "both"], "rehearsal": ["r1", "r2"], "both": ["c1"], "none": []}
DF = "Consul v1.22.7\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a b  1000000 10 {} 1% /tmp\n"


def seats(count: int, on: Any) -> list[dict[str, Any]]:
    """Return clusters, one a host."""
    return [{"host": f"h{number}", "cluster": f"c{number}", "on": on} for number in range(count)]


@pytest.mark.parametrize(
    ("on", "hosts"),
    [
        ("localhost", ["localhost"]),
        ("rehearsal", ["r1", "r2"]),
        (["rehearsal", "localhost", "r1"], ["r1", "r2", "localhost"]),
        ("both", ["both"]),
        ("none", []),
        ([], []),
        ("not in the inventory", ["not in the inventory"]),
    ],
)
def test_hosts_groups_and_lists_of_them(on: Any, hosts: list[str]) -> None:
    assert hosts_of(on, GROUPS) == hosts


def test_one_host_is_as_it_was() -> None:
    assert spread([*seats(2, "r1"), {"host": "x", "cluster": "x", "on": "r2"}]) == {"h0": "r1", "h1": "r1", "x": "r2"}


@pytest.mark.parametrize("count", [1, 2, 7, 100, 1000])
@pytest.mark.parametrize("hosts", [2, 3, 8])
def test_no_host_has_more_than_its_share_and_the_order_does_not_matter(count: int, hosts: int) -> None:
    names = [f"r{number}" for number in range(hosts)]
    placed = spread(seats(count, names))
    assert set(placed) == {f"h{number}" for number in range(count)}
    assert max(Counter(placed.values()).values()) <= -(-count // hosts)
    mixed = seats(count, names[::-1])
    random.Random(count).shuffle(mixed)
    assert spread(mixed) == placed


def test_most_stay_when_a_host_is_added_or_goes() -> None:
    three, four = (spread(seats(1000, [f"r{number}" for number in range(count)])) for count in (3, 4))
    moved = sum(three[host] != four[host] for host in three)
    # The new one's share has to move.
    assert 250 <= moved <= 500
    away = spread(seats(1000, [f"r{number}" for number in range(4)]), ["r3"])
    assert away == three


def test_hosts_of_one_cluster_are_rehearsed_together() -> None:
    names = ["r1", "r2"]
    placed = spread([{"host": f"h{number}", "cluster": f"c{number % 5}", "on": names} for number in range(20)])
    for number in range(5):
        assert len({placed[f"h{one}"] for one in range(number, 20, 5)}) == 1


def test_with_no_host_left_each_says_so_itself() -> None:
    assert set(spread(seats(10, ["r1", "r2"]), ["r1", "r2"]).values()) == {"r1", "r2"}


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        ({"rc": 0, "stdout": DF.format(900_000)}, None),
        ({"rc": 0, "stdout": "df of another kind"}, None),
        ({"rc": 0, "stdout": DF.format(9_000)}, "only 8 MiB are free for temporary data"),
        ({"rc": 0, "stdout": DF.format(-9_000)}, "only -9 MiB are free for temporary data"),
        ({"unreachable": True, "msg": "no route"}, "it can't be reached"),
        ({"rc": 127, "stderr": "sh: consul: not found\x1b[2J"}, "consul does not run there: sh: consul: not found"),
        ({"failed": True, "msg": "No space left on device"}, "consul does not run there: No space left on device"),
    ],
)
def test_why_a_host_can_not_be_used(probe: dict[str, Any], reason: str | None) -> None:
    found = unusable_of([{"item": "r1", **probe}], "consul")
    if reason is None:
        assert found == {}
    else:
        assert found["r1"].startswith(reason)
        assert found["r1"].isprintable()
