# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a record is content, what is bookkeeping, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import KVS, REGISTER, packed

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import (
    BUILTIN,
    USER,
    VOLATILE,
    content_of,
)

TOKEN, POLICY, ENTRY, PEERING, TRUST_BUNDLE = 17, 19, 22, 35, 38
MANAGEMENT, READ_ONLY = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


def digestible(type_id: int, value: Any) -> bytes:
    return content_of(type_id, packed(value)).digestible


def backwards(value: Any) -> Any:
    """Return the same maps, each in another order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [backwards(one) for one in value]
    return value


ENTRY_FIELDS = {
    "Kind": "proxy-defaults",
    "Name": "global",
    "Meta": {"a": "1", "b": "2"},
    "Config": {"x": 1, "y": [{"p": 2, "q": 3}]},
}


def entry(fields: dict[str, Any] | None = None, *, nested: bool = False, **more: Any) -> bytes:
    """Return a ConfigEntry as it stands in a state: one raw string with the kind and the request around the entry.

    :param nested: as proxy-defaults do it: the entry is a raw string itself.
    """
    body = {**(ENTRY_FIELDS if fields is None else fields), **more}
    kind = packed("proxy-defaults" if nested else "a kind")
    return kind + packed({"Datacenter": "dc1", "Entry": packed(body) if nested else body, "Op": "upsert"})


NODE = {"Datacenter": "dc1", "Node": "n", "NodeMeta": {"a": "1", "b": "2"}}
SERVICE = {"ID": "db", "Meta": {"a": "1", "b": "2"}, "TaggedAddresses": {"lan": {"Port": 1}, "wan": {"Port": 2}}}
QUERY = {"ID": "q", "Service": {"NodeMeta": {"x": "1", "y": "2"}, "Tags": ["b", "a"]}}


@pytest.mark.parametrize(
    ("type_id", "value"),
    [
        (REGISTER, {**NODE, "Service": SERVICE}),
        (7, QUERY),
        (TOKEN, {"AccessorID": "a", "Policies": [{"ID": 1, "Name": 2}]}),
    ],
    ids=["Register", "PreparedQuery", "ACLToken"],
)
def test_the_order_of_maps_does_not_matter(type_id: int, value: dict[str, Any]) -> None:
    assert digestible(type_id, backwards(value)) == digestible(type_id, value)


@pytest.mark.parametrize("nested", [False, True], ids=["plain", "nested"])
def test_the_order_of_maps_does_not_matter_in_a_config_entry(nested: bool) -> None:
    turned = entry(backwards(ENTRY_FIELDS), nested=nested)

    assert turned != entry(nested=nested)
    assert digestible(ENTRY, turned) == digestible(ENTRY, entry(nested=nested))


def map_of(*pairs: tuple[Any, Any]) -> bytes:
    """Return a short map in this very order; its keys may be maps themselves."""
    return bytes([0x80 | len(pairs)]) + b"".join(packed(key) + packed(value) for key, value in pairs)


WEB, API = ({"Name": "web"}, [{"Kind": "http-route"}]), ({"Name": "api"}, [{"Kind": "tcp-route"}])


def gateway(*services: tuple[Any, Any]) -> bytes:
    """Return a bound-api-gateway, in which the keys of a map are structs."""
    body = b"\x82" + packed("Name") + packed("gw") + packed("Services") + map_of(*services)
    return packed("bound-api-gateway") + b"\x81" + packed("Entry") + body


def test_the_order_of_maps_whose_keys_are_structs_does_not_matter() -> None:
    content = content_of(ENTRY, packed(gateway(WEB, API)))

    assert content.fields is not None
    assert content.digestible == content_of(ENTRY, packed(gateway(API, WEB))).digestible
    assert content.digestible != content_of(ENTRY, packed(gateway(WEB))).digestible
    assert content.digestible != content_of(ENTRY, packed(gateway(WEB, (API[0], None)))).digestible


def test_the_order_of_maps_whose_keys_are_of_two_kinds_does_not_matter() -> None:
    one, other = (content_of(TOKEN, map_of(*pairs)) for pairs in ([(1, 2), ("a", 3)], [("a", 3), (1, 2)]))

    assert one == other
    assert one.fields is not None


def test_the_order_of_lists_does_matter() -> None:
    turned = {"ID": "q", "Service": {**QUERY["Service"], "Tags": ["a", "b"]}}  # type: ignore[dict-item]  # a plain map

    assert digestible(7, turned) != digestible(7, QUERY)


# What raft counts, wherever it stands in a record.
RAFT = {"CreateIndex": 5, "ModifyIndex": 6}
INDEXED = {
    "KVS": (KVS, lambda raft: {"Key": "k", "Value": b"v", "Flags": 0, "LockIndex": 0, "Session": "", **raft}),
    "Register": (REGISTER, lambda raft: {**NODE, **raft}),
    "Register, its service": (REGISTER, lambda raft: {**NODE, "Service": {**SERVICE, **raft}}),
    "Register, its check": (REGISTER, lambda raft: {**NODE, "Check": {"CheckID": "c", **raft}}),
    "ACLToken": (TOKEN, lambda raft: {"AccessorID": "a", **raft}),
    "Intention": (12, lambda raft: {"ID": "i", **raft}),
    "ConfigEntry": (ENTRY, lambda raft: entry(**raft)),
    "ConfigEntry, nested": (ENTRY, lambda raft: entry(nested=True, **raft)),
}


@pytest.mark.parametrize(("type_id", "shape"), INDEXED.values(), ids=INDEXED)
def test_rafts_indexes_are_no_content(type_id: int, shape: Any) -> None:
    assert digestible(type_id, shape(RAFT)) == digestible(type_id, shape({"CreateIndex": 8, "ModifyIndex": 9}))
    assert digestible(type_id, shape(RAFT)) != digestible(type_id, shape({**RAFT, "Description": "new"}))


HASHED = {
    "Intention": (12, lambda told: {"ID": "i", **told}),
    "ACLToken": (TOKEN, lambda told: {"AccessorID": "a", **told}),
    "ACLPolicy": (POLICY, lambda told: {"ID": "p", **told}),
    "ACLRole": (23, lambda told: {"ID": "r", **told}),
    "ConfigEntry": (ENTRY, lambda told: entry(**told)),
}


@pytest.mark.parametrize(("type_id", "shape"), HASHED.values(), ids=HASHED)
def test_a_hash_that_consul_derives_from_the_record_is_no_content(type_id: int, shape: Any) -> None:
    assert digestible(type_id, shape({"Hash": 5})) == digestible(type_id, shape({"Hash": None}))
    assert digestible(type_id, shape({"Hash": 5})) == digestible(type_id, shape({}))


def test_a_hash_of_the_users_own_is_content() -> None:
    one, other = (entry({**ENTRY_FIELDS, "Meta": {"Hash": text}}) for text in ("1", "2"))

    assert digestible(ENTRY, one) != digestible(ENTRY, other)


def test_an_index_of_the_users_own_is_content() -> None:
    one, other = ({**NODE, "NodeMeta": {"ModifyIndex": text}} for text in ("1", "2"))

    assert digestible(REGISTER, one) != digestible(REGISTER, other)


def test_who_holds_a_lock_is_no_content() -> None:
    free = {"Flags": 0, "Key": "k", "LockIndex": 0, "Session": "", "Value": b"v"}

    assert digestible(KVS, {**free, "LockIndex": 3, "Session": "s"}) == digestible(KVS, free)


@pytest.mark.parametrize("value", ["x", 0, None, {}, []], ids=repr)
def test_a_value_of_another_kind_is_another_content(value: Any) -> None:
    assert digestible(TOKEN, {"A": value}) != digestible(TOKEN, {"A": "y"})


TOKENS = [
    ("anonymous", {"AccessorID": READ_ONLY, "Description": "Anonymous Token"}, BUILTIN),
    ("bootstrapped", {"AccessorID": "a", "Description": "Bootstrap Token (Global Management)"}, BUILTIN),
    ("of the configuration", {"Description": "Initial Management Token", "Policies": [{"ID": MANAGEMENT}]}, VOLATILE),
    ("of the configuration, 1.8", {"Description": "Master Token", "Policies": [{"ID": MANAGEMENT}]}, VOLATILE),
    ("a user's of that name", {"Description": "Initial Management Token", "Policies": [{"ID": "p"}]}, USER),
    (
        "a user's of that name, two policies",
        {"Description": "Master Token", "Policies": [{"ID": MANAGEMENT}, {"ID": "p"}]},
        USER,
    ),
    ("a user's", {"AccessorID": "a", "Description": "deploy", "Policies": None}, USER),
    ("a user's with all rights", {"AccessorID": "a", "Description": "", "Policies": [{"ID": MANAGEMENT}]}, USER),
]


@pytest.mark.parametrize(("fields", "origin"), [row[1:] for row in TOKENS], ids=[row[0] for row in TOKENS])
def test_whose_a_token_is(fields: dict[str, Any], origin: str) -> None:
    assert content_of(TOKEN, packed(fields)).origin == origin


ORIGINS = [
    (POLICY, {"ID": MANAGEMENT}, BUILTIN),
    (POLICY, {"ID": READ_ONLY}, BUILTIN),
    (POLICY, {"ID": "p"}, USER),
    (9, {"CleanupDeadServers": True}, BUILTIN),
    (13, {"ID": "root"}, BUILTIN),
    (14, {"ID": "root"}, BUILTIN),
    (15, {"ClusterID": "c"}, BUILTIN),
    (32, {"IP": "240.0.0.1"}, BUILTIN),
    (33, {"IP": "240.0.0.1"}, VOLATILE),
    (3, {"ID": "session"}, VOLATILE),
    (16, {"Key": "kvs", "Value": 4}, VOLATILE),
    (31, {"Key": "server-management-token", "Value": "x"}, VOLATILE),
    (KVS, {"Key": "k", "Value": b"v", "Flags": 0}, USER),
    (65, {"Name": "team-a"}, USER),
    (99, {"any": "thing"}, USER),
]


@pytest.mark.parametrize(("type_id", "value", "origin"), ORIGINS, ids=str)
def test_whose_a_record_is(type_id: int, value: dict[str, Any], origin: str) -> None:
    assert content_of(type_id, packed(value)).origin == origin


SHAPES = [
    (TOKEN, packed("text"), USER),
    (TOKEN, packed([1, 2]), USER),
    (TOKEN, packed({"Policies": 7}), USER),
    (TOKEN, packed({"Policies": ["no map"]}), USER),
    (TOKEN, b"\x82" + 2 * (packed("a key twice") + packed(1)), USER),
    (TOKEN, b"\x82" + 2 * (packed({"a": "key"}) + packed(1)), USER),
    (ENTRY, packed("text that is no entry"), USER),
    (ENTRY, packed({"a": "map"}), USER),
    (ENTRY, packed(packed("kind") + b"\xc1"), USER),
    (ENTRY, packed(packed("kind") + packed({"Entry": b"no msgpack \xc1"})), USER),
    (PEERING, packed(b"\xff" * 20), USER),
    (PEERING, packed({"a": "map"}), USER),
    (3, packed("text"), VOLATILE),
    (99, packed(b"protobuf of a version to come"), USER),
]


@pytest.mark.parametrize(("type_id", "raw", "origin"), SHAPES, ids=str)
def test_a_record_of_another_shape_is_its_own_bytes(type_id: int, raw: bytes, origin: str) -> None:
    content = content_of(type_id, raw)

    assert (content.digestible, content.origin) == (raw, origin)


def field(number: int, value: bytes | int) -> bytes:
    """Return a field of a protobuf message, short enough for one-byte lengths."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


PEER = field(1, b"an id") + field(2, b"peer-a") + field(5, b"k1=v1") + field(5, b"k2=v2") + field(6, 3)


def test_a_peerings_indexes_and_the_order_of_its_map_are_no_content() -> None:
    turned = field(1, b"an id") + field(2, b"peer-a") + field(5, b"k2=v2") + field(5, b"k1=v1") + field(6, 3)
    expected = digestible(PEERING, PEER + field(11, 5) + field(12, 6))

    assert digestible(PEERING, turned + field(11, 7) + field(12, 8)) == expected
    assert digestible(PEERING, PEER + field(6, 4) + field(11, 5) + field(12, 6)) != expected
    assert digestible(PEERING, PEER.replace(b"v2", b"v3")) != expected


def test_a_trust_bundles_indexes_are_no_content() -> None:
    bundle = field(1, b"domain") + field(2, b"peer-a") + field(4, b"a certificate")
    expected = digestible(TRUST_BUNDLE, bundle + field(6, 5) + field(7, 6))

    assert digestible(TRUST_BUNDLE, bundle + field(6, 8) + field(7, 9)) == expected
    assert digestible(TRUST_BUNDLE, bundle + field(4, b"another") + field(6, 5) + field(7, 6)) != expected


def test_a_float_in_a_record_keeps_its_value() -> None:
    assert digestible(TOKEN, {"A": 1.5}) != digestible(TOKEN, {"A": 1.25})
