# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read at the head of an archive, before a restore: nothing hostile in it ends in anything but an answer."""

from __future__ import annotations

import pytest
from support.archives import META, Part, archive_of, parts_of, replaced
from support.states import REGISTER, Record, archive_around, kv, node, packed, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.restore_facts import (
    Head,
    RestoreFactsVisitor,
    read_head,
)

GOOD = archive_around(state_of([node("db", check="serfHealth"), kv("a", b"v")]))


def head_of(archive: bytes) -> Head:
    return read_head([archive], counts={"Register": 1}, secrets={}, now=0.0)


def test_the_servers_are_those_of_the_configuration() -> None:
    assert head_of(GOOD).servers == {"an-id"}


@pytest.mark.parametrize("meta", [b"[" * 200_000, b"{}", b'{"Configuration": 7}', b"\xff"], ids=lambda meta: meta[:9])
def test_a_configuration_that_can_not_be_read_names_no_server(meta: bytes) -> None:
    assert head_of(archive_of(replaced(GOOD, META, meta))).servers == frozenset()


def test_a_member_that_is_far_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(ArchiveError, match="is too large"):
        head_of(archive_of([Part(META, bytes(2 << 20)), *parts_of(GOOD)[1:]]))


def token(secret: object) -> Record:
    return Record(17, {"AccessorID": "an accessor", "Policies": [], "SecretID": secret})


RECORDS = {
    "an agent": [node("db", check="serfHealth")],
    "a node of a peer": [Record(REGISTER, {"Check": {"CheckID": "serfHealth"}, "Node": "db", "PeerName": "east"})],
    "a node without a name": [Record(REGISTER, {"Check": {"CheckID": "serfHealth"}})],
    "another shape": [Record(REGISTER, [1, 2]), Record(17, "no map"), token(7)],
    "a token": [token("a secret")],
    "another token": [token("another")],
    "nothing": [],
}


@pytest.mark.parametrize("records", RECORDS.values(), ids=RECORDS)
def test_the_same_is_seen_while_all_is_read_and_at_the_head_alone(records: list[Record]) -> None:
    archive, secrets = archive_around(state_of([*records, kv("a", b"v")])), {"token": "a secret"}
    read = read_archive([archive], visitor=RestoreFactsVisitor(secrets, 0.0))
    counts = {name: stats.count for name, stats in read.state.records.items()}
    head = read_head([archive], counts=counts, secrets=secrets, now=0.0)
    assert read.state.visited == head._replace(servers=frozenset())
    assert head.servers == {"an-id"}
    assert set(head.agents) == ({"db"} if records == RECORDS["an agent"] else set())
    assert head.tokens == ({"token"} if records == RECORDS["a token"] else set())


def test_a_record_without_a_canonical_form_is_looked_at_as_it_stands() -> None:
    # A map that has a key twice, which Consul never writes and reads all the same.
    fields = [("Check", {"CheckID": "serfHealth", "Status": "passing"}), ("ID", "old"), ("ID", "new"), ("Node", "db")]
    raw = b"\x84" + b"".join(packed(name) + packed(value) for name, value in fields)
    archive = archive_around(state_of([]) + bytes([REGISTER]) + raw)
    [agent] = read_archive([archive], visitor=RestoreFactsVisitor({}, 0.0)).state.visited.agents.values()
    assert (agent.id, agent.alive) == ("new", True)


def test_no_secret_is_left_in_what_was_seen() -> None:
    archive = archive_around(state_of([token("a secret")]))
    visited = read_archive([archive], visitor=RestoreFactsVisitor({"token": "a secret"}, 0.0)).state.visited
    assert "a secret" not in repr(visited)
