# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which templates of prepared queries Consul can't compile. Real servers judge some in the fuzzer's corpus."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.checks.query_templates import (
    fault_of_template,
)

PREFIX = b"name_prefix_match"


def query(regexp: bytes = b"", service: Any = b"web", kind: bytes | None = PREFIX) -> dict[bytes, Any]:
    """Return a prepared query with a template."""
    fields = service if isinstance(service, dict) else {b"Service": service}
    return {b"Service": fields, b"Template": {b"Type": kind, b"Regexp": regexp}}


@pytest.mark.parametrize("regexp", [b"\xff", b"^(a", b"*"])
def test_expressions_that_do_not_compile(regexp: bytes) -> None:
    assert fault_of_template(query(regexp)) == ".Template.Regexp"


@pytest.mark.parametrize("regexp", [b"", b"^geo-db-(.*?)-([^\\-]+?)$", "Gr\u00fc\u00dfe".encode(), b"x" * 5000 + b"("])
def test_expressions_that_compile_or_are_not_looked_at(regexp: bytes) -> None:
    assert fault_of_template(query(regexp)) == ""


@pytest.mark.parametrize(
    "service",
    [
        *(b"${", b"${name.full", b"a-${}", b"${ }", b"${name.whole}", b"${match}", b"$${x}${y}"),
        *(b"${math(1)}", b"${name.full(1)}", b"${match.x(1)}", b"${match()}", b"${match( )}", b"${match(1)(2)}"),
        *(b"${match(1}", b"${match(1))}", b"${)1(}", b"${1 +}", b"${+ 1}", b"${1 1}", b"${name.full name.full}"),
        *(b"${match(1)}-${math(1)}", b"${()}"),
        {b"Service": b"web", b"Tags": [b"a", b"${x}"]},
        {b"NodeMeta": {b"k": b"${x}"}},
    ],
)
def test_interpolations_that_are_wrong_in_every_reading(service: Any) -> None:
    assert fault_of_template(query(service=service)) == ".Service"


@pytest.mark.parametrize(
    "service",
    [
        *(b"web", b"${name.full}", b"a-${ name.suffix }-${agent.segment}", b"${match(1)}", b"$${", b"${true}"),
        *(b'${match("}") == "" ? "a" : "${"}', b"$", b"{}", b"${1}", None),
        *(b"${(1)}", b"${match (1)}", b"${match(-1)}", b"${match(1,)}", b"${1 + match(2)}", b"${match(1 + 1) == 2}"),
        *(b"${__builtin_IntToString(1)}", b"${!true}", b'${math("a")}', b"${true ? 1 : 2}", b"${(1 + 2) * 3}"),
    ],
)
def test_interpolations_that_go_or_may_be_right(service: Any) -> None:
    assert fault_of_template(query(service=service)) == ""


def test_without_a_type_nothing_is_compiled() -> None:
    assert fault_of_template(query(b"(", b"${", kind=b"")) == ""
    assert fault_of_template({b"Service": {b"Service": b"${"}}) == ""


def test_a_type_that_there_is_not() -> None:
    assert fault_of_template(query(kind=b"zz")) == ".Template.Type"
