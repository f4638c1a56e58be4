# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive holds that won't restore well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.states import REGISTER, UNKNOWN, Record, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._findings import (
    LISTED,
    MEANINGS,
    Finding,
    Findings,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._state import StateReader

NOW = 1_700_000_000.0
SESSION, CA, CA_CONFIG, TOKEN = 3, 13, 15, 17
SECRET = "0c0ffee0-0000-0000-0000-000000000000"


def go_time(seconds: float) -> bytes:
    """Return a time as Go writes it, in UTC."""
    return b"\1" + int(seconds + 62_135_596_800).to_bytes(8, "big") + bytes(4) + b"\xff\xff"


def found(*records: Record) -> list[Finding]:
    """Read a state and return what was found."""
    findings = Findings(NOW)
    reader = StateReader(observer=findings)
    reader.feed(state_of(records))
    reader.finish()
    return findings.result()


def register(name: str, **fields: Any) -> Record:
    return Record(REGISTER, {**node(name).value, **fields})


def service(on: str, name: str, **fields: Any) -> Record:
    return register(on, Service={"ID": f"{name}-1", "Service": name}, **fields)


def check(on: str, spelled: str) -> Record:
    return register(on, Check={"CheckID": "ping", "Node": spelled})


def agent(name: str, *services: Record) -> list[Record]:
    return [node(name), *services, node(name, check="serfHealth")]


def token(accessor: str, expires: Any = None) -> Record:
    return Record(TOKEN, {"AccessorID": accessor, "SecretID": SECRET, "ExpirationTime": expires})


def root(name: str, ends: Any, *, active: bool = True) -> Record:
    return Record(CA, {"ID": name, "Active": active, "NotAfter": ends})


def session(on: str, name: str = "s") -> Record:
    return Record(SESSION, {"ID": name, "Node": on})


PAST, FUTURE, NEVER = go_time(NOW - 1), go_time(NOW + 1), go_time(-62_135_596_800)

CASES: list[tuple[str, list[Record], str, int, list[str]]] = [
    ("nodes", [node("Abc"), node("abc")], "node_names_differ_in_case", 1, ["Abc, abc"]),
    ("a check", [node("abc"), check("abc", "ABC"), check("abc", "Abc")], "node_names_differ_in_case", 1,
     ["ABC, Abc, abc"]),
    ("other letters", [node("ÄB"), node("äb")], "node_names_differ_in_case", 1, ["ÄB, äb"]),
    ("no accessor", [token("a"), token(""), token("")], "token_without_accessor", 2, ["a token without accessor"] * 2),
    ("no provider", [Record(CA_CONFIG, {"ClusterID": "c", "Provider": ""})], "ca_provider_empty", 1, ["configuration"]),
    ("provider missing", [Record(CA_CONFIG, {"ClusterID": "c"})], "ca_provider_empty", 1, ["configuration"]),
    ("an old root", [root("a", PAST), root("b", FUTURE)], "ca_certificate_expired", 1, ["a"]),
    ("old tokens", [token("b", PAST), token("a", PAST), token("c", FUTURE)], "token_expired", 2, ["a", "b"]),
    ("lost sessions", [node("n"), session("gone"), session("n"), session("GONE")], "session_without_node", 2, ["gone"]),
    ("no node at all", [session("gone")], "session_without_node", 1, ["gone"]),
    ("an unknown type", [Record(UNKNOWN, {"a": 1}), Record(UNKNOWN, {}), Record(45, {"Name": "x"})], "unnamed_records",
     3, ["FeatureGate", f"Unknown({UNKNOWN})"]),
    ("an unknown shape", [Record(TOKEN, ["a"]), Record(2, {"Key": ""})], "unnamed_records", 2, ["ACLToken", "KVS"]),
    ("services of agents", agent("a", service("a", "web"), service("a", "api")), "services_of_agents", 2,
     ["service api-1 on a", "service web-1 on a"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_found(case: tuple[str, list[Record], str, int, list[str]]) -> None:
    _id, records, name, count, names = case
    severity, sentence = MEANINGS[name]

    assert found(*records) == [Finding(name, severity, sentence, count, names)]


QUIET: list[tuple[str, Sequence[Record]]] = [
    ("an empty state", []),
    ("keys", [kv("a", b"v")]),
    ("one spelling", [node("Abc"), check("Abc", "Abc"), node("abd")]),
    ("a peer's node of another spelling", [node("abc"), register("ABC", PeerName="east")]),
    ("a partition's node of another spelling", [node("abc"), register("ABC", Partition="p")]),
    ("tokens that are good", [token("a"), token("b", FUTURE), token("c", NEVER), token("d", b"odd")]),
    ("the current root", [root("a", FUTURE), root("b", PAST, active=False), root("c", NEVER), root("d", None)]),
    ("a provider", [Record(CA_CONFIG, {"ClusterID": "c", "Provider": "consul"})]),
    ("sessions before their node", [session("n"), node("N")]),
    ("a server", agent("s", service("s", "consul"))),
    ("a user's services", [service("ext", "web")]),
    ("a peer's services", [service("n", "web", PeerName="east")]),
]


@pytest.mark.parametrize("records", [row[1] for row in QUIET], ids=[row[0] for row in QUIET])
def test_not_found(records: Sequence[Record]) -> None:
    assert found(*records) == []


def test_a_peers_services_are_not_those_of_the_agent_before() -> None:
    records = [*agent("a", service("a", "web")), service("b", "api", PeerName="east"), service("c", "db")]

    assert [(one.name, one.names) for one in found(*records)] == [("services_of_agents", ["service web-1 on a"])]


def test_all_of_them_the_gravest_first_and_no_secret() -> None:
    order = {"critical": 0, "warning": 1, "info": 2}
    result = found(*(record for _id, records, *_rest in CASES for record in records))

    assert {one.name for one in result} == set(MEANINGS)
    assert [order[one.severity] for one in result] == sorted(order[one.severity] for one in result)
    assert SECRET not in repr(result)


def test_the_names_are_bounded_and_the_count_is_not() -> None:
    sessions = [session(f"gone-{number:03}") for number in range(100)]
    [finding] = found(*sessions)

    assert (finding.count, finding.names) == (100, [f"gone-{number:03}" for number in range(LISTED)])
