# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback kit carried out to the letter: the commands in its ROLLBACK.md, pasted into a shell block by block."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lab import Server
from lab.server import clean_environment

FENCE = re.compile(r"^ {0,3}(`{3,})(.*)$")
DATA_DIR = "DATA_DIR=/opt/consul\n"
"""The one line in a kit that its reader must change."""

# A stand-in for systemd: it ends the server itself, and leaves the start to the test.
SYSTEMCTL = """#!/bin/sh
echo "$@" >> "{calls}"
[ "$1" = stop ] || exit 0
kill {pid}
while grep -q . /proc/{pid}/cmdline 2>/dev/null; do sleep 0.05; done
"""


class Step:
    """A step of a kit: its ``title``, its ``text``, and its ``blocks`` of commands in order."""

    def __init__(self, title: str, lines: list[str]) -> None:
        self.title = title
        self.text = "\n".join(lines)
        self.blocks = blocks_of(lines)


class Kit:
    """A kit, as somebody reads it who has never seen one."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.text = (directory / "ROLLBACK.md").read_text(encoding="utf-8")
        archives = [*directory.glob("*.snap")]
        assert len(archives) <= 1
        # A kit whose archive is in a store has none.
        self.archive = archives[0] if archives else directory
        self.steps: dict[int, Step] = {}
        title, lines, fenced = "", [], False
        for line in self.text.splitlines():
            fenced ^= bool(FENCE.match(line))
            if line.startswith("## ") and not fenced:
                self._note(title, lines)
                title, lines = line[3:], []
            lines.append(line)
        self._note(title, lines)
        assert list(self.steps) == list(range(1, len(self.steps) + 1)), "the steps are numbered"

    def step(self, number: int) -> Step:
        """Return the step of this number."""
        return self.steps[number]

    @property
    def blocks(self) -> list[str]:
        """All blocks of commands."""
        return [block for step in self.steps.values() for block in step.blocks]

    def _note(self, title: str, lines: list[str]) -> None:
        number = title.partition(".")[0]
        if number.isdigit():
            self.steps[int(number)] = Step(title, lines)


class Shell:
    """A shell in a terminal: what a block exports, and where it goes, is there for the next one."""

    def __init__(self, home: Path, programs: Path, **environment: str) -> None:
        """``programs`` is a directory with the ``consul`` of this machine, first on its PATH."""
        self.cwd = home
        self._state = home / "environment"
        # The tests' own Ansible is found behind them.
        path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {**clean_environment(), **environment, "PATH": path}

    def run(self, block: str, *typed: str, code: int | None = 0) -> str:
        """Paste a block, type lines that it asks for, and return what it prints; None lets it end with any code."""
        # Variables that are only set last as long as the terminal does, exported or not.
        script = f"set -a\n{block}\nended=$?\npwd > {self._state}.cwd\nenv -0 > {self._state}\nexit $ended\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.cwd,
            env=self._environment,
            input="".join(f"{line}\n" for line in typed),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert code in (None, done.returncode), f"{block}\nended with {done.returncode}:\n{done.stdout}"
        pairs = self._state.read_text(encoding="utf-8").split("\0")[:-1]
        self._environment = dict(pair.split("=", 1) for pair in pairs)
        self._state.unlink()
        self.cwd = Path(Path(f"{self._state}.cwd").read_text(encoding="utf-8").rstrip("\n"))
        return done.stdout


def blocks_of(lines: list[str]) -> list[str]:
    """Return what stands in fenced blocks, as Markdown reads them; every one must be closed, and is for a shell."""
    found: list[str] = []
    fence, block = "", []
    for line in lines:
        match = FENCE.match(line)
        if match and not fence:
            fence, block = match.group(1), []
            assert match.group(2) == "shell", line
        elif match and len(match.group(1)) >= len(fence) and not match.group(2).strip():
            found.append("\n".join(block))
            fence = ""
        elif fence:
            block.append(line)
    assert not fence, "a block of commands is not closed"
    return found


def machine(directory: Path, consul: Path, server: Server | None = None) -> Path:
    """Make the programs of one machine, and return their directory: this Consul, and a systemctl for its server."""
    directory.mkdir(exist_ok=True)
    program = directory / "consul"
    program.unlink(missing_ok=True)
    program.symlink_to(consul)
    if server is not None:
        systemctl = directory / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(calls=directory / "systemctl.calls", pid=server.pid), encoding="utf-8")
        systemctl.chmod(0o755)
    return directory


def asked_of_systemd(directory: Path) -> list[str]:
    """Return what systemctl was called with on a machine."""
    path = directory / "systemctl.calls"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def listed_peers(printed: str) -> dict[str, str]:
    """Return the ids of the servers that ``list-peers`` printed, by name."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in printed.splitlines()]
    start = next(number for number, row in enumerate(rows) if row[:2] == ["Node", "ID"])
    return {row[0]: row[1] for row in rows[start + 1 :] if len(row) > 2}


def documented_peers(step: Step) -> dict[str, str]:
    """Return the ids of the servers that a step says it must print, by name."""
    return dict(re.findall(r"^\* `+ ?(.*?) ?`+, id `([^`]*)`, address", step.text, flags=re.MULTILINE))


def in_place(block: str, values: Mapping[str, str]) -> str:
    """Return a block with what its reader must change changed; each must be in it."""
    for old, new in values.items():
        assert old in block, f"{old} is not in\n{block}"
        block = block.replace(old, new)
    return block
