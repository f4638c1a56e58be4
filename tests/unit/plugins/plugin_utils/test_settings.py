# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of clusters and paths that can't be used."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._settings import problems_of


@pytest.mark.parametrize("name", ["production", "7", "two words", "a" * 200, "x..y", "café"])
def test_names_that_a_directory_may_have(name: str) -> None:
    assert problems_of("backup", name, {}) == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "-rf", "two\nlines", "end\n", "a" * 201, "\x7f"])
def test_names_that_no_directory_may_have(name: str) -> None:
    (problem,) = problems_of("restore", name, {})
    assert problem.startswith("restore_cluster is also the name of a directory.")


def test_paths_are_absolute_or_empty() -> None:
    paths = {"a": "/x", "b": "~/x", "c": "", "d": "x", "e": ""}
    assert problems_of("backup", "x", paths, required=["a", "e"]) == [
        'd must be an absolute path, got "x".',
        'e must be an absolute path, got "".',
    ]
