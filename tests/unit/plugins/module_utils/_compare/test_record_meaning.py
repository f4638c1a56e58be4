# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of two versions: which of them mean the same, and what has no place any more."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import packed

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_meaning import (
    agrees,
    is_converted,
    legacy_sources,
    lost_fields,
    means_the_same,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.canonical import content_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    record_digest,
)

TOKEN, POLICY, ENTRY = 17, 19, 22
ZERO_TIME = b"\x01" + bytes(12) + b"\xff\xff"
GLOBAL_MANAGEMENT = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ({b"a": 1}, {b"a": 1}, True),
        ({b"a": 1}, {b"a": 2}, False),
        ({b"a": 1}, {}, False),
        # What only the newer version knows is not looked at, and a zero value is no value, whatever its type.
        ({b"a": 1}, {b"a": 1, b"b": 7}, True),
        ({b"a": b""}, {}, True),
        ({b"a": ZERO_TIME}, {b"a": None}, True),
        ({b"a": {b"b": 0, b"c": []}}, {}, True),
        ({b"a": 0}, {b"a": 7}, False),
        # Raft's and Consul's own notes.
        ({b"ModifyIndex": 5, b"Hash": b"x"}, {b"ModifyIndex": 9}, True),
        ({b"a": {b"ModifyIndex": 5}}, {}, True),
        ([{b"a": 1}, 2], [{b"a": 1, b"b": 2}, 2], True),
        ([1, 2], [2, 1], False),
        ([1], [1, 2], False),
        ({b"a": 1}, [b"a"], False),
        ([1], {b"a": 1}, False),
    ],
)
def test_values_that_mean_the_same(old: Any, new: Any, same: bool) -> None:
    assert means_the_same(old, new) == same


@pytest.mark.parametrize(
    ("old", "new", "agree"),
    [
        ({"Type": "client", "Policies": []}, {"Policies": []}, True),
        # Its rights came from its type alone, and are gone.
        ({"Type": "management"}, {"Policies": []}, False),
        ({"Type": "management"}, {"Policies": [{"ID": GLOBAL_MANAGEMENT}]}, True),
        ({"Rules": 'key "" {}', "Type": "client"}, {"Policies": []}, False),
        ({"Description": "x"}, {"Description": "y"}, False),
    ],
)
def test_tokens_of_two_versions(old: dict[str, Any], new: dict[str, Any], agree: bool) -> None:
    assert agrees(TOKEN, content_of(TOKEN, packed({"AccessorID": "a", **new})), packed({"AccessorID": "a", **old})) == (
        agree
    )


def test_policies_that_leaders_write_anew() -> None:
    builtin = content_of(POLICY, packed({"ID": GLOBAL_MANAGEMENT, "Rules": "new"}))
    own = content_of(POLICY, packed({"ID": "p", "Rules": "new"}))

    assert agrees(POLICY, builtin, packed({"ID": GLOBAL_MANAGEMENT, "Rules": "old"}))
    assert not agrees(POLICY, own, packed({"ID": "p", "Rules": "old"}))


def test_a_record_of_another_shape_is_not_the_same() -> None:
    content = content_of(TOKEN, packed({"AccessorID": "a"}))

    assert not agrees(TOKEN, content, packed(["no", "map"]))
    assert not agrees(TOKEN, content, b"\xc1")
    assert agrees(TOKEN, content, record_digest(content.digestible))


@pytest.mark.parametrize(
    ("type_id", "old", "new", "lost"),
    [
        (TOKEN, {b"Rules": b"x", b"Type": b"client"}, {}, [b"Rules"]),
        (TOKEN, {b"Type": b"management"}, {}, [b"Type"]),
        (
            POLICY,
            {b"Datacenters": [b"dc1"], b"Hash": b"x", b"Zero": 0, b"Name": b"n"},
            {b"Name": b"m"},
            [b"Datacenters"],
        ),
        (POLICY, {b"Name": b"n"}, {b"Name": b"n"}, []),
    ],
)
def test_fields_without_a_place(type_id: int, old: dict[bytes, Any], new: dict[bytes, Any], lost: list[bytes]) -> None:
    assert lost_fields(type_id, old, new) == lost


INTENTION = {"SourceName": "web", "DestinationName": "db", "Action": "allow", "Meta": {"a": "b"}, "Description": ""}
SOURCE = {b"LegacyID": b"id", b"Name": b"web", b"Action": b"allow", b"LegacyMeta": {b"a": b"b"}}


def test_an_intention_that_became_a_source_of_an_entry() -> None:
    entry = {b"Kind": b"service-intentions", b"Entry": {b"Name": b"db", b"Sources": [SOURCE, {b"Name": b"other"}]}}
    sources = dict(legacy_sources(ENTRY, entry))

    assert list(sources) == [b"id"]
    assert is_converted(packed(INTENTION), sources[b"id"])
    for changed in ({"Action": "deny"}, {"DestinationName": "cache"}, {"SourceName": "api"}, {"Meta": {}}):
        assert not is_converted(packed({**INTENTION, **changed}), sources[b"id"])
    assert not is_converted(packed(INTENTION), None)
    assert not is_converted(b"\xc1", sources[b"id"])


def test_other_records_have_no_sources() -> None:
    entry = {b"Kind": b"service-defaults", b"Entry": {b"Sources": [SOURCE]}}

    assert list(legacy_sources(ENTRY, entry)) == []
    assert list(legacy_sources(TOKEN, {b"Kind": b"service-intentions"})) == []
    assert list(legacy_sources(ENTRY, None)) == []
