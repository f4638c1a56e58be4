# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds: what they say, which archive they hold, and that a damaged one holds as well."""

from __future__ import annotations

import json

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.hold import (
    UNKNOWN,
    Hold,
    decode_hold,
    encode_hold,
    hold_name,
    hold_prefix,
    holds_by_archive,
)

WRITTEN = json.loads(encode_hold(Hold("migration", 1_800_000_000.0)))


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other"},
        {"version": 2},
        {"reason": 7},
        {"reason": "x" * 1001},
        {"reason": "\ud800"},
        {"until": "tomorrow"},
        {"until": 7},
        {"padding": "x" * 20_000},
    ],
)
def test_a_hold_that_is_not_understood_holds(change: dict[str, object]) -> None:
    assert decode_hold(json.dumps({**WRITTEN, **change}).encode()) == UNKNOWN


@pytest.mark.parametrize("key", ["schema", "version", "reason", "until"])
def test_a_hold_that_lacks_something_holds(key: str) -> None:
    document = {name: value for name, value in WRITTEN.items() if name != key}
    assert decode_hold(json.dumps(document).encode()) == UNKNOWN


@pytest.mark.parametrize(("until", "holds"), [(None, True), (101.0, True), (100.0, False), (99.0, False)])
def test_until_when_it_holds(until: float | None, holds: bool) -> None:
    assert Hold("reason", until).holds_at(100.0) is holds


def test_what_people_see_of_it() -> None:
    assert Hold("migration").as_text() == "migration"
    assert Hold("migration", 1_800_000_000.0).as_text() == "migration (until 2027-01-15T08:00:00Z)"


def test_names() -> None:
    name = hold_name("a.snap", 1_800_000_000.0)
    assert name == "a.snap.hold-20270115T080000Z"
    assert name.startswith(hold_prefix("a.snap"))


def test_holds_are_found_by_their_archive_the_newest_first() -> None:
    names = [
        "a.snap",
        "a.snap.hold-20270115T080000Z",
        "a.snap.hold-20270116T080000Z",
        "a.snap.hold-soon",
        "b.snap.hold-",
    ]
    assert holds_by_archive([*names, "b.snap.age.hold-20270115T080000Z"]) == {
        "a.snap": ["a.snap.hold-20270116T080000Z", "a.snap.hold-20270115T080000Z"],
        "b.snap.age": ["b.snap.age.hold-20270115T080000Z"],
    }
