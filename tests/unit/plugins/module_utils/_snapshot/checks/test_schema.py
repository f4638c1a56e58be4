# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consul's definitions as data: every type that a line names is there, so that no field goes unchecked by a slip."""

from __future__ import annotations

import re

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.compatibility import (
    ENTERPRISE_KINDS,
    restorable,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.record_types import KINDS as RECORD_KINDS
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.versions import series_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks import schema
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.schema_checks import structs

SCALAR = re.compile(r"[sxbt?]|[ui](8|16|32|64)|f(32|64)")


def pairs(text: str) -> dict[str, str]:
    found = [pair.split("=") for pair in text.split()]
    assert len({name for name, _type in found}) == len(found)
    return dict(found)


def leaves(kind: str) -> list[str]:
    """Return what a type is made of: text, numbers and structs."""
    if kind.startswith("["):
        return leaves(kind[1:])
    if kind.startswith("{"):
        key, _sign, value = kind[1:].partition(":")
        return [*leaves(key), *leaves(value)]
    return [kind]


def test_every_struct_that_is_named_is_defined() -> None:
    named = {kind for fields in structs().values() for kind in fields.values()}
    named |= {*pairs(schema.TYPES).values(), *pairs(schema.KINDS).values()}
    unknown = {leaf for kind in named for leaf in leaves(kind) if not SCALAR.fullmatch(leaf)} - set(structs())

    assert len(named) > 50
    assert unknown == set()


def test_lines_are_in_order_and_none_comes_twice() -> None:
    names = [line.split(" ", 1)[0] for line in schema.STRUCTS.strip("\n").split("\n") if not line.startswith(" ")]

    assert names == sorted(set(names))


@pytest.mark.parametrize("name", sorted(structs()))
def test_fields_are_in_the_order_in_which_consul_writes_them(name: str) -> None:
    assert list(structs()[name]) == sorted(structs()[name])


def test_it_describes_what_that_version_restores() -> None:
    series = series_of(schema.VERSION)
    assert series is not None
    types, kinds = restorable(series)

    assert set(pairs(schema.KINDS)) - ENTERPRISE_KINDS == kinds
    # The others are protobuf, or Consul decodes them by a function of its own.
    described = {int(number) for number in pairs(schema.TYPES)}
    assert described <= types
    assert {RECORD_KINDS[one].name for one in types - described} == {
        *("ConfigEntry", "ServiceVirtualIP", "Peering", "PeeringSecret", "PeeringTrustBundle", "Resource")
    }
