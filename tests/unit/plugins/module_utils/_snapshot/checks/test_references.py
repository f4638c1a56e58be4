# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ACL records refer to that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.references import (
    AUTH_METHOD,
    BINDING_RULE,
    POLICY,
    ROLE,
    TOKEN,
    References,
)

Row = tuple[int, dict[bytes, Any], bytes]

READERS: Row = (POLICY, {b"ID": b"P1"}, b"readers")
OPERATORS: Row = (ROLE, {b"ID": b"r1", b"Policies": [{b"ID": b"p1"}]}, b"operators")
METHOD: Row = (AUTH_METHOD, {b"Name": b"k8s"}, b"k8s")
RULE: Row = (BINDING_RULE, {b"AuthMethod": b"K8S"}, b"rule b1")
LOGGED_IN: Row = (TOKEN, {b"AuthMethod": b"k8s", b"Policies": None, b"Roles": [{b"ID": b"r1"}]}, b"t1")


def missing(*rows: Row) -> list[tuple[str, bytes, int]]:
    references = References()
    for row in rows:
        references.record(*row)
    return sorted(references.missing())


def test_what_is_there_is_not_missing_in_whatever_order_and_case() -> None:
    rows = (READERS, OPERATORS, METHOD, RULE, LOGGED_IN)

    assert missing(*rows) == []
    assert missing(*reversed(rows)) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((OPERATORS,), [("acl_link_missing", b"role operators", 1)]),
        ((METHOD, LOGGED_IN), [("acl_link_missing", b"token t1", 1)]),
        ((RULE,), [("binding_rule_without_method", b"rule b1", 1)]),
        ((READERS, OPERATORS, LOGGED_IN), [("token_without_method", b"t1 of auth method k8s", 1)]),
        # A policy's id is no role's.
        (((POLICY, {b"ID": b"r1"}, b"p"), METHOD, LOGGED_IN), [("acl_link_missing", b"token t1", 1)]),
    ],
)
def test_what_is_missing(rows: tuple[Row, ...], expected: list[tuple[str, bytes, int]]) -> None:
    assert missing(*rows) == expected


def test_one_name_for_each_thing_that_is_missing_the_first_in_order() -> None:
    rows = [(TOKEN, {b"Policies": [{b"ID": b"gone"}]}, label) for label in (b"c", b"a", b"b")]

    assert missing(*rows) == [("acl_link_missing", b"token a", 3)]


@pytest.mark.parametrize(
    "row",
    [
        (POLICY, {}, b"x"),
        (POLICY, {b"ID": 7}, b"x"),
        (BINDING_RULE, {b"AuthMethod": None}, b"x"),
        (TOKEN, {b"Policies": [7]}, b"x"),
        (TOKEN, {b"Roles": [{}]}, b"x"),
    ],
)
def test_shapes_that_are_not_known_are_told(row: Row) -> None:
    with pytest.raises((TypeError, KeyError, AttributeError)):
        missing(row)
