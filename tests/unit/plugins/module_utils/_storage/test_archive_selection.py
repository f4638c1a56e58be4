# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times that names of archives tell, and that users write."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_selection import (
    moment,
    told_by_name,
)


@pytest.mark.parametrize(
    ("path", "time"),
    [
        ("/a/dc1-20261123T021500Z-3135.snap", 1_795_400_100.0),
        ("/a/consul-1795400000000000000.snap", 1_795_400_000.0),
        ("/a/before-the-upgrade.snap", None),
        ("/a/dc1-20269999T021500Z-1.snap", None),
        ("/a/dc1-20261123T021500Z-3135.snap/other.snap", None),
    ],
)
def test_what_a_name_tells(path: str, time: float | None) -> None:
    assert told_by_name(path) == time


@pytest.mark.parametrize("text", ["2026-11-23T02:15:00Z", "2026-11-23 02:15", " 2026-11-23T03:15:00+01:00 "])
def test_a_time_without_a_zone_is_in_utc(text: str) -> None:
    assert moment(text) == 1_795_400_100.0


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01"])
def test_what_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="neither newest nor all nor a time"):
        moment(text)
