# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an archive and a cluster the guards ask about."""

from __future__ import annotations

from dataclasses import replace

from support.restores import ARCHIVE, TARGET

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guard_facts import (
    is_origin,
    own_peerings,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.peerings import Peering

DIALLED = Peering("id-1", "east", "ACTIVE", True)
WAITING = Peering("id-2", "west", "PENDING", False)


def test_only_peerings_that_are_dialled_are_active() -> None:
    assert replace(ARCHIVE, peerings=(WAITING, DIALLED)).active_peerings == (DIALLED,)


def test_one_server_in_common_makes_a_cluster_the_origin() -> None:
    archive = replace(ARCHIVE, servers=frozenset({"a", "b"}))
    assert is_origin(archive, replace(TARGET, server_ids=frozenset({"b", "c"})))
    assert not is_origin(archive, replace(TARGET, server_ids=frozenset({"c"})))


def test_nothing_is_the_origin_where_servers_are_not_known() -> None:
    assert not is_origin(ARCHIVE, TARGET)


def test_peerings_are_a_clusters_own_where_it_dialled_them_before() -> None:
    archive = replace(ARCHIVE, peerings=(WAITING, DIALLED), servers=frozenset({"a"}))
    assert own_peerings(archive, replace(TARGET, server_ids=frozenset({"a"}))) == {"id-1": "east"}
    assert own_peerings(archive, replace(TARGET, peerings=frozenset({"id-1", "id-2"}))) == {"id-1": "east"}
    assert own_peerings(archive, replace(TARGET, peerings=frozenset({"id-2"}))) == {}
