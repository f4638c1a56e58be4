# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of clusters that don't fit the servers of their archives."""

from __future__ import annotations

from typing import Any

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.names import (
    eras_of,
    faults_of,
    others_of,
    several_unnamed,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

NOW = from_text("2026-11-30T00:00:00Z")


def archive(day: int, *servers: str, until: int | None = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    """An archive as snapshot_list returns it, taken on a day and last confirmed on another one."""
    return {
        "path": f"/kept/{day}.snap",
        "cluster": {"name": name, "servers": list(servers)},
        "taken_at": f"2026-11-{day:02}T00:00:00Z",
        "confirmed_at": f"2026-11-{until:02}T00:00:00Z" if until else None,
        **more,
    }


def test_servers_exchanged_one_by_one_are_one_cluster() -> None:
    (era,) = eras_of([archive(1, "a", "b"), archive(2, "b", "c"), archive(3, "c", "d")], NOW)
    assert era.servers == {"a", "b", "c", "d"}
    assert era.example == "/kept/3.snap"


def test_a_rebuilt_cluster_is_no_fault_and_two_at_once_are() -> None:
    assert faults_of({"x": [archive(1, "a", until=2), archive(3, "b")]}, NOW) == {}
    faults = faults_of({"x": [archive(1, "a", until=5), archive(3, "b")], "y": [archive(1, "c")]}, NOW)
    assert list(faults) == ["x"]
    assert (
        "two Consul clusters that existed at the same time: 1.snap (server a) and 3.snap (server b)" in faults["x"][0]
    )


def test_one_cluster_under_two_names() -> None:
    faults = faults_of({"x": [archive(1, "a")], "y": [archive(2, "a")], "z": [archive(2, "b")]}, NOW)
    assert faults == {
        "x": ["Its newest archive is of the same Consul cluster as that of y."],
        "y": ["Its newest archive is of the same Consul cluster as that of x."],
    }


def test_dates_ahead_of_now_and_unknown_servers_say_nothing() -> None:
    assert eras_of([archive(1), archive(2, "a", dated_ahead=True)], NOW) == []
    assert eras_of([archive(25, "a")], from_text("2026-11-20T00:00:00Z")) == []


def test_an_archive_that_was_saved_for_another_cluster() -> None:
    assert others_of("x", [archive(1, name="x"), archive(2), archive(3, name="y")]) == [
        "3.snap was saved for the cluster y, not for this one."
    ]
    assert others_of("x", [archive(1, name="x"), archive(2)]) == []


def test_archives_without_a_name_that_are_of_several_clusters() -> None:
    assert several_unnamed([archive(1, "a"), archive(2, "b")])
    assert not several_unnamed([archive(1, "a"), archive(2, "a")])
    assert not several_unnamed([archive(1, "a", name="x"), archive(2, "b")])
