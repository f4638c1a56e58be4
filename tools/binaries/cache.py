# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all ways to a program share: the cache, its lock, and running a long command that shows life."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HEARTBEAT = 15.0


class GetError(Exception):
    """The program can't be had; the text says why."""


def say(text: str) -> None:
    """Tell the person; stdout belongs to the path alone."""
    print(f"tools/binaries/get: {text}", file=sys.stderr, flush=True)


def cache_directory() -> Path:
    """Where programs are kept: outside the source tree, so that cleaning the tree does not cost a build."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "disaster_recovery.consul"


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the cache's lock for one thing; the kernel drops it when the holder dies."""
    with path.open("a", encoding="utf-8") as handle:
        began = said = time.monotonic()
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                now = time.monotonic()
                if said == began or now - said >= HEARTBEAT:
                    say(f"waiting for another run that is getting {what} ({now - began:.0f} s)")
                    said = now
                time.sleep(0.5)
        yield


def run(command: Sequence[str | Path], *, what: str, cwd: Path, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Run a command with its output in ``log`` and a line every few seconds; return its exit status.

    It runs in a session of its own, so that all its children can be ended with it, whatever ends this run; that
    includes the end of whoever called us, who can't be waiting for the result any more.
    """
    caller = os.getppid()
    began = said = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    return process.wait(0.5)
                except subprocess.TimeoutExpired:
                    now = time.monotonic()
                if os.getppid() != caller:
                    raise GetError("the program that asked for this has ended")
                if now - said >= HEARTBEAT:
                    say(f"{what}: {now - began:.0f} s so far")
                    said = now
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for an error message."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (no output)"
