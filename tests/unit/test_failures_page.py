# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of failure are the same in the code, in each module's documentation and on the page that explains them."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.disaster_recovery.consul.plugins.module_utils import _errors
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.http_errors import MEANINGS
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, SnapshotError

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
# What an action does never fails, and so has no kinds.
ACTIONS = {path.stem for path in (ROOT / "plugins" / "action").glob("[!_]*.py")}
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py") if path.stem not in ACTIONS)
CONNECTING = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]["consul"]
STORES = {
    "snapshot_copy",
    "snapshot_hold",
    "snapshot_prune",
    "snapshot_diff",
    "snapshot_info",
    "snapshot_list",
    "snapshot_restore",
    "snapshot_save",
    "store_check",
}
KINDS = [str(kind) for kind in FailureKind]
ROW = re.compile(r"^\| `(\w+)` \|((?:[^|\n]+\|){4})$", re.MULTILINE)
ROWS = {kind: [cell.strip() for cell in cells.rstrip("|").split("|")] for kind, cells in ROW.findall(PAGE)}
CAUSE_ONLY = "in `failure.cause` only"


@functools.cache
def returns_of(module: str) -> dict[str, Any]:
    """Return what a module's RETURN says."""
    name = f"ansible_collections.disaster_recovery.consul.plugins.modules.{module}"
    return dict(yaml.safe_load(importlib.import_module(name).RETURN))


def choices_of(module: str) -> list[str]:
    """Return the kinds of failure that a module documents."""
    return list(returns_of(module)["failure"]["contains"]["kind"]["choices"])


def modules_of(cell: str) -> set[str]:
    """Return the modules that the last cell of a row stands for."""
    groups = {"all": set(MODULES), "connecting": set(CONNECTING), "stores": STORES, CAUSE_ONLY: set()}
    return groups[cell] if cell in groups else set(re.findall(r"`(\w+)`", cell))


def test_the_page_explains_every_kind_once_and_in_order() -> None:
    assert list(ROWS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_happened_what_holds_and_what_to_do(kind: str) -> None:
    assert all(ROWS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_documented_by_the_modules_that_the_page_names(kind: str) -> None:
    assert {module for module in MODULES if kind in choices_of(module)} == modules_of(ROWS[kind][-1])


@pytest.mark.parametrize("module", MODULES)
def test_a_module_documents_kinds_that_there_are(module: str) -> None:
    assert choices_of(module) == sorted(set(choices_of(module)) & set(KINDS))


def test_the_sentence_above_the_table_names_the_connecting_modules() -> None:
    sentence = re.search(r'"Connecting" means .*?\.\n', PAGE, re.DOTALL)
    assert sentence
    assert set(re.findall(r"`(\w+)`", sentence.group())) == set(CONNECTING)


def test_each_kind_has_a_use() -> None:
    # The code may name a kind in any file; nobody documents one that nothing raises.
    used = {row.kind for row in MEANINGS}
    for path in (ROOT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "FailureKind":
                used.add(FailureKind[node.attr])
    assert used == set(FailureKind)


def errors() -> list[type[SnapshotError]]:
    """Return every class of errors."""
    found = [value for value in vars(_errors).values() if isinstance(value, type) and issubclass(value, SnapshotError)]
    return sorted(found, key=lambda error: error.__name__)


@pytest.mark.parametrize("error", errors())
def test_every_error_has_a_kind(error: type[SnapshotError]) -> None:
    assert isinstance(error.kind, FailureKind)


@pytest.mark.parametrize("row", MEANINGS, ids=lambda row: f"{row.status} {row.text or row.message}")
def test_every_answer_of_consul_has_a_kind(row: Any) -> None:
    assert isinstance(row.kind, FailureKind)


def test_a_kind_is_its_word_wherever_it_is_shown() -> None:
    kind = FailureKind.NO_LEADER
    assert (kind, f"{kind}", str(kind), {"no_leader": 1}[kind]) == ("no_leader", "no_leader", "no_leader", 1)


@pytest.mark.parametrize("name", ["attempts", "duration"])
def test_every_module_returns_it_in_one_shape(name: str) -> None:
    shapes = [{**returns_of(module)[name], "sample": None} for module in MODULES]
    assert shapes == [shapes[0]] * len(MODULES)
    assert shapes[0]["returned"] == "always"
    samples = [returns_of(module)["duration"]["sample"] for module in MODULES]
    assert [sample for sample in samples if "total" not in sample] == []


@pytest.mark.parametrize("module", [module for module in MODULES if "records" in returns_of(module)])
def test_records_have_one_shape(module: str) -> None:
    records = returns_of(module)["records"]
    assert {frozenset(stats) for stats in records["sample"].values()} == {frozenset({"count", "size"})}
