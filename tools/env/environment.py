# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a virtual environment once per set of requirements and print its path: ``python3 -m env.environment main``.

The path goes to stdout, everything else to stderr. Exit code 3: this machine has no Python for that environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from env import places, pythons

NO_PYTHON = 3


class EnvironmentFailure(Exception):
    """The environment can't be made; the text says what to do."""


@dataclass(frozen=True)
class Recipe:
    """What an environment is for and which Pythons will do, the best first; ``own``: rather the machine's python3."""

    purpose: str
    versions: list[pythons.Version]
    own: bool = False


CONTROLLER = [(3, 11), (3, 12), (3, 13)]
RECIPES = {
    "main": Recipe("tests on ansible-core 2.19, linters, documentation", CONTROLLER, own=True),
    "newest": Recipe("tests on the newest ansible-core", [(3, 14), (3, 13), (3, 12)]),
    "floor": Recipe("modules on the oldest Python, requests and msgpack", [(3, 9)]),
    "importer": Recipe("the checks of Galaxy itself", CONTROLLER, own=True),
}


def interpreter(recipe: Recipe) -> pythons.Python | None:
    """Return the interpreter to build the environment with."""
    own = pythons.ask("python3") if recipe.own else None
    return own if own and own.version in recipe.versions else pythons.first(recipe.versions)


def requirement_files(path: Path) -> list[Path]:
    """Return the file and all that it includes."""
    files = [path]
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("-r ", "-c ")):
            files += requirement_files(path.parent / line[3:].strip())
    return files


def key(name: str, python: pythons.Python) -> str:
    """Return a digest that changes when the environment must be built anew."""
    digest = hashlib.sha256(f"{python.path} {python.full_version}".encode())
    for file in requirement_files(places.REQUIREMENTS / f"{name}.txt"):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


def build(name: str, python: pythons.Python, directory: Path) -> None:
    """Make the environment with venv and pip, nothing else."""
    shutil.rmtree(directory, ignore_errors=True)
    _run([python.path, "-m", "venv", str(directory)], "python's venv module is missing: install it (python3-venv)")
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    requirements = str(places.REQUIREMENTS / f"{name}.txt")
    _run([*pip, "-r", requirements], "pip could not install the requirements: does it reach its package index?")


def ensure(name: str) -> Path:
    """Return the environment's directory, made now if there is none for these requirements."""
    recipe = RECIPES[name]
    python = interpreter(recipe)
    if python is None:
        wanted = " or ".join("{}.{}".format(*version) for version in recipe.versions)
        raise LookupError(f"{name} ({recipe.purpose}): this machine has no Python {wanted}")
    directory = places.cache() / "env" / f"{name}-{key(name, python)}"
    ready = directory / ".ready"
    if ready.exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{directory}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            began = time.monotonic()
            _say(f"making {name} ({recipe.purpose}) with Python {python.full_version}: a minute, once")
            build(name, python, directory)
            ready.touch()
            _say(f"{name} is ready after {time.monotonic() - began:.0f} s")
    return directory


def _run(command: list[str], hint: str) -> None:
    # What calls us may have a PYTHONPATH, of no use to the interpreter that is to be set up here.
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean, check=False)
    if done.returncode:
        raise EnvironmentFailure(f"{done.stdout.strip()}\n{hint}")


def _say(text: str) -> None:
    print(f"env: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Print the path of the one environment that is asked for."""
    if len(arguments) != 1 or arguments[0] not in RECIPES:
        print(f"usage: python3 -m env.environment {'|'.join(RECIPES)}", file=sys.stderr)
        return 2
    try:
        print(ensure(arguments[0]))
    except LookupError as error:
        print(f"left out: {error}", file=sys.stderr)
        return NO_PYTHON
    except EnvironmentFailure as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
