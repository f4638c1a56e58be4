# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role uses inside is defined in it: Ansible notices it only where it is evaluated, some of that on bad days."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROLES = sorted(path for path in (Path(__file__).resolve().parents[2] / "roles").iterdir())


def texts_of(role: Path) -> str:
    files = [path for part in ("tasks", "vars", "defaults", "templates") for path in (role / part).rglob("*")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files if path.is_file())


@pytest.mark.parametrize("role", ROLES, ids=lambda role: str(role.name))
def test_internal_variables_that_are_used_are_defined_and_the_other_way_round(role: Path) -> None:
    text, name = texts_of(role), rf"(__{role.name}_\w+)\b"
    definition = rf"^[ -]*{name}:|(?:register|loop_var): {name}"
    defined = {one for pair in re.findall(definition, text, re.MULTILINE) for one in pair if one}
    used = set(re.findall(name, re.sub(definition, "", text, flags=re.MULTILINE)))
    assert defined
    assert used - defined == set()
    assert defined - used == set()
