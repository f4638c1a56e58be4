# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody is told although a save went well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.remarks import remarks
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import Entry

from ..._storage.test_store import OURS, THEIRS, manifest_of

NOW, DAY = 1_000_000.0, 86_400.0
SNAPSHOT = manifest_of(b"data", cluster=OURS._replace(name="production\x1b[2J"), taken_at=NOW)
EARLIER = Entry("/b/a.snap", manifest_of(b"old", cluster=THEIRS._replace(name="production\x1b[2J")))
OF_OURS = Entry("/b/ours.snap", manifest_of(b"1", taken_at=NOW + 2 * DAY))
OF_THEIRS = Entry("/b/theirs.snap", manifest_of(b"1", cluster=THEIRS, taken_at=NOW + 2 * DAY))
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("nothing", {}, []),
    (
        "rebuilt",
        {"replaced": EARLIER},
        ["production\\x1b[2J was rebuilt: the newest archive of that name, /b/a.snap,"],
    ),
    ("no leader", {"snapshot": replace(SNAPSHOT, confirmed_by_leader=False)}, ["no leader confirmed this snapshot"]),
    ("a clock a little ahead", {"server_time": NOW + DAY}, []),
    ("a clock far ahead", {"server_time": NOW + DAY + 1}, ["says 1970-01-13T13:46:41Z, more than a day ahead of"]),
    (
        "an archive dated ahead",
        {"entries": [OF_OURS, OF_THEIRS]},
        ["ignored: /b/ours.snap (1970-01-14T13:46:40Z)"],
    ),
]


@pytest.mark.parametrize(("options", "lines"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_remarks(options: dict[str, Any], lines: list[str]) -> None:
    told = {"snapshot": SNAPSHOT, "entries": [], "replaced": None, "server_time": NOW, "now": NOW, **options}
    found = remarks(told.pop("snapshot"), told.pop("entries"), **told)
    assert len(found) == len(lines)
    for line, words in zip(found, lines):
        assert words in line
        assert OF_THEIRS.path not in line
        assert line.isprintable()
