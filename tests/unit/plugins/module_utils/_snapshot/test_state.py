# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a state: counts, whose records they are, and where the state is from."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import REGISTER, UNKNOWN, Record, encoded, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import (
    State,
    StateReader,
)

INDEX, CA, CA_CONFIG, FEDERATION = 16, 13, 15, 30
NOWHERE = ClusterIdentity(None, None, None)


def read(*records: Record) -> State:
    reader = StateReader()
    reader.feed(state_of(records))
    return reader.finish()


def server(name: str, version: str | None, **fields: Any) -> list[Record]:
    """Return the records of a Consul server: its node, its service and its check."""
    service = {"ID": "consul", "Meta": {"version": version} if version else None, "Service": "consul"}
    base = {**node(name).value, **fields}
    return [Record(REGISTER, base), Record(REGISTER, {**base, "Service": service}), node(name, check="serfHealth")]


def test_counts_and_sizes_add_up_to_the_state() -> None:
    records = [kv("a", b"v"), Record(INDEX, {"Key": "kvs", "Value": 1}), kv("b", b"v"), Record(UNKNOWN, {"x": 1})]
    found = read(*records)

    assert {name: stats.count for name, stats in found.records.items()} == {
        "Index": 1,
        "KVS": 2,
        f"Unknown({UNKNOWN})": 1,
    }
    assert found.records["Index"].size == len(encoded([records[1]]))
    # The header goes with the first record, as consul snapshot inspect has it.
    assert sum(stats.size for stats in found.records.values()) == len(state_of(records))
    assert found.records["KVS"].size == len(state_of([records[0], records[2]]))
    assert found.type_ids == {2, INDEX, UNKNOWN}
    assert found.last_index == 100


def test_an_empty_state() -> None:
    found = read()

    assert (found.records, found.user_records, found.fingerprint.types) == ({}, {}, {})
    assert found.origin == NOWHERE


def test_an_agents_node_is_nobodys_content_whatever_the_place_of_its_check() -> None:
    agent = [node("agent"), node("agent", check="ping"), node("agent", check="serfHealth"), node("agent", check="disk")]
    for records in (agent, agent[::-1], [agent[2]]):
        found = read(*records)
        assert (found.user_records, found.fingerprint.types) == ({}, {})
        assert found.records["Register"].count == len(records)


def test_a_node_that_its_agent_registered_is_nobodys_content_even_before_its_check_is_there() -> None:
    meta = {"consul-network-segment": "", "rack": "7"}
    alone = [Record(REGISTER, {**node("agent").value, "NodeMeta": meta})]
    for records in (alone, [*alone, node("agent", check="disk")]):
        assert read(*records).user_records == {}
    assert read(Record(REGISTER, {**node("own").value, "NodeMeta": {"rack": "7"}})).user_records == {"Register": 1}


def test_a_users_node_counts_with_all_its_records() -> None:
    own, others = [node("external"), node("external", check="ping")], server("s1", "1.22.7")

    for records in ([*own, *others], [*others, *own]):
        found = read(*records)
        assert found.user_records == {"Register": 2}
        assert found.fingerprint == read(*own).fingerprint


def test_the_check_of_one_node_says_nothing_of_the_next() -> None:
    found = read(*server("s1", None), node("external"), *server("s2", None), node("other"))

    assert found.user_records == {"Register": 2}


def test_nodes_imported_from_a_peer_are_the_peers() -> None:
    imported = Record(REGISTER, {**node("external").value, "PeerName": "peer-a"})

    assert read(imported).user_records == {}
    # A node of the same name of our own right behind it is our own.
    assert read(imported, node("external")).user_records == {"Register": 1}


def test_what_a_cluster_makes_by_itself_is_durable_but_leaves_it_fresh() -> None:
    found = read(
        Record(9, {"CleanupDeadServers": True}), Record(17, {"Description": "Anonymous Token", "AccessorID": "a"})
    )
    fresh = read(Record(9, {"CleanupDeadServers": True}))

    assert found.user_records == {"ACLToken": 1}
    assert fresh.user_records == {}
    assert fresh.fingerprint.counts == {"Autopilot": 1}


ORIGINS: list[tuple[str, list[Record], ClusterIdentity]] = [
    ("datacenter by its nodes", [node("n", "east")], ClusterIdentity("east", None, None)),
    (
        "datacenter by its federation state",
        [Record(FEDERATION, {"State": {"Datacenter": "west"}})],
        ClusterIdentity("west", None, None),
    ),
    (
        "two federation states tell nothing",
        [Record(FEDERATION, {"State": {"Datacenter": name}}) for name in ("east", "west")],
        NOWHERE,
    ),
    (
        "nodes before federation states",
        [Record(FEDERATION, {"State": {"Datacenter": "west"}}), node("n", "east")],
        ClusterIdentity("east", None, None),
    ),
    ("a peer's nodes tell nothing", [Record(REGISTER, {**node("n", "far").value, "PeerName": "p"})], NOWHERE),
    (
        "cluster id by the CA's configuration",
        [Record(CA_CONFIG, {"ClusterID": "an-id"})],
        ClusterIdentity(None, "an-id", None),
    ),
    (
        "cluster id by the active CA",
        [Record(CA, {"Active": True, "ExternalTrustDomain": "td"})],
        ClusterIdentity(None, "td", None),
    ),
    ("an old CA tells nothing", [Record(CA, {"Active": False, "ExternalTrustDomain": "td"})], NOWHERE),
    (
        "configuration before CA",
        [Record(CA, {"Active": True, "ExternalTrustDomain": "td"}), Record(CA_CONFIG, {"ClusterID": "an-id"})],
        ClusterIdentity(None, "an-id", None),
    ),
    ("version by the consul service", server("s1", "1.22.7"), ClusterIdentity("dc1", None, "1.22.7")),
    (
        "the newest of two versions",
        [*server("s1", "1.22.7"), *server("s2", "1.8.7")],
        ClusterIdentity("dc1", None, "1.22.7"),
    ),
    ("no version", server("s1", None), ClusterIdentity("dc1", None, None)),
    ("shapes of another kind", [Record(FEDERATION, {"State": 1}), Record(CA_CONFIG, {"ClusterID": 7})], NOWHERE),
]


@pytest.mark.parametrize(("records", "origin"), [row[1:] for row in ORIGINS], ids=[row[0] for row in ORIGINS])
def test_origin(records: list[Record], origin: ClusterIdentity) -> None:
    assert read(*records).origin == origin
