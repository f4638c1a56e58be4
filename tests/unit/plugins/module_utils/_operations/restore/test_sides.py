# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sides of a restore, as the guards see them."""

from __future__ import annotations

from support.states import kv
from support.targets import CLUSTER, LIVE, target_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.agents import Live, Member

[SERVER] = CLUSTER.servers


def test_a_cluster_is_fresh_only_where_its_state_is_known() -> None:
    assert target_of([]).fresh
    assert not target_of([kv("a", b"")]).fresh
    assert not target_of(None).fresh
    assert target_of(None).fingerprint is None


def test_nothing_is_known_of_a_cluster_that_was_not_looked_at() -> None:
    target = target_of(None, cluster=None, live=None, unknown={"token": "ACL not found", "content": "ACL not found"})
    facts = target.facts
    assert (facts.permitted, facts.leader, facts.healthy, facts.user_records) == (False, None, None, None)
    assert (facts.servers, facts.versions, facts.living, facts.acl) == ((), (), {}, None)
    assert (target.down, target.own_ids, target.present) == (frozenset(), frozenset(), None)


def test_a_server_that_is_down_is_no_living_agent_and_still_one_of_the_clusters_own() -> None:
    down = SERVER._replace(name="server-2", id="id-2", healthy=False)
    unknown = SERVER._replace(name="server-3", id="id-3", healthy=None)
    live = Live((*(LIVE.members or ()), Member("web-1", "id-9", True), Member("web-2", "id-8", False)), False, True, {})
    target = target_of([], cluster=CLUSTER._replace(servers=(SERVER, down, unknown)), live=live)
    assert target.down == {"server-2"}
    assert target.facts.unhealthy_servers == ("server-2",)
    assert target.facts.living == {"server-1": "id-1", "server-3": "id-3", "web-1": "id-9"}
    assert target.own_ids == {"id-1", "id-2", "id-3", "id-8", "id-9"}
    assert target.facts.server_ids == {"id-1", "id-2", "id-3"}


def test_the_servers_versions_count_and_the_agents_where_they_are_not_known() -> None:
    assert target_of([], cluster=CLUSTER._replace(version="1.21.0")).facts.versions == ("1.22.7",)
    unseen = CLUSTER._replace(servers=(SERVER._replace(version=None),), version="1.21.0")
    assert target_of([], cluster=unseen).facts.versions == ("1.21.0",)


def test_the_content_of_the_cluster_is_counted_for_the_guards() -> None:
    assert target_of([kv("a", b""), kv("b", b"")]).facts.user_records == {"KVS": 2}
