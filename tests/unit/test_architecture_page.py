# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/architecture.md shows is what is there: folders, files, and who imports whom.

Paths that other pages name in code type are held as well.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGES = ("docs/architecture.md", "docs/guards.md", "docs/security.md", "docs/verified.md", "CONTRIBUTING.md")
# The table that the imports are held to. A test's file has no name to import it by, so it is run.
MAY_IMPORT: dict[str, set[str]] = runpy.run_path(str(ROOT / "tests" / "unit" / "test_architecture.py"))["MAY_IMPORT"]

FOLDERS = {name for name in MAY_IMPORT if (UTILS / name).is_dir()}
LIKE_A_PATH = re.compile(
    r"`((?:_\w+|plugins|roles|playbooks|tools|docs|molecule|changelogs|tests)/[\w./-]*|_[a-z]+\.py|_[a-z]+/)`"
)
FOLDER = re.compile(r"`?(_[a-z]+)/`?")


def section(heading: str) -> str:
    """Return the text below a heading, up to the next one of its level."""
    return PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("page", PAGES)
def test_the_files_and_folders_that_a_page_names_are_there(page: str) -> None:
    named = set(LIKE_A_PATH.findall((ROOT / page).read_text(encoding="utf-8")))
    assert named
    missing = {name for name in named if not ((UTILS if name.startswith("_") else ROOT) / name).exists()}
    assert missing == set()


def test_the_figure_shows_every_folder() -> None:
    figure = PAGE.split("```text\n", 1)[1].split("```", 1)[0]
    assert set(FOLDER.findall(figure)) - {"_utils"} == FOLDERS
    assert set(re.findall(r"(_\w+)\.py", figure)) == set(MAY_IMPORT) - FOLDERS


def test_the_table_says_who_imports_whom() -> None:
    shown = {}
    for line in section("The layers").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `_") and len(cells) == 3:
            all_above = set(shown) if cells[2] == "all of the above" else set()
            shown[cells[0].strip("`/")] = all_above | set(FOLDER.findall(cells[2]))
    assert shown == {name: allowed for name, allowed in MAY_IMPORT.items() if name in FOLDERS}
    # Each row may name the rows above it only, so that the order of the table is the order of the layers.
    order = list(shown)
    assert all(order.index(other) < order.index(name) for name in order for other in shown[name])


@pytest.mark.parametrize("walk", ["A save, step by step", "A restore, step by step"])
def test_a_walk_counts_its_steps_and_names_a_file_for_each(walk: str) -> None:
    rows = [line.strip("|").split("|") for line in section(walk).splitlines() if re.match(r"\| \d", line)]
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= 10
    assert all((UTILS / row[1].strip(" `")).is_file() for row in rows)
