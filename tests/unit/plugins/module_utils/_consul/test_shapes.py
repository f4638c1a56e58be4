# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are not what they should be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.shapes import (
    mapping_of,
    mappings_of,
    text_of,
)

OTHERS: list[Any] = [None, 7, True, "text", 1.5]


@pytest.mark.parametrize("answer", [*OTHERS, [], [{}]])
def test_what_is_no_object(answer: Any) -> None:
    assert mapping_of(answer) == {}


@pytest.mark.parametrize("answer", [*OTHERS, {"a": 1}])
def test_what_is_no_list(answer: Any) -> None:
    assert mappings_of(answer) == []


def test_what_is_as_it_should_be() -> None:
    assert mapping_of({"a": 1}) == {"a": 1}
    assert mappings_of([{"a": 1}, None, "text", [], {}]) == [{"a": 1}, {}]
    assert [text_of(value) for value in ("a", None, 7, ["a"])] == ["a", "", "", ""]
