# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection says that it needs, as ansible-builder understands it, beside what its files import."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.modules import collections_root

from env import artifact, places

NAME = f"{places.NAMESPACE}.{places.NAME}"
# Ansible itself, and what it brings.
ANSIBLE = {"ansible", "ansible_collections", "jinja2"}
BACKENDS = "plugins/module_utils/_storage/backends"
# Which files import what only some users need; all others make do with what everybody installs.
FILES_OF = {
    "s3": f"{BACKENDS}/s3*.py",
    "gcs": f"{BACKENDS}/gcs*.py",
    "azure": f"{BACKENDS}/azure*.py",
    "sealing": "plugins/module_utils/_storage/sealing/pyrage_filter.py",
    "speed": "plugins/module_utils/_snapshot/gzip_tar.py",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of collections with this one, built and installed as users get it."""
    root = collections_root()
    if not (collection(root) / "MANIFEST.json").exists():
        root = tmp_path_factory.mktemp("installed")
        artifact.install(root)
    return root


@functools.cache
def introspect(root: Path, user_pip: Path | None = None) -> dict[str, list[str]]:
    """Return what ansible-builder would install: ``python`` and ``system``, line by line, without its comments."""
    more = ["--user-pip", str(user_pip)] if user_pip else []
    command = [str(Path(sys.executable).with_name("ansible-builder")), "introspect", "-v1", str(root), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer = yaml.safe_load(done.stdout)
    return {kind: [line.split("  #")[0] for line in lines] for kind, lines in answer.items()}


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names of other people's modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top = name.partition(".")[0]
            if top not in sys.stdlib_module_names and top not in ANSIBLE:
                yield name


def file_of(name: str) -> Path:
    """Return the file of the module that a dotted name is, or is in."""
    while True:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            spec = None
        if spec and spec.origin:
            return Path(spec.origin).resolve()
        name, dot, _last = name.rpartition(".")
        assert dot, f"{name} is not installed here"


def names_of(lines: Iterable[str]) -> dict[str, Requirement]:
    """Return requirements by their names in one spelling."""
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def brought_by(names: Iterable[str]) -> dict[Path, str]:
    """Return the files that pip installs with these packages, each with the one of these that brings it."""
    found: dict[Path, str] = {}
    for asked in names:
        waiting, seen = [asked], set()
        while waiting:
            name = canonicalize_name(waiting.pop())
            if name in seen:
                continue
            seen.add(name)
            distribution = importlib.metadata.distribution(name)
            for file in distribution.files or []:
                found.setdefault(Path(str(distribution.locate_file(file))).resolve(), asked)
            for line in distribution.requires or []:
                requirement = Requirement(line)
                if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
                    waiting.append(requirement.name)
    return found


def collection(root: Path) -> Path:
    return places.collection_in(root)


def optional_files(root: Path) -> dict[str, list[Path]]:
    found = {name: sorted(collection(root).glob(pattern)) for name, pattern in FILES_OF.items()}
    assert all(found.values()), found
    return found


def test_what_everybody_installs_is_what_the_other_files_import(installed: Path) -> None:
    optional = {path for paths in optional_files(installed).values() for path in paths}
    everywhere = set(collection(installed).rglob("plugins/**/*.py")) - optional
    imports = {name for path in everywhere for name in imported(path)}
    needed = names_of(introspect(installed)["python"])
    files = brought_by(needed)
    assert sorted(name for name in imports if file_of(name) not in files) == []
    # None in vain, and none of the heavy ones.
    assert {files[file_of(name)] for name in imports} == set(needed) == {"requests", "msgpack"}


@pytest.mark.parametrize("feature", FILES_OF)
def test_each_feature_lists_what_its_files_import(installed: Path, feature: str) -> None:
    path = collection(installed) / "requirements" / f"{feature}.txt"
    core = names_of(introspect(installed)["python"])
    both = names_of(introspect(installed, path)["python"])
    added = {name: requirement for name, requirement in both.items() if name not in core}
    assert added
    files = brought_by([*core, *added])
    imports = {name for path in optional_files(installed)[feature] for name in imported(path)}
    assert sorted(name for name in imports if file_of(name) not in files) == []
    owners = {files[file_of(name)] for name in imports}
    # A package that is asked for by its own name is imported; its dependencies come along.
    assert {name for name in added if name not in owners} == set()
    assert owners <= set(both)


def test_no_file_of_requirements_is_of_no_feature(installed: Path) -> None:
    listed = {path.stem for path in (collection(installed) / "requirements").iterdir()}
    assert listed == set(FILES_OF)


@pytest.mark.parametrize("pinned", ["runtime.txt", "stores.txt", "floor.txt"])
def test_the_versions_of_the_tests_are_allowed(installed: Path, pinned: str) -> None:
    asked = names_of(introspect(installed)["python"])
    for feature in FILES_OF:
        asked |= names_of(introspect(installed, collection(installed) / "requirements" / f"{feature}.txt")["python"])
    lines = (places.REQUIREMENTS / pinned).read_text(encoding="utf-8").splitlines()
    versions = names_of(line for line in lines if line[:1].isalpha())
    together = asked.keys() & versions.keys()
    assert len(together) >= 3
    for name in together:
        (version,) = versions[name].specifier
        assert asked[name].specifier.contains(version.version), (name, version.version)


def test_the_programs_that_the_distribution_brings(installed: Path, tmp_path: Path) -> None:
    lines = introspect(installed)["system"]
    path = tmp_path / "bindep.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    bindep = [str(Path(sys.executable).with_name("bindep")), "-f", str(path), "-l", "newline"]
    told = subprocess.run([*bindep, "--profiles"], capture_output=True, text=True, check=True, timeout=60).stdout
    listed = subprocess.run(bindep, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    sealing = subprocess.run([*bindep, "sealing"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "age" not in listed
    assert "age" in sealing.split()
    if "platform:dpkg" in told:
        assert set(listed) == {"openssh-client", "tzdata"}
    elif "platform:rpm" in told:
        assert set(listed) == {"openssh-clients", "tzdata"}
