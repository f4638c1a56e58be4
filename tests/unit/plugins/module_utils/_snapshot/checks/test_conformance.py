# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which records a server can take into its tables. Each row was seen to end, or not to end, Consul 1.22.7's restore."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import KVS, REGISTER, packed

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks import schema as _schema
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.conformance import (
    WHOLE,
    fault_of_long,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.conformance import (
    fault_of as fault_in,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.schema_checks import structs
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import content_of

SESSION, QUERY, INTENTION, CA, INDEX, TOKEN, POLICY, ENTRY, ROLE, RULE = 3, 7, 12, 13, 16, 17, 19, 22, 23, 25
METHOD, FEDERATION, METADATA, VIRTUAL_IP, PEERING, BUNDLE, SECRET, RESOURCE = 27, 30, 31, 32, 35, 38, 40, 42
COORDINATE, TOMBSTONE, AUTOPILOT = 6, 5, 9
UUID = "6b50a97a-0ff0-909c-5dcd-58cc767aa108"
TIME = b"\x01" + bytes(14)


def fault_of(type_id: int, value: Any) -> str | None:
    return fault_in(type_id, content_of(type_id, value if isinstance(value, bytes) else packed(value)))


def entry(kind: Any, fields: Any, **request: Any) -> bytes:
    """Return a config entry's record; proxy-defaults hold theirs as a text."""
    body = packed(fields) if kind == "proxy-defaults" else fields
    return packed(packed(kind) + packed({"Entry": body, **request}))


def field(number: int, value: bytes) -> bytes:
    """Return a text of a protobuf message."""
    return bytes([number << 3 | 2, len(value)]) + value


def check(**fields: Any) -> dict[str, Any]:
    """Return a node with one check of its own."""
    return {"Node": "web-1", "Check": {"Node": "web-1", "CheckID": "ping", **fields}}


TOKEN_FIELDS = {"AccessorID": UUID, "SecretID": "s"}
QUERY_FIELDS = {"ID": UUID, "Name": "q", "Service": {"Service": "web"}}
GOOD: list[tuple[int, Any]] = [
    (SESSION, {"ID": "s", "Node": "web-1", "Another": {"a": [{"b": 2.5}]}, "Third": [None, "x"]}),
    (KVS, {"Key": "k", "Session": "", "Value": None, "Flags": 2**64 - 1}),
    (KVS, {"Key": "k", "Session": UUID}),
    (REGISTER, {"Node": "web-1", "ID": "", "Service": {"ID": "", "Service": "web"}}),
    (REGISTER, {"Node": "web-1", "ID": UUID, "TaggedAddresses": {"lan": "192.0.2.1"}, "Service": None}),
    # Whether these are there is another finding.
    (REGISTER, check(Node="WEB-1")),
    (REGISTER, check(ServiceID="web")),
    (TOKEN, {"SecretID": "s"}),
    (SESSION, {"ID": "no-uuid", "Node": "web-1", "TTL": "no duration", "LockDelay": -1}),
    (QUERY, QUERY_FIELDS),
    (INTENTION, {"ID": UUID}),
    (TOKEN, {**TOKEN_FIELDS, "Policies": None, "ExpirationTime": TIME}),
    (TOKEN, {**TOKEN_FIELDS, "ExpirationTime": b"\x02" + bytes(15)}),
    (TOKEN, {**TOKEN_FIELDS, "A field of a version to come": [{"a": 1}]}),
    (POLICY, {"ID": UUID, "Name": "p", "Rules": b"\xff"}),
    (METHOD, {"Name": "m", "Type": "jwt", "Config": {"a": [1, {"b": 2.5}]}}),
    (ENTRY, entry("mesh", {"Meta": None})),
    (ENTRY, entry("proxy-defaults", {"Name": "global", "Config": {"protocol": "http"}})),
    (ENTRY, entry("service-defaults", {"Name": "web", "Kind": "service-defaults"}, Op="upsert")),
    (ENTRY, entry("a kind of a version to come", {"Name": "x"})),
    (AUTOPILOT, None),
    (VIRTUAL_IP, {"Service": {"Peer": "", "ServiceName": {"Name": "web"}}}),
    (VIRTUAL_IP, {"Service": {"Name": "web"}}),
    (PEERING, packed(field(1, UUID.encode()) + field(2, b"east"))),
    (BUNDLE, packed(field(1, b"domain") + field(2, b"east"))),
    (SECRET, packed(field(1, UUID.encode()))),
    (99, {"of a version": "to come"}),
    (99, b"\xc0"),
]
# The type, the record, and the field that is named.
BAD: list[tuple[int, Any, str]] = [
    (KVS, {"Key": "", "Value": b"v"}, "Key"),
    (KVS, {"Value": b"v"}, "Key"),
    (KVS, {"Key": "k", "Flags": -1}, "Flags"),
    (KVS, {"Key": "k", "Flags": True}, "Flags"),
    (KVS, {"Key": "k", "Session": "z" * 36}, "Session"),
    (KVS, {"Key": 5}, "Key"),
    # A field without a definition is skipped, and its maps may have texts for keys only.
    (SESSION, {"ID": "s", "Node": "web-1", "Another": {1: 2}}, "Another"),
    (AUTOPILOT, {"MinQuorum": 0, "Another": [{"a": {1: 2}}]}, "Another"),
    (KVS, "text", WHOLE),
    (KVS, None, "Key"),
    (REGISTER, {"Node": ""}, "Node"),
    (REGISTER, {"Node": "n", "ID": "zz"}, "ID"),
    (REGISTER, {"Node": "n", "ID": UUID.replace("-", "x")}, "ID"),
    (REGISTER, {"Node": "n", "Service": "text"}, "Service"),
    (REGISTER, {"Node": "n", "Service": {"ID": "s", "Port": "80"}}, "Service.Port"),
    (REGISTER, {"Node": "n", "Service": {"ID": "s", "Tags": [b"a", 5]}}, "Service.Tags[]"),
    (REGISTER, {"Node": "n", "Service": {"ID": "s", "Weights": {"Passing": "1"}}}, "Service.Weights.Passing"),
    (REGISTER, {"Node": "n", "Service": {"ID": "s", "Meta": {"a b": "c"}}}, "Service.Meta"),
    (REGISTER, {"Node": "n", "Service": {"ID": "s", "PeerName": "east"}}, "Service.PeerName"),
    (REGISTER, {"Node": "n", "NodeMeta": {"a": 1}}, "NodeMeta{}"),
    (REGISTER, {"Node": "n", "NodeMeta": ["a"]}, "NodeMeta"),
    (REGISTER, {"Node": "n", "Checks": [None]}, "Checks[]"),
    (REGISTER, check(CheckID=""), "Check.CheckID"),
    (REGISTER, check(Node=""), "Check.Node"),
    (REGISTER, {"Node": "n", "Check": {"CheckID": "ping"}}, "Check.Node"),
    (REGISTER, {"Node": "n", "Checks": [{"Node": "n"}]}, "Checks[].CheckID"),
    (REGISTER, {"Node": "n", "Checks": [{"CheckID": "ping"}]}, "Checks[].Node"),
    (REGISTER, check(PeerName="east"), "Check.PeerName"),
    (REGISTER, {"Node": "n", 5: "a key that is no text"}, WHOLE),
    (SESSION, {"ID": "", "Node": "n"}, "ID"),
    (SESSION, {"ID": UUID, "Node": "n", "NodeChecks": [""]}, "NodeChecks[]"),
    (SESSION, {"ID": UUID, "Node": "n", "ServiceChecks": [{"ID": ""}]}, "ServiceChecks[].ID"),
    (TOMBSTONE, {"Key": None}, "Key"),
    (COORDINATE, [None], "[]"),
    (COORDINATE, [{"Node": "n"}], "[].Node"),
    (QUERY, {**QUERY_FIELDS, "ID": "q"}, "ID"),
    (QUERY, {**QUERY_FIELDS, "Template": {"Type": "zz"}}, "Template.Type"),
    (QUERY, {**QUERY_FIELDS, "Template": {"Type": "name_prefix_match", "Regexp": b"\xff"}}, "Template.Regexp"),
    (INTENTION, {"ID": "i"}, "ID"),
    (CA, {"ID": None}, "ID"),
    (INDEX, {"Value": 4}, "Key"),
    (TOKEN, {**TOKEN_FIELDS, "AccessorID": "no uuid"}, "AccessorID"),
    (TOKEN, {**TOKEN_FIELDS, "SecretID": ""}, "SecretID"),
    (TOKEN, {**TOKEN_FIELDS, "Policies": [None]}, WHOLE),
    (TOKEN, {**TOKEN_FIELDS, "NodeIdentities": [None]}, "NodeIdentities[]"),
    (TOKEN, {**TOKEN_FIELDS, "Policies": [{"Name": "p"}]}, "Policies[].ID"),
    (TOKEN, {**TOKEN_FIELDS, "Roles": [{"ID": "r"}]}, "Roles[].ID"),
    (TOKEN, {**TOKEN_FIELDS, "Local": 1}, "Local"),
    (TOKEN, {**TOKEN_FIELDS, "ExpirationTime": b""}, "ExpirationTime"),
    (TOKEN, {**TOKEN_FIELDS, "ExpirationTime": bytes(15)}, "ExpirationTime"),
    (TOKEN, {**TOKEN_FIELDS, "ExpirationTTL": 1.5}, "ExpirationTTL"),
    (POLICY, {"ID": UUID, "Name": ""}, "Name"),
    (ROLE, {"ID": UUID, "Name": "r", "Policies": [{"ID": "p"}]}, "Policies[].ID"),
    (RULE, {"ID": UUID, "AuthMethod": ""}, "AuthMethod"),
    (METHOD, {"Name": "m", "Config": {"a": {1: 2}}}, "Config{}"),
    (FEDERATION, {"State": None}, "State.Datacenter"),
    (FEDERATION, {"State": {"Datacenter": ""}}, "State.Datacenter"),
    (METADATA, {"Key": ""}, "Key"),
    (ENTRY, b"\xc0", WHOLE),
    (ENTRY, entry("service-defaults", None), "Entry"),
    (ENTRY, entry("service-defaults", {"Name": ""}), "Entry.Name"),
    (ENTRY, entry("service-defaults", {"Name": "web", "Protocol": 7}), "Entry.Protocol"),
    (ENTRY, entry("service-resolver", {"Name": "web", "Subsets": {"v1": "text"}}), "Entry.Subsets{}"),
    (ENTRY, entry("service-intentions", {"Name": "a", "Sources": [None]}), "Entry.Sources[]"),
    (ENTRY, entry("service-intentions", {"Name": "a", "Sources": [{"LegacyID": "x"}]}), "Entry.Sources[].LegacyID"),
    (ENTRY, entry("proxy-defaults", {"Name": "global", "Config": {"protocol": []}}), "Entry.Config.protocol"),
    (ENTRY, packed(packed("proxy-defaults") + packed({"Entry": {"Name": "global"}})), WHOLE),
    (ENTRY, packed(packed("mesh") + packed({"Entry": packed({})})), WHOLE),
    (VIRTUAL_IP, {"Service": {}}, "Service"),
    (ENTRY, entry("mesh", {}, Datacenter=5), "Datacenter"),
    (VIRTUAL_IP, {"Service": {"Name": 7}}, "Service.Name"),
    (VIRTUAL_IP, {"Service": {"ServiceName": {"Name": "web"}}, "ManualIPs": [{}]}, "ManualIPs[]"),
    (PEERING, packed(b"\xff\xff\xff"), WHOLE),
    (PEERING, packed(field(1, UUID.encode()) + field(2, b"\xff")), WHOLE),
    (SECRET, packed(field(1, UUID.encode()) + field(2, field(1, b"no uuid"))), "field 2.1"),
    (PEERING, packed({}), WHOLE),
    (PEERING, packed(field(2, b"east")), "field 1"),
    (PEERING, packed(field(1, b"no uuid") + field(2, b"east")), "field 1"),
    (PEERING, packed(field(1, UUID.encode())), "field 2"),
    (BUNDLE, packed(b""), "field 2"),
    (SECRET, packed(field(1, b"x")), "field 1"),
    (RESOURCE, packed(b""), "field 1"),
    # A peering's secrets under the type of a resource: its id has to be a message.
    (RESOURCE, packed(field(1, UUID.encode())), WHOLE),
]


@pytest.mark.parametrize(("type_id", "value"), GOOD, ids=str)
def test_what_a_server_takes(type_id: int, value: Any) -> None:
    assert fault_of(type_id, value) is None


@pytest.mark.parametrize(("type_id", "value", "named"), BAD, ids=str)
def test_what_ends_a_server(type_id: int, value: Any, named: str) -> None:
    assert fault_of(type_id, value) == named


LONG: list[tuple[int, Any, str | None]] = [
    (TOKEN, {"SecretID": "s"}, None),
    (TOKEN, "text", WHOLE),
    (REGISTER, "text", WHOLE),
    (KVS, ["list"], WHOLE),
    (ENTRY, b"mesh", None),
    (ENTRY, {}, WHOLE),
    (PEERING, [1], WHOLE),
    (COORDINATE, [{}], None),
    (COORDINATE, {}, WHOLE),
    (VIRTUAL_IP, {}, None),
    (VIRTUAL_IP, "text", WHOLE),
    # Nothing is known of it.
    (99, "text", None),
]


@pytest.mark.parametrize(("type_id", "value", "named"), LONG, ids=str)
def test_a_record_that_is_too_long_to_be_held_is_judged_by_its_beginning(
    type_id: int, value: Any, named: str | None
) -> None:
    assert fault_of_long(type_id, packed(value)[:6]) == named


@pytest.mark.parametrize(
    ("type_id", "begins", "named"),
    [
        *((type_id, b"\x0a", None) for type_id in (PEERING, BUNDLE, SECRET, RESOURCE)),
        *((BUNDLE, b"\x12", None), (BUNDLE, b"\x1a", WHOLE), (PEERING, b"\x12", WHOLE), (RESOURCE, b"x", WHOLE)),
    ],
)
@pytest.mark.parametrize("header", [b"\xc6", b"\xdb"])
def test_a_long_message_begins_with_its_identity(header: bytes, type_id: int, begins: bytes, named: str | None) -> None:
    assert fault_of_long(type_id, header + (9 << 20).to_bytes(4, "big") + begins) == named


def test_every_type_in_the_definitions_is_defined() -> None:
    known = {"s", "x", "b", "t", "?", "f32", "f64", "i8", "i64", "u8", "u32", "u64"}
    named = {
        part
        for fields in structs().values()
        for told in fields.values()
        for part in told.replace("[", " ").replace("{", " ").replace(":", " ").split()
    }

    assert named - known - set(structs()) == set()
    assert len(structs()) > 100
    assert _schema.VERSION == "1.22.7"
