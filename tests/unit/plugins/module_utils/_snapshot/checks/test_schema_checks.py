# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks made of the definitions: what Consul's decoder takes for each type of value, and where it stops."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.schema_checks import (
    check_of_kind,
    check_of_struct,
    check_of_type,
)

TIME = b"\x01" + bytes(14)
KEY, TOKEN = 2, 17


@pytest.mark.parametrize(
    ("type_id", "value", "fault"),
    [
        (KEY, {}, ""),
        (KEY, None, ""),
        (KEY, {b"Key": b"a", b"Value": b"v", b"Flags": (1 << 64) - 1}, ""),
        (KEY, {b"Key": None, b"Flags": None}, ""),
        (KEY, {b"Key": 7}, ".Key"),
        (KEY, {b"Key": {}}, ".Key"),
        (KEY, {b"Flags": -1}, ".Flags"),
        (KEY, {b"Flags": 1 << 64}, ".Flags"),
        (KEY, {b"Flags": True}, ".Flags"),
        (KEY, {b"Flags": b"1"}, ".Flags"),
        (KEY, [], "."),
        (KEY, b"text", "."),
        # A field that nobody defined is skipped, but for keys of maps that are no text.
        (KEY, {b"Zone": {b"a": [1, {b"b": None}]}}, ""),
        (KEY, {b"Zone": {1: 2}}, ".Zone"),
        (KEY, {b"Zone": [{b"a": {1: 2}}]}, ".Zone"),
        (KEY, {7: b"x"}, "."),
        (TOKEN, {b"Policies": [{b"ID": b"x"}, {}]}, ""),
        (TOKEN, {b"Policies": [{b"ID": b"x"}, {b"ID": 1}]}, ".Policies[].ID"),
        (TOKEN, {b"Policies": [None]}, ".Policies[]"),
        (TOKEN, {b"Policies": {}}, ""),
        (TOKEN, {b"Policies": {b"ID": b"x"}}, ".Policies"),
        (TOKEN, {b"Local": 1}, ".Local"),
        (TOKEN, {b"ExpirationTime": TIME}, ""),
        (TOKEN, {b"ExpirationTime": TIME[:-1]}, ".ExpirationTime"),
        (TOKEN, {b"ExpirationTime": b""}, ".ExpirationTime"),
        (TOKEN, {b"ExpirationTTL": -(1 << 63)}, ""),
        (TOKEN, {b"ExpirationTTL": -(1 << 63) - 1}, ".ExpirationTTL"),
    ],
)
def test_values_of_a_record(type_id: int, value: Any, fault: str) -> None:
    check = check_of_type(type_id)

    assert check is not None
    assert check(value) == fault
    # Once more: the shape is remembered now.
    assert check(value) == fault


@pytest.mark.parametrize(
    ("meta", "fault"),
    [
        ({b"a": b"b"}, ""),
        ({b"a": None}, ""),
        ({b"a": 7}, ".Meta{}"),
        ({7: b"b"}, ".Meta{}"),
        ({None: b"b"}, ".Meta{}"),
        ([], ".Meta"),
        ([[b"a", b"b"]], ".Meta"),
    ],
)
def test_maps(meta: Any, fault: str) -> None:
    check = check_of_kind("mesh")

    assert check is not None
    assert check({b"Meta": meta}) == fault


def test_maps_whose_keys_are_structs() -> None:
    check = check_of_kind("bound-api-gateway")

    assert check is not None
    assert check({b"Services": [[{b"Name": b"web"}, [{b"Name": b"route"}]]]}) == ""
    assert check({b"Services": [[{b"Name": 7}, []]]}) == ".Services{}"
    assert check({b"Services": [[{b"Name": b"web"}]]}) == ".Services"


def test_many_shapes_are_checked_and_not_all_remembered() -> None:
    check = check_of_struct("DirEntry")

    for number in range(1000):
        name = b"field %d" % number
        assert check({name: 1, b"Key": 7}) == ".Key"
        assert check({name: 1, b"Key": b"x"}) == ""


def test_what_is_not_described() -> None:
    assert check_of_type(99) is None
    assert check_of_kind("a-kind-to-come") is None
