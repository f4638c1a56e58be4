# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives count for a cluster, and times as users write them."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_selection import (
    moment,
    of_cluster,
)

NOBODY = ClusterIdentity(None, None, None)
NAMED = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production")
OTHERS = NAMED._replace(name="staging", id="another", servers=("s9",))
UNNAMED = {
    "of the same servers": (NAMED._replace(name=None, servers=("s2", "s3")), True),
    "of other servers": (NAMED._replace(name=None, servers=("s7",)), False),
    "of another datacenter": (NOBODY._replace(datacenter="dc2"), False),
    "of another id": (NOBODY._replace(id="another"), False),
    "of nobody knows what": (NOBODY, True),
}


@pytest.mark.parametrize(("cluster", "counts"), UNNAMED.values(), ids=UNNAMED)
def test_an_archive_without_a_name_counts_unless_it_contradicts(cluster: ClusterIdentity, counts: bool) -> None:
    clusters = [NAMED, OTHERS, cluster]
    assert of_cluster(clusters, "production", unnamed=True) == ([0, 2] if counts else [0])
    assert of_cluster(clusters, "production", unnamed=False) == [0]


def test_servers_of_another_name_are_not_those_of_a_new_one() -> None:
    theirs = OTHERS._replace(name=None)
    assert of_cluster([OTHERS, theirs, NAMED._replace(name=None)], "production", unnamed=True) == [2]


@pytest.mark.parametrize("text", ["2026-11-23T02:15:00Z", "2026-11-23 02:15", " 2026-11-23T03:15:00+01:00 "])
def test_a_time_without_a_zone_is_in_utc(text: str) -> None:
    assert moment(text) == 1_795_400_100.0


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01"])
def test_what_is_not_a_time(text: str) -> None:
    with pytest.raises(ValueError, match="neither newest nor all nor a time"):
        moment(text)
