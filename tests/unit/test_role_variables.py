# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles' own variables: what is used is set somewhere, and what is set is used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROLES = sorted((Path(__file__).resolve().parents[2] / "roles").iterdir())
# As a key of vars and facts, or as the name that a task or loop gives.
SET = re.compile(r"^\s*(?:- )?(__\w+):|^\s*(?:register|loop_var|index_var): (__\w+)", re.MULTILINE)
COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def text_of(role: Path) -> str:
    """Return the role's YAML files and templates in one text, without comments."""
    files = [path for kind in ("*.yml", "*.j2") for path in sorted(role.rglob(kind))]
    return "\n".join(COMMENT.sub("", path.read_text(encoding="utf-8")) for path in files)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_is_used_is_set_and_what_is_set_is_used(role: Path) -> None:
    text = text_of(role)
    used = set(re.findall(r"\b__\w+", SET.sub("", text)))
    given = {one or other for one, other in SET.findall(text)}
    assert given
    assert sorted(used - given) == []
    assert sorted(given - used) == []
