# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python interpreters this machine has: those on PATH and those that pyenv keeps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int]

SEEN_BY_ANSIBLE_TEST = [(3, minor) for minor in range(9, 16)]
# Called from within an environment, python3 is the environment's own: the interpreter beneath it is what counts.
SHOW = """
import os, sys
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))
print(*sys.version_info[:3], sep=".")
"""


@dataclass(frozen=True)
class Python:
    """An interpreter that was seen to start."""

    path: str
    full_version: str

    @property
    def version(self) -> Version:
        """Return major and minor version."""
        major, minor = self.full_version.split(".")[:2]
        return int(major), int(minor)


def ask(path: str) -> Python | None:
    """Return what the interpreter says of itself; None when it does not run, as pyenv's shims of unused versions."""
    try:
        done = subprocess.run([path, "-c", SHOW], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    path, full_version = done.stdout.splitlines()
    return Python(path=path, full_version=full_version)


def kept_by_pyenv(version: Version) -> list[str]:
    """Return pyenv's interpreters of that version, the newest first, wherever its root is."""
    on_path = map(Path, os.environ.get("PATH", "").split(os.pathsep))
    roots = {Path.home() / ".pyenv", *(place.parent for place in on_path if place.name == "shims")}
    found = [path for root in roots for path in root.glob("versions/{}.{}.*/bin/python".format(*version))]
    return list(map(str, sorted(found, key=_numbers, reverse=True)))


def find(version: Version) -> Python | None:
    """Return an interpreter of that version, one on PATH rather than one of pyenv's."""
    on_path = shutil.which("python{}.{}".format(*version))
    for candidate in [*filter(None, [on_path]), *kept_by_pyenv(version)]:
        found = ask(candidate)
        if found and found.version == version:
            return found
    return None


def first(versions: list[Version]) -> Python | None:
    """Return an interpreter of the first of these versions that this machine has."""
    return next(filter(None, map(find, versions)), None)


def link_all(directory: Path) -> None:
    """Fill a directory with ``pythonX.Y`` links to interpreters that run; ansible-test trusts whatever is on PATH."""
    directory.mkdir(parents=True, exist_ok=True)
    for version in SEEN_BY_ANSIBLE_TEST:
        link = directory / "python{}.{}".format(*version)
        found = find(version)
        if found and link.is_symlink() and os.readlink(link) == found.path:
            continue
        link.unlink(missing_ok=True)
        if found:
            link.symlink_to(found.path)


def _numbers(path: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", path.parents[1].name)]
