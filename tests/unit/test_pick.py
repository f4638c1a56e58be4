# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives of a directory come first: by name, by what is inside, by the file."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._pick import moment, picked

OURS = "/a/dc1-20261123T021500Z-3135.snap"
AGENTS = "/a/consul-1795400000000000000.snap"  # 2026-11-23T02:13:20Z
BY_HAND = "/a/before-the-upgrade.snap"
NO_TIME = "/a/dc1-20269999T021500Z-1.snap"
FILES = [{"path": path, "mtime": mtime} for path, mtime in ((OURS, 9e9), (AGENTS, 1.0), (BY_HAND, 8e9), (NO_TIME, 5.0))]
METAS = {BY_HAND: '{"ID": "2-3135-1795399000000", "Index": 3135}', OURS: "not asked", NO_TIME: "tar: error"}


def paths(pick: str) -> list[str]:
    return [one["path"] for one in picked(FILES, pick, METAS)]


def test_newest_first_by_the_archives_own_time() -> None:
    assert paths("newest") == paths("all") == [OURS, AGENTS, BY_HAND, NO_TIME]
    times = [one["taken_at"] for one in picked(FILES, "all", METAS)]
    assert times == ["2026-11-23T02:15:00Z", "2026-11-23T02:13:20Z", "2026-11-23T01:56:40Z", "1970-01-01T00:00:05Z"]


@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        ("2026-11-23T02:15:00Z", [OURS, AGENTS, BY_HAND, NO_TIME]),
        ("2026-11-23T02:14:59Z", [AGENTS, BY_HAND, NO_TIME]),
        ("2026-11-23 03:00:00+01:00", [BY_HAND, NO_TIME]),
        ("2026-11-22", [NO_TIME]),
        ("1969-12-31", []),
    ],
)
def test_at_or_before_a_time(pick: str, expected: list[str]) -> None:
    assert paths(pick) == expected


def test_without_a_zone_it_is_utc() -> None:
    assert moment("2026-11-23T02:15:00") == moment("2026-11-23T02:15:00z") == moment("2026-11-23 02:15:00+00:00")


@pytest.mark.parametrize("pick", ["yesterday", "", "latest", "2026-13-01"])
def test_what_is_no_time(pick: str) -> None:
    with pytest.raises(ValueError, match="neither newest nor all nor a time"):
        picked(FILES, pick, METAS)


def test_names_are_no_markup_of_time() -> None:
    assert picked([{"path": "/a/{{ x }}.snap", "mtime": 3.0}], "newest", {"/a/{{ x }}.snap": '{"ID": 5}'}) == [
        {"path": "/a/{{ x }}.snap", "taken_at": "1970-01-01T00:00:03Z"}
    ]
