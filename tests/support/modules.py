# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the collection, run the way Ansible runs them: a process, arguments on stdin, one JSON object on stdout.

``Runner`` gives each run a process of its own, forked from one in which the libraries are loaded already: that saves
most of a second each time. ``start`` begins with a new interpreter, which can be signalled and limited.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from env import places

COLLECTION = "ansible_collections.disaster_recovery.consul"
TIMEOUT = 60.0
PATIENCE = 5.0


class Outcome(NamedTuple):
    """How a module ended."""

    result: dict[str, Any]
    stdout: str
    stderr: str
    code: int

    @property
    def failed(self) -> bool:
        """Whether the module says that it failed."""
        return bool(self.result.get("failed"))

    @property
    def failure(self) -> dict[str, Any]:
        """The structured failure; empty when there is none."""
        return dict(self.result.get("failure") or {})


def interpreter() -> str:
    """The Python that modules run on: the one that the environment names, or this one."""
    return os.environ.get("MODULE_PYTHON") or sys.executable


def collections_root() -> Path:
    """Where the collection is imported from: installed, when the environment says where, or else this checkout."""
    for directory in filter(None, os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)):
        if places.collection_in(Path(directory)).is_dir():
            return Path(directory)
    return places.linked_tree()


def environment() -> dict[str, str]:
    """The environment of a module: this one's, without what it says about Consul."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSUL_")}
    return {**clean, "PYTHONPATH": str(collections_root())}


def arguments(*, check: bool = False, diff: bool = False, **options: Any) -> str:
    """Return what a module reads from stdin."""
    told = {**options, "_ansible_check_mode": check, "_ansible_diff": diff}
    return json.dumps({"ANSIBLE_MODULE_ARGS": told})


def command(module: str) -> list[str]:
    """Return the command that runs a module."""
    return [interpreter(), "-m", f"{COLLECTION}.plugins.modules.{module}"]


def start(module: str, *, limits: Sequence[str] = (), check: bool = False, **options: Any) -> subprocess.Popen[str]:
    """Start a module in a new interpreter and return the process; ``finish`` waits for it.

    :param limits: arguments for ``limits.py``, under which it runs.
    """
    limited = [interpreter(), str(Path(__file__).with_name("limits.py")), *limits] if limits else []
    process = subprocess.Popen(
        [*limited, *command(module)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdin is not None
    process.stdin.write(arguments(check=check, **options))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str]) -> Outcome:
    """Wait for a process of ``start`` and return how it ended."""
    try:
        stdout, stderr = process.communicate(timeout=TIMEOUT)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return outcome_of(stdout, stderr, process.returncode)


def outcome_of(stdout: str, stderr: str, code: int) -> Outcome:
    """Return the outcome for what a module printed; it must be one JSON object and nothing else."""
    try:
        result = json.loads(stdout)
    except ValueError:
        raise AssertionError(f"exit code {code}, not JSON:\n{stdout[-2000:]}\n{stderr[-4000:]}") from None
    return Outcome(result, stdout, stderr, code)


class Runner:
    """Runs modules one at a time, each in a process forked from a warm one; a context manager."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [interpreter(), str(Path(__file__).with_name("warm.py")), str(theirs.fileno()), COLLECTION],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,
            )
        ours.settimeout(TIMEOUT)
        self._channel = ours

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The warm process ends when nobody holds the other end any more.
        self._channel.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._kill()

    def run(self, module: str, *, check: bool = False, diff: bool = False, **options: Any) -> Outcome:
        """Run a module to its end."""
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(arguments(check=check, diff=diff, **options).encode())
            stdin.seek(0)
            name = f"{COLLECTION}.plugins.modules.{module}".encode()
            socket.send_fds(self._channel, [name], [stdin.fileno(), out.fileno(), err.fileno()])
            try:
                answer = self._channel.recv(16)
            except BaseException:
                self._kill()
                raise
            if not answer:
                raise AssertionError("the process that modules are forked from is gone")
            out.seek(0)
            err.seek(0)
            return outcome_of(out.read().decode(), err.read().decode(), int(answer))

    def _kill(self) -> None:
        """End the warm process and the module that it runs, which is in the same session."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
