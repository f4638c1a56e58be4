# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as its users get it: built, then installed by ansible-galaxy: ``python -m env.artifact DIRECTORY``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from env import places


def copy(root: Path) -> Path:
    """Copy this checkout to where Ansible wants a collection to be, below ``root``, and return that place.

    What git ignores stays behind; what is new and not yet added comes along.
    """
    target = places.collection_in(root)
    shutil.rmtree(target, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=places.CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        source = places.CHECKOUT / name
        # A file that is deleted but not yet removed from the index is listed, too.
        if source.is_symlink() or source.exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)
    return target


def build(directory: Path) -> None:
    """Build the artifact for Galaxy into a directory."""
    with tempfile.TemporaryDirectory() as work:
        _galaxy("build", "--force", "--output-path", str(directory), str(copy(Path(work))))


def install(directory: Path) -> None:
    """Build the collection, and install it below a directory."""
    with tempfile.TemporaryDirectory() as work:
        build(Path(work))
        artifacts = map(str, Path(work).glob("*.tar.gz"))
        _galaxy("install", "--offline", "--no-deps", "-p", str(directory), *artifacts)


def _galaxy(*arguments: str) -> None:
    command = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"ansible-galaxy collection {arguments[0]} failed:\n{done.stdout}")


if __name__ == "__main__":
    install(Path(sys.argv[1]))
