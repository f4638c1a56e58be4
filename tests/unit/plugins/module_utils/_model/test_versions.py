# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions: what is read from their text, whatever it is."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.versions import (
    Series,
    build_of,
    is_across,
    is_enterprise,
    order_key,
    series_of,
)


@pytest.mark.parametrize(
    ("version", "series", "build", "enterprise"),
    [
        ("1.22.7", (1, 22), "1.22.7", False),
        ("1.22.7-rc1", (1, 22), "1.22.7-rc1", False),
        ("1.22.7+ent", (1, 22), "1.22.7", True),
        ("1.22.7-rc1+ent", (1, 22), "1.22.7-rc1", True),
        ("1.8.7+ent.hsm", (1, 8), "1.8.7", True),
        # A member's build: the revision follows.
        ("1.22.7+ent:a1b2c3d4", (1, 22), "1.22.7", True),
        ("1.22.7:a1b2c3d4", None, "1.22.7:a1b2c3d4", False),
        ("1.22.7+entropy", (1, 22), "1.22.7", False),
        ("1.22", (1, 22), "1.22", False),
        ("1", None, "1", False),
        ("v1.22.7", None, "v1.22.7", False),
        ("", None, "", False),
        ("1.\u0661", None, "1.\u0661", False),
        ("1." + "9" * 5000, None, "1." + "9" * 5000, False),
    ],
)
def test_parts_of_a_version(version: str, series: Series | None, build: str, enterprise: bool) -> None:
    assert series_of(version) == series
    assert build_of(version) == build
    assert is_enterprise(version) == enterprise


def test_versions_in_order() -> None:
    ordered = ["1.8.7", "1.9.0", "1.10.0-beta1", "1.10.0-rc1", "1.10.0", "1.22.7", "2.0.0"]
    mixed = ["1.10.0", "2.0.0", "1.10.0-rc1", "1.22.7", "1.8.7", "1.10.0-beta1", "1.9.0"]

    assert sorted(mixed, key=order_key) == ordered
    assert order_key("1.22.7+ent") == order_key("1.22.7")
    assert sorted(["1.8.7", "v?"], key=order_key)[-1] == "1.8.7"


@pytest.mark.parametrize(
    ("archive", "targets", "across"),
    [
        ("1.8.7", ["1.22.7"], True),
        ("1.22.7", ["1.22.7", "1.22.6"], True),
        ("1.22.7", ["1.22.7+ent", "1.22.7"], False),
        ("1.22.7", [], False),
        # What is not known is not known to be another.
        (None, ["1.22.7"], False),
    ],
)
def test_is_across(archive: str | None, targets: list[str], across: bool) -> None:
    assert is_across(archive, targets) == across
