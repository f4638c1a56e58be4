# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two looks are at one cluster."""

from __future__ import annotations

import re

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import (
    NAME_LIMIT,
    ClusterIdentity,
    name_for_file,
)

A = ClusterIdentity("dc1", "a", "1.22.7", ("s1", "s2"))
CLONE = A._replace(servers=("s7", "s8"))
NAMELESS = ClusterIdentity("dc1", None, None)
UNKNOWN = ClusterIdentity(None, None, None)

# Both ways round: is_same, contradicts.
PAIRS = [
    (A, A, True, False),
    (A, A._replace(consul_version="1.8.7"), True, False),
    (A, A._replace(id="b"), False, True),
    (A, A._replace(datacenter="dc2"), False, True),
    (A, A._replace(servers=("s2", "s9")), True, False),
    (A, A._replace(name="production"), True, False),
    # Connect was turned on in between.
    (A, A._replace(id=None), True, False),
    # A clone has the original's Connect id; and without Connect all clusters of one datacenter look alike.
    (A, CLONE, False, True),
    (A._replace(id=None), CLONE._replace(id=None), False, True),
    # Nothing is certain where servers are not known.
    (A, A._replace(servers=()), False, False),
    (A, NAMELESS, False, False),
    (NAMELESS, NAMELESS, False, False),
    (NAMELESS, ClusterIdentity("dc2", None, None), False, True),
    (A, UNKNOWN, False, False),
    (ClusterIdentity(None, "a", None), ClusterIdentity(None, "b", None), False, True),
]


@pytest.mark.parametrize(("one", "other", "same", "contradicts"), PAIRS, ids=str)
def test_pair(one: ClusterIdentity, other: ClusterIdentity, same: bool, contradicts: bool) -> None:
    assert one.is_same(other) is other.is_same(one) is same
    assert one.contradicts(other) is other.contradicts(one) is contradicts


def test_completed_fills_gaps_and_overrides_nothing() -> None:
    assert NAMELESS.completed(ClusterIdentity("dc9", "a", "1.22.7", ("s1", "s2"))) == A
    assert A.completed(ClusterIdentity("dc9", "z", "9", ("s9",))) == A


@pytest.mark.parametrize(
    ("cluster", "text"),
    [
        (A, "dc1 (cluster a, servers s1, s2)"),
        (A._replace(name="prod\x1b[2J", servers=()), "prod\\x1b[2J, dc1 (cluster a)"),
        (NAMELESS, "dc1 (cluster without an id)"),
        (UNKNOWN, "unknown datacenter (cluster without an id)"),
    ],
    ids=str,
)
def test_as_text(cluster: ClusterIdentity, text: str) -> None:
    assert cluster.as_text() == text


NAMES = [
    "../../out/x",
    "/etc/passwd",
    "a\nb",
    "\x1b[2J",
    "-rf",
    ".hidden",
    "..",
    ".",
    "",
    " ",
    "a" * 300,
    "数据中心",
    "dc\u202e1",
    "\ud800",
    "a\0b",
    "$(reboot)",
    "a b",
    "_",
    "-",
    "a.b",
    "CON:",
]


@pytest.mark.parametrize("text", NAMES, ids=ascii)
def test_a_name_for_a_file_is_safe(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name_for_file(text), re.ASCII)
    assert len(name_for_file(text)) <= NAME_LIMIT


def test_a_name_for_a_file_is_the_text_where_that_is_safe() -> None:
    for text in ("dc1", "eu-west_1", "a" * NAME_LIMIT, "_"):
        assert name_for_file(text) == text
    assert name_for_file(None) == "unknown"


def test_two_texts_are_two_names() -> None:
    texts = [*NAMES, "a_b", "a/b", "out_x", "out/x", "a" * 301, "a" * NAME_LIMIT, "rf", "hidden"]
    assert len({name_for_file(text) for text in texts if text}) == len(set(filter(None, texts)))
