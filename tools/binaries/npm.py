# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs for Node.js, with all that they need, in the versions that a lock file pins."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from .cache import GetError, run, say, tail

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class FromNpm:
    """Install what ``<directory>/package-lock.json`` names beside the target, with a launcher for ``file`` of it."""

    directory: str
    file: str

    def __call__(self, scratch: Path, target: Path) -> None:
        tools = {name: shutil.which(name) for name in ("node", "npm")}
        for name, path in tools.items():
            if path is None:
                raise GetError(f"there is no {name} here")
        root, log = target.parent, scratch / "npm.log"
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / self.directory / name, root / name)
        say(f"npm installs {self.directory} into {root} (usually under a minute)")
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", f"--cache={scratch / 'cache'}"]
        if run([str(tools["npm"]), "ci", *options], what="installing", cwd=root, log=log) != 0:
            raise GetError(f"npm could not install {self.directory}:\n{tail(log)}")
        target.write_text(launcher_text(str(tools["node"]), root / self.file), encoding="utf-8")
        target.chmod(0o755)


def launcher_text(node: str, program: Path) -> str:
    """A shell script that runs a program with Node.js."""
    return f'#!/bin/sh\nexec {shlex.quote(node)} {shlex.quote(str(program))} "$@"\n'
