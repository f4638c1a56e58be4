# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes by pid: start, recognise and end them, never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

LAUNCH = Path(__file__).resolve().parent / "launch.py"


def spawn(
    command: Sequence[str], *, cwd: Path, log: Path, env: Mapping[str, str], detached: bool
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own (a Ctrl-C in the terminal is for us, not for it).

    Unless ``detached``, Linux ends it when the thread that called this ends, however that happens: call it from one
    that lives as long as the program shall.
    """
    if not detached:
        command = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), *command]
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            list(command),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def command_line(pid: int) -> str:
    """The command line of a process; empty when there is none (a zombie has none either)."""
    if Path("/proc/self/cmdline").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace")
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout


def is_running(pid: int | None, mark: str) -> bool:
    """Whether ``pid`` is a process with ``mark`` in its command line, and not a stranger who got that pid later."""
    return pid is not None and mark in command_line(pid)


def send(pid: int | None, mark: str, number: signal.Signals) -> None:
    """Signal a process, if it still is the one meant."""
    if pid is not None and is_running(pid, mark):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_gone(pid: int | None, mark: str, timeout: float) -> bool:
    """Wait until that process is gone; False when it still runs after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while is_running(pid, mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Hold back handled signals until the block is done.

    Between a fork and the note of its pid, an interrupt would make a process that nobody knows of.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    replaced = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in replaced:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
        for late in arrived:
            signal.raise_signal(late)
