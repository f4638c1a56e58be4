# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages name is there: files, tests, modules, guards, findings, metrics, alerts, variables of roles."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.finding_meanings import CRITICAL, MEANINGS
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.metrics import HELP
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guards import GUARDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("roles/*/README.md")])
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
NUMBERS = {9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen"}

# `tests/unit/test_x.py::test_y`, `tests/integration/faults/`, `…/test_x.py`, or `…::test_y` in the file named before.
TEST = re.compile(r"`(?:(?P<file>(?:tests|…)/[\w*/.]+)(?:::(?P<test>\w+))?|…::(?P<other>\w+))`")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
ANCHOR = re.compile(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
CODE = re.compile(r"`(\w+)`")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def rows_of(page: str, first: str) -> list[list[str]]:
    """Return the cells of each row of all tables whose first heading this is."""
    rows: list[list[str]] = []
    inside = False
    for line in text_of(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        inside = bool(cells) and (inside or cells[0] == first)
        rows += [cells] if inside and cells[0] != first and set(line) - set("|- ") else []
    return rows


def named(cells: list[str]) -> str:
    """Return the one word in code type that a row begins with."""
    return CODE.findall(cells[0])[0]


def files_of(pattern: str) -> list[Path]:
    return sorted(ROOT.glob(pattern.rstrip("/")) if pattern[0] != "…" else ROOT.glob(f"tests/**{pattern[1:]}"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_and_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files: list[Path] = []
    for found in TEST.finditer(text):
        files = files_of(found["file"]) if found["file"] else files
        assert files, found.group()
        test = found["test"] or found["other"]
        if test:
            tree = ast.parse(files[0].read_text(encoding="utf-8"))
            assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for link in LINK.findall(text):
        assert (page.parent / link).exists(), link


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a forge gives to the headings of a page."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_headings_that_a_page_links_to_are_there(page: Path) -> None:
    for other, anchor in ANCHOR.findall(page.read_text(encoding="utf-8")):
        assert anchor in anchors_of(page.parent / other if other else page), anchor


def test_every_guarantee_names_what_shows_it() -> None:
    rows = rows_of("README.md", "guarantee")
    assert len(rows) > 30
    for guarantee, shown_by in rows:
        assert re.search(r"`(tests/|make )", shown_by), guarantee


def test_the_readme_lists_the_modules_and_the_roles() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py")}
    assert {named(row) for row in rows_of("README.md", "module")} == modules
    assert {named(row) for row in rows_of("README.md", "role, playbook")} == set(ROLES)


@pytest.mark.parametrize("page", ["README.md", "docs/guards.md"])
def test_the_pages_count_the_guards(page: str) -> None:
    assert re.findall(r"(?!the)\b(\w+) guards(?:\]| first)", text_of(page)) == [NUMBERS[len(GUARDS)]]


def test_the_page_of_the_guards_lists_each_with_its_risk_and_where_it_was_seen() -> None:
    told, seen = (rows_of("docs/guards.md", "guard")[part] for part in (slice(len(GUARDS)), slice(len(GUARDS), None)))
    assert [named(row) for row in told] == [named(row) for row in seen] == [guard.name for guard in GUARDS]
    assert [(CODE.findall(row[-1]) or [None])[0] for row in told] == [guard.risk for guard in GUARDS]


def test_the_page_of_the_guards_lists_the_critical_findings() -> None:
    listed = [name for row in rows_of("docs/guards.md", "critical finding") for name in CODE.findall(row[0])]
    assert sorted(listed) == sorted(name for name, meaning in MEANINGS.items() if meaning.severity == CRITICAL)


def test_the_page_of_monitoring_lists_the_metrics() -> None:
    assert {named(row) for row in rows_of("docs/monitoring.md", "metric")} == set(HELP)


def test_the_page_of_monitoring_lists_the_alerts_with_their_severity() -> None:
    groups = yaml.safe_load(text_of("docs/monitoring/consul-snapshots.rules.yml"))["groups"]
    rules = [(rule["alert"], rule["labels"]["severity"]) for group in groups for rule in group["rules"]]
    assert [(named(row), row[1]) for row in rows_of("docs/monitoring.md", "alert")] == rules


def options_of(role: str) -> dict[str, dict[str, Any]]:
    specs = yaml.safe_load(text_of(f"roles/{role}/meta/argument_specs.yml"))["argument_specs"]
    return {name: option for spec in specs.values() for name, option in spec["options"].items()}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_lists_all_of_its_variables(role: str) -> None:
    rows = rows_of(f"roles/{role}/README.md", "variable")
    assert {name for row in rows for name in CODE.findall(row[0])} == set(options_of(role))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_documents_the_defaults_that_it_has(role: str) -> None:
    defaults = yaml.safe_load(text_of(f"roles/{role}/defaults/main.yml"))
    options = options_of(role)
    assert set(defaults) == set(options)
    documented = {name: option["default"] for name, option in options.items() if "default" in option}
    assert documented == {name: defaults[name] for name in documented}
