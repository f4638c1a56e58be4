# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive holds that won't restore well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.states import REGISTER, UNKNOWN, Record, kv, node, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.finding_meanings import (
    CRITICAL,
    INFO,
    MEANINGS,
    WARNING,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.findings import (
    LISTED,
    Finding,
    judged_for,
    warnings_of,
    with_unreadable,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.state import StateReader

NOW = 1_700_000_000.0
SESSION, CA, CA_CONFIG, TOKEN, POLICY, ROLE, RULE, METHOD, PEERING, SECRETS = 3, 13, 15, 17, 19, 23, 25, 27, 35, 40
SECRET = "0c0ffee0-0000-0000-0000-000000000000"


def go_time(seconds: float) -> bytes:
    """Return a time as Go writes it, in UTC."""
    return b"\1" + int(seconds + 62_135_596_800).to_bytes(8, "big") + bytes(4) + b"\xff\xff"


OF_SHAPE = {"unreadable_record", "doubled_record"}


def found(*records: Record, of_shape: bool = False) -> list[Finding]:
    """Read a state and return what was found.

    Most records here are as short as can be, and some stand there twice; what is said of that is left out.
    """
    reader = StateReader(now=NOW)
    reader.feed(state_of(records))
    return [one for one in reader.finish().findings if of_shape or one.name not in OF_SHAPE]


def register(name: str, **fields: Any) -> Record:
    return Record(REGISTER, {**node(name).value, **fields})


def service(on: str, name: str, **fields: Any) -> Record:
    return register(on, Service={"ID": f"{name}-1", "Service": name}, **fields)


def check(on: str, spelled: str, of_service: str = "") -> Record:
    return register(on, Check={"CheckID": "ping", "Node": spelled, "ServiceID": of_service})


def agent(name: str, *services: Record) -> list[Record]:
    return [node(name), *services, node(name, check="serfHealth")]


def token(accessor: str, expires: Any = None) -> Record:
    return Record(TOKEN, {"AccessorID": accessor, "SecretID": SECRET, "ExpirationTime": expires})


def root(name: str, ends: Any, *, active: bool = True) -> Record:
    return Record(CA, {"ID": name, "Active": active, "NotAfter": ends})


def session(on: str, name: str = "s", ttl: Any = "") -> Record:
    return Record(SESSION, {"ID": name, "Node": on, "TTL": ttl})


def links(*ids: str) -> list[dict[str, str]]:
    return [{"ID": identity, "Name": f"name of {identity}"} for identity in ids]


def legacy(rules: str, *policies: str) -> Record:
    return Record(TOKEN, {**token("a").value, "Rules": rules, "Type": "client", "Policies": links(*policies)})


def policy(identity: str, name: str = "p") -> Record:
    return Record(POLICY, {"ID": identity, "Name": name})


def field(number: int, value: bytes | int) -> bytes:
    """Return a field of a protobuf message: a short text or message, or a small number."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    tag = number << 3 | 2
    return bytes([tag] if tag < 128 else [tag & 0x7F | 0x80, tag >> 7]) + bytes([len(value)]) + value


ACTIVE, DELETING, TERMINATED = 3, 5, 6


def peering(state: int = ACTIVE, *, address: int | None = 10, deleted: bytes | None = None) -> Record:
    message = field(1, b"id") + field(2, b"east") + field(6, state)
    if address is not None:
        message += field(address, b"192.0.2.1:8503")
    if deleted is not None:
        message += field(4, deleted)
    return Record(PEERING, message)


def secrets(active: bytes = b"active", of: bytes = b"id") -> Record:
    return Record(SECRETS, field(1, of) + field(3, field(1, active) if active else field(2, b"pending")))


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
    ("an unknown shape", [Record(TOKEN, ["a"]), Record(ROLE, {"Name": ""})], "unnamed_records", 2,
     ["ACLRole", "ACLToken"]),
    ("fields of an unknown shape", [register("n", Check=["a"]), Record(SESSION, {"ID": "i", "Node": "n", "TTL": 5})],
     "unnamed_records", 2, ["Register", "Session"]),
    ("names of an unknown shape", [Record(CA_CONFIG, {"Provider": 5}), register("n", PeerName=["a"]),
                                   Record(RULE, {"ID": "a", "AuthMethod": 5}), node("m"), session("m", ttl=5)],
     "unnamed_records", 4, ["ACLBindingRule", "ConnectCAConfig", "Register", "Session"]),
    ("a check's service", [node("n"), service("n", "web"), node("m"), check("m", "m", "web-1")],
     "check_without_service", 1, ["check ping on m"]),
    ("a check's node", [node("n"), node("m"), check("m", "n")], "check_of_another_node", 1, ["check ping on m"]),
    ("a node in a list of checks", [node("n"), register("m", Checks=[{"CheckID": "ping", "Node": "n"}])],
     "check_of_another_node", 1, ["node m"]),
    ("a service in a list of checks", [register("m", Checks=[{"CheckID": "ping", "Node": "m", "ServiceID": "web"}])],
     "check_without_service", 1, ["node m"]),
    ("a check without a node", [check("m", "")], "check_of_another_node", 1, ["check ping on m"]),
    ("no duration", [node("n"), session("n", ttl="soon"), session("n", "t", ttl="10")], "session_ttl_invalid", 2,
     ["s on n", "t on n"]),
    ("a builtin's name", [policy("id", "global-management")], "builtin_policy_name_taken", 1, ["global-management"]),
    ("an external CA", [Record(CA_CONFIG, {"ClusterID": "c", "Provider": "vault"})], "ca_provider_external", 1,
     ["vault"]),
    ("lost methods", [Record(RULE, {"ID": "a", "AuthMethod": "lost"}), Record(RULE, {"ID": "b", "AuthMethod": "lost"}),
                      Record(METHOD, {"Name": "other"})], "binding_rule_without_method", 2,
     ["a of auth method lost"]),
    ("a lost method's token", [Record(TOKEN, {**token("a").value, "AuthMethod": "lost"})], "token_without_method", 1,
     ["a of auth method lost"]),
    ("rules of their own", [legacy("key"), legacy("", "p"), legacy("key", "p"), policy("p")], "legacy_token", 1, ["a"]),
    ("lost links", [Record(TOKEN, {**token("a").value, "Policies": links("p", "q"), "Roles": links("r", "s")}),
                    Record(ROLE, {"ID": "r", "Name": "r", "Policies": links("p", "q")}), policy("p")],
     "acl_link_missing", 3, ["role r", "token a"]),
    ("a peering", [peering(), secrets()], "peering_dials", 1, ["east"]),
    ("a peering with addresses by hand", [secrets(), peering(address=18)], "peering_dials", 1, ["east"]),
    ("a peering that the epoch ends", [peering(deleted=b""), secrets()], "peering_dials", 1, ["east"]),
    ("services of agents", agent("a", service("a", "web"), service("a", "api")), "services_of_agents", 2,
     ["service api-1 on a", "service web-1 on a"]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_found(case: tuple[str, list[Record], str, int, list[str]]) -> None:
    _id, records, name, count, names = case
    meaning = MEANINGS[name]

    assert found(*records) == [Finding(name, meaning.severity, meaning.sentence, count, names)]


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
    ("a key without a name", [Record(2, {"Key": ""})]),
    ("a check of a service", [node("n"), service("n", "web"), check("n", "n", "WEB-1"), check("n", "n")]),
    ("durations", [node("n"), *(session("n", ttl=ttl) for ttl in ("", "0", "10s", "1h2m0.5s", "1500ms", "-1.5h"))]),
    (
        "builtin policies",
        [
            policy("00000000-0000-0000-0000-000000000001", "global-management"),
            policy("00000000-0000-0000-0000-000000000002", "renamed"),
            policy("a", "builtin/global-read-only"),
        ],
    ),
    ("methods", [Record(RULE, {"ID": "a", "AuthMethod": "m"}), Record(METHOD, {"Name": "m"})]),
    ("links", [Record(TOKEN, {**token("a").value, "Policies": links("P"), "Roles": None}), policy("p")]),
    ("a peer that dials", [peering(address=None), secrets()]),
    ("a peering without secrets", [peering(), secrets(of=b"another")]),
    ("a peering that is being established", [peering(), secrets(active=b"")]),
    ("peerings at an end", [peering(TERMINATED), secrets()]),
    ("deleted peerings", [peering(DELETING, deleted=b"\x08\x01"), peering(ACTIVE, deleted=b"\x08\x01"), secrets()]),
]


@pytest.mark.parametrize("records", [row[1] for row in QUIET], ids=[row[0] for row in QUIET])
def test_not_found(records: Sequence[Record]) -> None:
    assert found(*records) == []


def test_a_peers_services_are_not_those_of_the_agent_before() -> None:
    records = [*agent("a", service("a", "web")), service("b", "api", PeerName="east"), service("c", "db")]

    assert [(one.name, one.names) for one in found(*records)] == [("services_of_agents", ["service web-1 on a"])]


def test_all_of_them_the_gravest_first_and_no_secret() -> None:
    order = {"critical": 0, "warning": 1, "info": 2}
    # What some have, others must not find: a group of records at a time.
    results = [found(*records) for _id, records, *_rest in CASES]
    result = found(*(record for _id, records, *_rest in CASES for record in records))

    assert {one.name for some in results for one in some} == set(MEANINGS) - OF_SHAPE
    assert list(MEANINGS) == sorted(MEANINGS, key=lambda name: order[MEANINGS[name].severity])
    assert [order[one.severity] for one in result] == sorted(order[one.severity] for one in result)
    assert SECRET not in repr(result)


UUID = "6b50a97a-0ff0-909c-5dcd-58cc767aa108"


def test_what_a_server_can_not_decode_is_named_by_type_number_and_field() -> None:
    good = Record(TOKEN, {"AccessorID": UUID, "SecretID": SECRET})
    bad = Record(TOKEN, {**good.value, "Local": SECRET})
    shape = [one for one in found(kv("a", b"v"), good, bad, kv("", b"v"), of_shape=True) if one.name in OF_SHAPE]

    assert [(one.name, one.severity, one.names) for one in shape] == [
        ("unreadable_record", CRITICAL, ["ACLToken 2: Local", "KVS 2: Key"]),
        ("doubled_record", WARNING, [f"ACLToken {UUID}"]),
    ]
    assert SECRET not in repr(shape)


def test_a_record_that_stands_there_twice_is_named() -> None:
    records = [session("n"), session("n", "t"), session("m"), Record(METHOD, {"Name": "m"}), node("n"), node("n")]
    [shape] = [one for one in found(*records, of_shape=True) if one.name in OF_SHAPE]

    assert (shape.name, shape.count, shape.names) == ("doubled_record", 1, ["Session s on m"])


def test_the_names_are_bounded_and_the_count_is_not() -> None:
    sessions = [session(f"gone-{number:03}") for number in range(100)]
    [finding] = found(*sessions)

    assert (finding.count, finding.names) == (100, [f"gone-{number:03}" for number in range(LISTED)])


def test_the_severity_is_that_of_the_version() -> None:
    both = found(token(""), node("Abc"), check("Abc", "abc"), session("gone"))

    def at(version: str | None) -> list[tuple[str, str, str | None]]:
        return [(one.name, one.severity, one.effect) for one in judged_for(both, version)]

    case, accessor, lost = "node_names_differ_in_case", "token_without_accessor", "session_without_node"
    assert at(None) == [(case, CRITICAL, None), (accessor, CRITICAL, None), (lost, WARNING, None)]
    assert at("1.22.7+ent") == [(accessor, CRITICAL, "seen"), (lost, WARNING, "seen"), (case, INFO, "none")]
    assert at("1.8.7") == [(case, CRITICAL, "seen"), (lost, WARNING, "seen"), (accessor, INFO, "none")]
    assert at("1.10.0") == [(case, CRITICAL, "untested"), (accessor, CRITICAL, "untested"), (lost, WARNING, "seen")]


def test_what_a_version_cannot_read_comes_first() -> None:
    told = {"types": {0, 2, 32}, "config_kinds": {"mesh"}, "archive_version": "1.22.7"}
    [first, second] = with_unreadable(found(token("")), "1.8.7", **told)

    assert (first.name, first.severity, first.count) == ("unrestorable_records", CRITICAL, 2)
    assert first.names == ["ServiceVirtualIP", "ConfigEntry mesh"]
    assert second.name == "token_without_accessor"
    assert [one.name for one in with_unreadable([], "1.22.7", **told)] == []


def test_a_warning_for_all_but_what_is_good_to_know() -> None:
    sessions = [session(f"gone-{number}") for number in range(7)]
    [line] = warnings_of(found(*sessions, *agent("a", service("a", "web"))))

    assert line.startswith("warning: Sessions belong to nodes")
    assert line.endswith("session_without_node: 7 (gone-0, gone-1, gone-2, gone-3, gone-4 and 2 more)")
