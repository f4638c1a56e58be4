# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What records are called: a rule for each type, and never a secret."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.record_types import KINDS
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import content_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.record_names import (
    FirstLabels,
    Name,
    name_of,
    shown,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.stream import pack

ACCESSOR, SECRET = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
NODE = {"Node": "db-1", "Address": "192.0.2.1", "Datacenter": "dc1"}
CONFIG = {"Config": {"password": SECRET}}


def field(number: int, value: bytes) -> bytes:
    """Return a string field of a protobuf message."""
    return bytes([number << 3 | 2, len(value)]) + value


def named(type_id: int, value: Any) -> Name | None:
    """Return the name of a record as it is read from a state; None for one whose shape is not known."""
    content = content_of(type_id, pack(value))
    return None if content.fields is None else name_of(type_id, content.fields)


def entry(kind: str, **fields: Any) -> bytes:
    """Return the value of a config entry's record, which is one string that holds two values."""
    return pack(kind) + pack({"Datacenter": "", "Entry": fields, "Op": "", "Token": SECRET})


TYPE_RESOURCE = field(1, b"auth") + field(2, b"v2beta1") + field(3, b"WorkloadIdentity")
RESOURCE = field(1, field(1, b"uid") + field(2, b"web") + field(3, TYPE_RESOURCE) + field(4, field(1, b"default")))

NAMES: list[tuple[int, Any, str]] = [
    (0, NODE, "node db-1"),
    (0, {**NODE, "Service": {"ID": "pg-1", "Service": "postgres"}}, "service pg-1 on db-1"),
    (0, {**NODE, "Service": {"ID": "", "Service": "postgres"}}, "service postgres on db-1"),
    (0, {**NODE, "Check": {"CheckID": "ping", "Node": "db-1", "ServiceID": "pg-1"}}, "check ping on db-1"),
    (0, {**NODE, "Service": None, "Check": None, "PeerName": "east"}, "node db-1 of peer east"),
    (0, {**NODE, "PeerName": "east", "Service": {"ID": "a"}}, "service a on db-1 of peer east"),
    (0, {**NODE, "Partition": "ap1"}, "node db-1 (partition ap1)"),
    (2, {"Key": "app/config/x", "Flags": 0, "Value": SECRET}, "app/config/x"),
    (2, {"Key": "a", "Namespace": "team", "Partition": "default", "Value": SECRET}, "a (namespace team)"),
    (3, {"ID": ACCESSOR, "Name": "lock", "Node": "db-1"}, f"{ACCESSOR} on db-1"),
    (4, {"ID": SECRET, "Name": "ops", "Rules": ""}, "a legacy token"),
    (5, {"Key": "app/gone", "Value": None}, "app/gone"),
    (6, [{"Node": "db-1", "Segment": "", "Coord": {}}], "db-1"),
    (6, [{"Node": "db-1", "Segment": "alpha", "Coord": {}}], "db-1 in segment alpha"),
    (7, {"ID": ACCESSOR, "Name": "nearest", "Token": SECRET}, "nearest"),
    (7, {"ID": ACCESSOR, "Name": "", "Token": SECRET}, ACCESSOR),
    (9, {"CleanupDeadServers": True}, "configuration"),
    (12, {"ID": ACCESSOR, "SourceNS": "default", "SourceName": "*", "DestinationNS": "default",
          "DestinationName": "api"}, "* => api"),
    (12, {"ID": ACCESSOR, "SourceNS": "a", "SourceName": "web", "DestinationNS": "", "DestinationName": "api"},
     "a/web => api"),
    (13, {"ID": "07:80:c8", "Name": "Consul CA Primary Cert", "SigningKey": SECRET}, "07:80:c8"),
    (14, {"ID": f"{SECRET},cert", "PrivateKey": SECRET, "RootCert": ""}, "provider state"),
    (15, {"ClusterID": ACCESSOR, "Provider": "consul", **CONFIG}, "configuration"),
    (16, {"Key": "kvs", "Value": 3}, "kvs"),
    (17, {"AccessorID": ACCESSOR, "SecretID": SECRET, "Description": SECRET}, ACCESSOR),
    (17, {"AccessorID": "", "SecretID": SECRET}, "a token without accessor"),
    (19, {"ID": ACCESSOR, "Name": "readers", "Rules": SECRET}, "readers"),
    (22, entry("service-defaults", Kind="service-defaults", Name="web"), "service-defaults/web"),
    (22, entry("mesh", TransparentProxy={}), "mesh/mesh"),
    (22, entry("exported-services", Name="default", Services=[]), "exported-services/default"),
    (22, entry("inline-certificate", Name="tls", PrivateKey=SECRET), "inline-certificate/tls"),
    (22, entry("service-defaults", Name="web", Namespace="team"), "service-defaults/web (namespace team)"),
    (23, {"ID": ACCESSOR, "Name": "operators"}, "operators"),
    (25, {"ID": ACCESSOR, "AuthMethod": "k8s", "BindName": SECRET}, f"{ACCESSOR} of auth method k8s"),
    (27, {"Name": "k8s", "Type": "kubernetes", **CONFIG}, "k8s"),
    (29, {"ChunkMap": {}}, "chunks"),
    (30, {"Datacenter": "", "Op": "upsert", "State": {"Datacenter": "dc1"}, "Token": SECRET}, "dc1"),
    (31, {"Key": "server-management-token", "Value": SECRET}, "server-management-token"),
    (32, {"IP": b"\xf0\0\0\1", "Service": {"Peer": "", "ServiceName": {"Name": "api"}}}, "api"),
    (32, {"IP": b"\xf0\0\0\1", "Service": {"Peer": "east", "ServiceName": {"Name": "api"}}}, "api of peer east"),
    (32, {"IP": b"\xf0\0\0\1", "Service": {"Name": "api"}}, "api"),
    (33, {"IP": b"\0\0\0\7", "IsCounter": True}, "counter"),
    (33, {"IP": b"\xf0\0\0\7", "IsCounter": False}, "240.0.0.7"),
    (33, {"IP": b"\0" * 10 + b"\xff\xff\xf0\0\0\7", "IsCounter": False}, "240.0.0.7"),
    (35, field(1, ACCESSOR.encode()) + field(2, b"east") + bytes([11 << 3, 7]), "east"),
    (38, field(1, b"trust.domain") + field(2, b"east"), "east"),
    (40, field(1, ACCESSOR.encode()) + field(2, field(1, SECRET.encode())), f"of peering {ACCESSOR}"),
    (42, RESOURCE, "auth.v2beta1.WorkloadIdentity/web"),
]  # fmt: skip


@pytest.mark.parametrize(("type_id", "value", "label"), NAMES, ids=[f"{row[0]} {row[2]}" for row in NAMES])
def test_names(type_id: int, value: Any, label: str) -> None:
    name = named(type_id, value)

    assert name is not None
    assert shown(name.label) == label
    assert SECRET not in shown(name.label)


def test_every_type_that_we_know_has_a_rule() -> None:
    # Of FeatureGate, which came with 2.1, no record was ever seen.
    assert set(KINDS) - {row[0] for row in NAMES} == {45}


@pytest.mark.parametrize(
    ("type_id", "one", "other"),
    [
        (4, {"ID": "a"}, {"ID": "b"}),
        (17, {"AccessorID": "", "SecretID": "a"}, {"AccessorID": "", "SecretID": "b"}),
        (14, {"ID": "a"}, {"ID": "b"}),
        (0, {"Node": "b on c", "Service": {"ID": "a"}}, {"Node": "c", "Service": {"ID": "a on b"}}),
        (0, {"Node": "a", "Service": {"ID": "x"}}, {"Node": "a", "Check": {"CheckID": "x"}}),
        (2, {"Key": "a"}, {"Key": "a", "Namespace": "team"}),
        (22, entry("a", Name="b/c"), entry("a/b", Name="c")),
    ],
    ids=["legacy tokens", "tokens", "provider states", "spaces", "service and check", "namespaces", "slashes"],
)
def test_what_differs_has_another_identity_even_where_the_label_is_one(type_id: int, one: Any, other: Any) -> None:
    names = [named(type_id, one), named(type_id, other)]

    assert None not in names
    assert len({name.identity for name in names if name}) == 2


@pytest.mark.parametrize(
    ("type_id", "value"),
    [
        (99, {"Name": "x"}),
        (45, {"Name": "x"}),
        (2, {"Flags": 0}),
        (2, {"Key": ""}),
        (2, {"Key": 7}),
        (0, {"Node": "a", "Service": {"Port": 1}}),
        (0, {"Node": "a", "Service": 1}),
        (6, []),
        (12, {"SourceName": "a"}),
        (17, {"AccessorID": ""}),
        (30, {"State": 1}),
        (33, {"IP": b"12345"}),
        (38, b"\xff\xff"),
        (40, b""),
    ],
)
def test_what_can_not_be_named_has_no_name(type_id: int, value: Any) -> None:
    assert named(type_id, value) is None


def test_labels_that_are_not_utf_8_are_shown_whole() -> None:
    assert shown(b"a/\xff\xc3\xbc") == "a/\\xffü"


@pytest.mark.parametrize("limit", [0, 1, 3, 100])
def test_the_first_labels_in_order(limit: int) -> None:
    labels = FirstLabels(limit)
    for number in (*range(50, 0, -2), *range(1, 50, 2)):
        labels.add(b"%02d" % number)

    assert labels.count == 50
    assert labels.result() == [f"{number:02}" for number in range(1, 51)][:limit]
