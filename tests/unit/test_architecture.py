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
PLUGINS = "ansible_collections.disaster_recovery.consul.plugins"
UTILS = ROOT / "plugins" / "module_utils"
UNIT_TESTS = ROOT / "tests" / "unit"
ACTIONS = sorted((ROOT / "plugins" / "action").glob("[!_]*.py"))
# A module that an action does is its documentation, and nothing else.
DOCUMENTED_ONLY = [ROOT / "plugins" / "modules" / path.name for path in ACTIONS]
ALL_MODULES = sorted((ROOT / "plugins" / "modules").glob("[!_]*.py"))
MODULES = [path for path in ALL_MODULES if path not in DOCUMENTED_ONLY]
UTIL_FILES = sorted(path for path in UTILS.rglob("*.py") if path.stem != "__init__")
CONTROLLER_FILES = sorted(
    path for kind in ("plugin_utils", "filter", "action") for path in (ROOT / "plugins" / kind).glob("*.py")
)

# Which folder of module_utils may import which others, beside itself and the two files at its root. The folders'
# docstrings say what each one holds. Modules stand above all of them.
MAY_IMPORT = {
    "_errors": set(),
    "_times": {"_errors"},
    "_model": set(),
    "_system": set(),
    "_consul": {"_model"},
    "_snapshot": {"_model", "_system"},
    "_compare": {"_model", "_snapshot"},
    "_storage": {"_model", "_system", "_snapshot"},
    "_sandbox": {"_model", "_system", "_consul"},
    "_operations": {"_model", "_system", "_consul", "_snapshot", "_compare", "_storage", "_sandbox"},
    "_ansible": {"_model", "_system", "_consul", "_snapshot", "_compare", "_storage", "_sandbox", "_operations"},
}
AT_THE_ROOT = {"_errors", "_times"}

# Folders of one folder that don't know each other.
APART = [("_operations/restore", "_operations/rehearse"), ("_operations/rehearse", "_operations/restore")]

# What reaches beyond the process. Plugins of the controller decide and format; they import nothing that acts.
ACTING = {"_system", "_sandbox", "_ansible"}
ACTING_FILES = {
    *("_consul/client", "_consul/transport", "_consul/cluster", "_consul/agents", "_consul/readiness"),
    "_consul/peerings",
    *("_storage/sealing/age", "_storage/sealing/programs", "_storage/sealing/pyrage_filter", "_storage/sealing/tools"),
    *("_storage/sealing/signatures", "_storage/sealing/permissions"),
    *("_storage/store", "_storage/catalogue", "_storage/manifest_file", "_storage/archive_file"),
    *("_storage/archive_source", "_storage/local_copy", "_storage/trust"),
    *("_storage/new_archive", "_storage/opening", "_storage/backends/local"),
    *("_storage/backends/gcs", "_storage/backends/gcs_client", "_storage/backends/gcs_upload"),
    *("_storage/backends/azure", "_storage/backends/azure_client", "_storage/backends/azure_upload"),
    *("_operations/capture", "_operations/proof", "_operations/describe", "_operations/diff", "_operations/sealing"),
    *("_operations/copy/run", "_operations/copy/passing", "_operations/copy/candidates", "_operations/store_check"),
    *("_operations/save/run", "_operations/save/preflight", "_operations/save/destination", "_operations/save/publish"),
    *("_operations/restore/look", "_operations/restore/prove", "_operations/restore/run", "_operations/restore/send"),
    *("_operations/restore/safety_archive", "_operations/rehearse/run", "_operations/report/textfile"),
}

# Libraries that one place alone may know, so that a change of mind stays small.
ONLY_IN = {
    "ansible": {"_ansible/runner"},
    "requests": {"_consul/client", "_consul/transport"},
    "urllib3": {"_consul/client", "_consul/transport"},
    "msgpack": {"_snapshot/records/stream"},
    "isal": {"_snapshot/gzip_tar"},
    "pyrage": {"_storage/sealing/pyrage_filter"},
    "google": {"_storage/backends/gcs_client", "_storage/backends/gcs_upload"},
    "google_crc32c": {"_storage/backends/gcs_values"},
    "azure": {f"_storage/backends/{name}" for name in ("azure", "azure_client", "azure_upload")},
    "boto3": {"_storage/backends/s3_client"},
    "botocore": {"_storage/backends/s3_client"},
}

# Covered by tests with real servers, or through the files beside them.
ONLY_ON_REAL_SERVERS = {
    "_operations/copy/candidates",
    "_operations/copy/passing",
    "_operations/restore/prove",
    "_operations/restore/run",
    "_operations/restore/send",
    "_operations/save/run",
    "_operations/store_check",
    "_sandbox/server",
    # What a store does, as a type; the same tests hold each of them to it.
    "_storage/protocol",
    # tests/integration/stores holds each backend to the same contract.
    "_storage/backends/azure",
    "_storage/backends/azure_upload",
    "_storage/backends/gcs",
    "_storage/backends/gcs_upload",
    "_storage/backends/s3",
    "_storage/backends/s3_bucket",
    "_storage/backends/s3_client",
    "_storage/backends/s3_probes",
    "_storage/backends/s3_reading",
    "_storage/backends/s3_upload",
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


def place_of(path: Path) -> str:
    """Return ``_snapshot/reader`` for a file of module_utils."""
    return path.relative_to(UTILS).with_suffix("").as_posix()


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file of plugins imports, wherever in it."""
    package = [PLUGINS, *path.relative_to(ROOT / "plugins").parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*above, node.module]))
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


def neighbours(path: Path) -> set[str]:
    """Return the files of module_utils that a file imports, such as ``_snapshot/reader``."""
    prefix = f"{PLUGINS}.module_utils."
    places = {name[len(prefix) :].replace(".", "/") for name in imported(path) if name.startswith(prefix)}
    return places & {place_of(one) for one in UTIL_FILES}


def top_of(place: str) -> str:
    """Return the folder that a file of module_utils is in, or its own name at the root."""
    return place.split("/", maxsplit=1)[0]


def project_files() -> list[Path]:
    """Return every file that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in sorted(set(listed.split("\0"))) if name and (ROOT / name).is_file()]


def names(paths: list[Path]) -> list[str]:
    """Return readable ids for parametrized tests."""
    return [path.stem for path in paths]


def test_the_table_names_every_folder() -> None:
    assert {top_of(place_of(path)) for path in UTIL_FILES} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", UTIL_FILES, ids=place_of)
def test_folders_import_what_the_table_allows(path: Path) -> None:
    own = top_of(place_of(path))
    others = {top_of(place) for place in neighbours(path)} - {own}
    allowed = MAY_IMPORT[own] | (AT_THE_ROOT if own not in AT_THE_ROOT else set())
    assert others - allowed == set()


@pytest.mark.parametrize(("folder", "other"), APART)
def test_folders_that_stay_apart(folder: str, other: str) -> None:
    found = {place for path in (UTILS / folder).glob("*.py") for place in neighbours(path)}
    assert {place for place in found if place.startswith(f"{other}/")} == set()


def test_no_imports_in_a_ring() -> None:
    graph = {place_of(path): neighbours(path) for path in UTIL_FILES}
    # Raises CycleError, with the ring in its text.
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("folder", sorted({path.parent for path in UTIL_FILES} - {UTILS}), ids=lambda path: path.name)
def test_every_folder_says_what_it_holds(folder: Path) -> None:
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert "Promises:" in said


@pytest.mark.parametrize("path", CONTROLLER_FILES, ids=lambda path: path.stem)
def test_the_controllers_code_imports_pure_code_only(path: Path) -> None:
    acting = {place for place in neighbours(path) if top_of(place) in ACTING or place in ACTING_FILES}
    assert acting == set()


def test_the_files_that_act_exist() -> None:
    assert ACTING_FILES - {place_of(path) for path in UTIL_FILES} == set()


@pytest.mark.parametrize("path", UTIL_FILES, ids=place_of)
def test_each_library_is_known_in_one_place(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)}
    assert {library for library in libraries & set(ONLY_IN) if place_of(path) not in ONLY_IN[library]} == set()


@pytest.mark.parametrize("path", UTIL_FILES, ids=place_of)
def test_unit_tests_mirror_the_tree(path: Path) -> None:
    folder, name = (UNIT_TESTS / path.relative_to(ROOT)).parent, path.stem.lstrip("_")
    has_tests = (folder / f"test_{name}.py").exists()
    assert has_tests != (place_of(path) in ONLY_ON_REAL_SERVERS)


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_leave_the_libraries_to_module_utils(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imported(path)}
    assert libraries & set(ONLY_IN) == set()


@pytest.mark.parametrize("path", DOCUMENTED_ONLY, ids=names(DOCUMENTED_ONLY))
def test_a_module_that_an_action_does_has_no_code(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assigned = [ast.unparse(node.targets[0]) for node in body if isinstance(node, ast.Assign)]
    assert assigned == ["DOCUMENTATION", "EXAMPLES", "RETURN"]
    # And the future import.
    assert len(body) == len(assigned) + 1


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_are_run_by_the_runner(path: Path) -> None:
    # It reports signals and defects, warnings, failed attempts and timings in one way.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    (main,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
    assert [ast.unparse(line).partition("(")[0] for line in main.body] == ["run_module"]


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_modules_end_and_warn_in_words_that_can_be_shown(path: Path) -> None:
    # The runner does that, and escapes what a terminal would obey.
    called = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    ending = {name for name in called if name.rpartition(".")[2] in ("fail_json", "exit_json", "warn")}
    assert ending - {"run.warn"} == set()


@pytest.mark.parametrize("path", sorted((ROOT / "plugins").rglob("*.py")), ids=lambda path: path.stem)
def test_plugins_begin_with_the_header(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    is_module = path in ALL_MODULES
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
        # These are written by Go and npm.
        if place.parts[0] in ("plugins", "tools", "tests") and path.name not in ("go.sum", "package-lock.json"):
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
