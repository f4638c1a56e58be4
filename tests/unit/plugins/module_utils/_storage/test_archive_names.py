# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new archive is called, and the time that a name contains."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_names import (
    archive_name,
    time_in_name,
)

NOBODY = ClusterIdentity(None, None, None)


@pytest.mark.parametrize(
    ("cluster", "number", "name"),
    [
        (NOBODY._replace(datacenter="dc1"), 1, "dc1-20231114T221320Z-42.snap"),
        (NOBODY._replace(datacenter="dc1"), 2, "dc1-20231114T221320Z-42-2.snap"),
        (NOBODY, 1, "unknown-20231114T221320Z-42.snap"),
    ],
    ids=["known", "in use", "unknown"],
)
def test_archive_name(cluster: ClusterIdentity, number: int, name: str) -> None:
    assert archive_name(cluster, 1_700_000_000.9, 42, number) == name
    assert time_in_name(name) == 1_700_000_000.0


@pytest.mark.parametrize("datacenter", ["../../x", "/x", "..", "a/b", "a\0b", "-rf", "a" * 300])
def test_a_name_is_one_for_a_file_whatever_the_datacenter_is_called(datacenter: str) -> None:
    name = archive_name(NOBODY._replace(datacenter=datacenter), 0, 1)
    assert not set(name) & {"/", "\0"}
    assert not name.startswith(("-", "."))
    assert len(name) < 110


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
def test_the_time_in_a_name(path: str, time: float | None) -> None:
    assert time_in_name(path) == time
