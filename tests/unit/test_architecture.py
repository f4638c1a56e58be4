# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house that a reader would otherwise have to check by eye."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"))
UTILS = sorted(path for path in (ROOT / "plugins" / "module_utils").glob("*.py") if path.stem != "__init__")
PLUGINS = "ansible_collections.disaster_recovery.consul.plugins"
PACKAGE = f"{PLUGINS}.module_utils"
# What a relative import begins at: one dot in module_utils, two in modules.
DOTS = {0: "", 1: PACKAGE, 2: PLUGINS}

# Who may know whom, from top to bottom: a file imports from lower floors, and from its own as long as that makes no
# ring. Above them all stand the modules. A new file in plugins/module_utils needs a place here first.
FLOORS = {
    "what a module does": [
        "_options",
        "_ownership",
        "_save",
        "_restore",
        "_restored",
        "_diff",
        "_rehearse",
        "_rehearsed",
        "_listing",
    ],
    "a cluster, its snapshots, where they are kept": [
        *[
            "_cluster",
            "_live",
            "_ready",
            "_take",
            "_proof",
            "_target",
            "_aftermath",
            "_store",
            "_throwaway",
            "_textfile",
            "_left",
        ],
        "_catalogue",
    ],
    "what touches the world": [
        *["_client", "_transport", "_retry"],
        *["_archive", "_head", "_unpack", "_lane", "_aside"],
        *["_manifest", "_files", "_workdir", "_signals", "_launch"],
    ],
    "pure: values in, values out": [
        *[
            "_record_types",
            "_builtin_acl",
            "_records",
            "_content",
            "_state",
            "_kv",
            "_kv_run",
            "_identity",
            "_fingerprint",
            "_compare",
        ],
        *["_meta", "_tar_header", "_long_record"],
        *["_protobuf", "_observer", "_naming", "_difference", "_diff_text", "_findings", "_resemblance", "_since"],
        *["_losses"],
        *["_meanings", "_references", "_peerings", "_guard_checks", "_guard_facts"],
        *["_schema", "_schema_checks", "_conformance"],
        *["_answers", "_faults", "_address", "_guards", "_types", "_decide", "_times"],
        *["_server_config", "_assertions", "_rehearsal"],
        *[
            "_pick",
            "_chronology",
            "_report",
            "_report_words",
            "_report_view",
            "_report_input",
            "_report_history",
            "_report_names",
            "_metrics",
        ],
    ],
    "what can go wrong": ["_errors"],
}
LEVEL = {name: level for level, names in enumerate(FLOORS.values()) for name in names}

# Libraries that one place alone may know, so that a change of mind stays small.
ONLY_IN = {
    "ansible": {"_options"},
    "requests": {"_client", "_transport"},
    "urllib3": {"_client", "_transport"},
    "msgpack": {"_records"},
    "isal": {"_unpack"},
}

# Everything begins as this file does; a module has its shebang above.
HEADER = Path(__file__).read_text(encoding="utf-8").splitlines()[:3]
MAX_LINES = 399

# Where packages come from is a matter of each machine's settings, and a path of one machine is no use on another.
# Joined from parts, so that this file does not hold what it looks for.
FOREIGN = [
    *(".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("crates", "io"))),
    *(".".join(parts) for parts in (("proxy", "golang", "org"), ("sum", "golang", "org"), ("maven", "org"))),
    *(".".join(parts) for parts in (("deb", "debian", "org"), ("archive", "ubuntu", "com"))),
    "/".join(("", "tmp", "venv")),
    "/".join(("", "root", "")),
]
FOREIGN_PATTERN = re.compile("|".join([*map(re.escape, FOREIGN), r"(?<![\w$.})\]*-])" + "/".join(("", "work", ""))]))


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(filter(None, [DOTS[node.level], node.module]))
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


def neighbours(path: Path) -> set[str]:
    """Return the files of module_utils that a file imports."""
    prefix = f"{PACKAGE}."
    return {name[len(prefix) :].split(".")[0] for name in imported(path) if name.startswith(prefix)}


def project_files() -> list[Path]:
    """Return every file that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file()]


def names(paths: list[Path]) -> list[str]:
    """Return readable ids for parametrized tests."""
    return [path.stem for path in paths]


def test_every_util_has_a_floor() -> None:
    assert sorted(set(names(UTILS)) - set(LEVEL)) == []


@pytest.mark.parametrize("path", [path for path in UTILS if path.stem in LEVEL], ids=lambda path: path.stem)
def test_nothing_imports_upwards(path: Path) -> None:
    upwards = {name for name in neighbours(path) if LEVEL.get(name, LEVEL[path.stem]) < LEVEL[path.stem]}
    assert upwards == set()


def test_no_imports_in_a_ring() -> None:
    graph = {path.stem: neighbours(path) for path in UTILS}
    # Raises CycleError, with the ring in its text.
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", UTILS, ids=names(UTILS))
def test_each_library_is_known_in_one_place(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)}
    assert {library for library in libraries & set(ONLY_IN) if path.stem not in ONLY_IN[library]} == set()


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_leave_the_libraries_to_module_utils(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)}
    assert libraries & (set(ONLY_IN) - {"ansible"}) == set()


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_end_and_warn_in_words_that_can_be_shown(path: Path) -> None:
    # _options has fail, succeed and warn, which escape what a terminal would obey.
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert called & {"fail_json", "exit_json", "warn"} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda path: path.stem)
def test_plugins_begin_with_the_header(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    is_module = path in MODULES
    assert lines[0].startswith("#!") == is_module
    assert lines[is_module : is_module + len(HEADER)] == HEADER
    assert "from __future__ import annotations" in lines


def test_no_file_knows_a_registry_or_this_machine() -> None:
    found = []
    for path in project_files():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in FOREIGN_PATTERN.finditer(text)]
    assert found == []


def test_files_can_be_read_in_one_sitting() -> None:
    too_long = []
    for path in project_files():
        place = path.relative_to(ROOT)
        # go.sum is written by Go.
        if place.parts[0] in ("plugins", "tools", "tests") and path.suffix != ".sum":
            lines = path.read_bytes().count(b"\n")
            too_long += [f"{place}: {lines} lines"] if lines > MAX_LINES else []
    assert too_long == []


def test_sanity_ignores_nothing() -> None:
    lists = (ROOT / "tests" / "sanity").glob("ignore*.txt")
    assert [path.name for path in lists if path.read_text(encoding="utf-8").strip()] == []


def test_the_action_group_holds_the_modules_that_connect() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    fragment = "disaster_recovery.consul.connection"
    connecting = [path.stem for path in MODULES if fragment in path.read_text(encoding="utf-8")]
    assert runtime["action_groups"]["consul"] == connecting
