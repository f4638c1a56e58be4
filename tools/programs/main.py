# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``tools/programs/get``: print the path of a program on stdout; everything else goes to stderr."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from consul import cache
from consul.cache import GetError, cache_directory, locked, say

from .packages import unpack


@dataclass(frozen=True)
class Program:
    """Where a program may come from: a variable, names on PATH, or a file of Debian's packages."""

    variable: str
    on_path: tuple[str, ...]
    packages: tuple[str, ...]
    files: tuple[str, ...]
    fonts: bool = False


PROGRAMS = {
    "chromium": Program(
        "CHROMIUM_BIN",
        ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome"),
        ("chromium-headless-shell", "fonts-inter", "fonts-dejavu-core"),
        ("usr/bin/chromium-headless-shell", "usr/lib/chromium/chromium-headless-shell"),
        fonts=True,
    ),
    "promtool": Program("PROMTOOL_BIN", ("promtool",), ("prometheus",), ("usr/bin/promtool",)),
}

# Fonts of ours and of the machine; a report asks for the system's own, which here is Inter.
FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{root}/font-cache</cachedir>
  <alias><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
  <alias><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


def runs(path: Path | str) -> bool:
    """Whether a program starts and says its version."""
    try:
        done = subprocess.run([str(path), "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def from_environment(program: Program) -> Path | None:
    """The program that the user names by its variable or has on PATH."""
    named = os.environ.get(program.variable)
    if named:
        path = shutil.which(named)
        if path is None or not runs(path):
            raise GetError(f"{program.variable}={named} does not run here: correct it or unset it.")
        return Path(path).absolute()
    found = (shutil.which(name) for name in program.on_path)
    return next((Path(path).absolute() for path in found if path and runs(path)), None)


def launcher_text(root: Path, binary: Path, libraries: list[Path], *, fonts: bool) -> str:
    """A shell script that starts a program out of its directory, with the libraries that lie beside it."""
    path = ":".join(map(str, libraries))
    lines = ["#!/bin/sh", f"export LD_LIBRARY_PATH={shlex.quote(path)}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"]
    lines += [f"export FONTCONFIG_FILE={shlex.quote(str(root / 'fonts.conf'))}"] if fonts else []
    return "\n".join([*lines, f'exec {shlex.quote(str(binary))} "$@"']) + "\n"


def make(name: str, program: Program, home: Path) -> Path:
    """Unpack a program into ``home`` and return its launcher, which has been seen to run."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    root = home / "root"
    with tempfile.TemporaryDirectory(prefix="disaster-recovery-consul-") as scratch:
        unpack(program.packages, Path(scratch), root)
    # A script in usr/bin would look for the rest below /usr.
    files = [root / file for file in program.files]
    binary = next((file for file in files if file.is_file() and file.read_bytes()[:4] == b"\x7fELF"), None)
    if binary is None:
        raise GetError(f"the packages {', '.join(program.packages)} hold none of {', '.join(program.files)}")
    libraries = sorted({path.parent for path in root.rglob("*.so*") if path.is_file()})
    if program.fonts:
        (root / "fonts.conf").write_text(FONTS_CONF.format(root=root), encoding="utf-8")
    launcher = home / f"{name}.partial"
    launcher.write_text(launcher_text(root, binary, libraries, fonts=program.fonts), encoding="utf-8")
    launcher.chmod(0o755)
    if not runs(launcher):
        raise GetError(f"{name} was unpacked, and does not run")
    launcher.rename(home / name)
    return home / name


def find(name: str) -> Path:
    """Return the path of a program, getting it if there is none yet."""
    program = PROGRAMS[name]
    there = from_environment(program)
    if there:
        return there
    home = cache_directory() / f"debian-{name}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with locked(home.parent / f"debian-{name}.lock", name):
        if runs(home / name):
            return home / name
        try:
            made = make(name, program, home)
        except GetError as error:
            raise GetError(f"{error}\n  Set {program.variable} to one that you have.") from error
    say(f"{name} is ready: {made}")
    return made


def main(arguments: list[str]) -> int:
    """Print the path; 2 for a wrong call, 1 when the program can't be had."""
    if len(arguments) != 1 or arguments[0] not in PROGRAMS:
        print(f"usage: tools/programs/get {'|'.join(PROGRAMS)}", file=sys.stderr)
        return 2
    cache.speaker = "tools/programs/get"
    # A terminated run must not leave apt behind: turn the signal into an exception, so that cleanup runs.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        print(find(arguments[0]))
    except GetError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 0
