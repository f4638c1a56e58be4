# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Learn, compare, resolve: how often each state is read, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.passes import changes
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import Selection, TypeChange
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.visitor import Visitor


def reader(passes: list[str], name: str, *records: Record) -> Callable[[Visitor], str]:
    """Return what reads a state of some records, and notes that in ``passes``."""
    archive = archive_around(state_of(records))

    def read(visitor: Visitor) -> str:
        passes.append(name)
        read_archive([archive], visitor=visitor)
        return name

    return read


def compared(passes: list[str], before: list[Record], after: list[Record], *, limit: int = 5) -> TypeChange:
    read_first, read_second = reader(passes, "before", *before), reader(passes, "after", *after)
    second, found = changes(read_first, read_second, Selection(), limit=limit, types=["KVS"])
    assert second == "after"
    return found["KVS"]


def test_what_is_removed_is_named_by_a_third_pass() -> None:
    passes: list[str] = []
    change = compared(passes, [kv("gone", b""), kv("other", b"1")], [kv("new", b""), kv("other", b"2")])
    assert (change.added, change.removed, change.changed) == (1, 1, 1)
    assert change.names == {"added": ["new"], "removed": ["gone"], "changed": ["other"]}
    assert passes == ["before", "after", "before"]


@pytest.mark.parametrize("limit", [0, 5])
def test_nothing_is_read_again_where_nothing_is_missing(limit: int) -> None:
    passes: list[str] = []
    assert compared(passes, [kv("a", b"")], [kv("a", b""), kv("b", b"")], limit=limit).added == 1
    assert passes == ["before", "after"]


def test_without_names_nothing_is_read_again() -> None:
    passes: list[str] = []
    change = compared(passes, [kv("gone", b"")], [], limit=0)
    assert (change.removed, change.names["removed"]) == (1, [])
    assert passes == ["before", "after"]


def test_a_type_that_was_asked_for_is_there_without_records() -> None:
    assert compared([], [], []).equal
