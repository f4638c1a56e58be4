# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time, CPU time and peak memory of one run of something, and whether the machine had time for it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

WORKER = Path(__file__).with_name("worker.py")
LAUNCHER = Path(__file__).with_name("launch.py")
SPINNER = Path(__file__).with_name("spin.py")

LIBC = ctypes.CDLL(None)
KCMP = {"x86_64": 312, "aarch64": 272}
"""The number of the system call that tells whether two processes share something, for which Python has no name."""
KCMP_VM = 1

TOO_BUSY = 1.15
"""From this on other programs took too much of the machine: a ratio of wall times says little then."""


class Run(NamedTuple):
    """Seconds of wall time, the largest resident size in KiB, and the CPU time of the whole process with its children.

    ``whole_seconds``: wall time with the start of the program, where ``seconds`` leaves that out.
    """

    seconds: float
    peak_kib: int
    cpu_seconds: float = 0.0
    whole_seconds: float | None = None


class Pair(NamedTuple):
    """Two things measured in turn, run by run.

    ``crowding``: how much longer than its CPU time a program takes that does nothing but compute, on each processor at
    once; 1.0 on a machine that is idle otherwise.
    """

    ours: list[Run]
    theirs: list[Run]
    crowding: float = 1.0

    @property
    def ratio(self) -> float:
        """The median of the ratios, pair by pair."""
        return statistics.median(a.seconds / b.seconds for a, b in zip(self.ours, self.theirs, strict=True))


def command(*words: str, environment: Mapping[str, str]) -> Run:
    """Run a command to its end and measure it as a whole process.

    :raises RuntimeError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-S", str(LAUNCHER), *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{words[0]} {words[1]} failed: {done.stderr[:500]}")
    return Run(**json.loads(done.stdout))


def ours(action: str, **arguments: Any) -> dict[str, Any]:
    """Do one thing with the collection's code in a fresh Python and return what the worker measured.

    :raises RuntimeError: it failed.
    """
    begun = time.monotonic()
    with (
        subprocess.Popen(
            [sys.executable, str(WORKER), action],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as worker,
        Children(worker.pid) as children,
    ):
        output, errors = worker.communicate(json.dumps(arguments))
    whole = time.monotonic() - begun
    if worker.returncode:
        raise RuntimeError(f"{action} failed: {errors[-1500:]}")
    answer: dict[str, Any] = json.loads(output)
    return {**answer, "whole_seconds": whole, "peak_kib": max(answer["peak_kib"], children.peak_kib)}


class Children:
    """Watches, again and again, how much memory a process has while it has children, theirs included (KiB; what they
    share with it is counted once)."""

    def __init__(self, pid: int) -> None:
        self.peak_kib = 0
        self._process = Path(f"/proc/{pid}")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Children:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            with contextlib.suppress(OSError):
                pids = {pid for task in self._process.glob("task/*/children") for pid in task.read_text().split()}
                own = sum(private_kib(Path(f"/proc/{pid}")) for pid in pids if not self._shares_all(int(pid)))
                self.peak_kib = max(self.peak_kib, own + resident_kib(self._process) if own else 0)

    def _shares_all(self, pid: int) -> bool:
        """Whether a child has this process's memory itself, as one of vfork has until it runs its program."""
        number = KCMP.get(os.uname().machine)
        return number is not None and LIBC.syscall(number, int(self._process.name), pid, KCMP_VM, 0, 0) == 0


def private_kib(process: Path) -> int:
    """Return what a process has in memory that it shares with no other, in KiB."""
    rows = (line.split() for line in (process / "smaps_rollup").read_text(encoding="ascii").splitlines())
    return sum(int(row[1]) for row in rows if row[0].startswith("Private_"))


def resident_kib(process: Path) -> int:
    """Return how much of a process is in memory, in KiB."""
    rows = (line.split() for line in (process / "smaps_rollup").read_text(encoding="ascii").splitlines())
    return next(int(row[1]) for row in rows if row[0] == "Rss:")


def in_turn(runs: int, one: Callable[[], Run], other: Callable[[], Run]) -> Pair:
    """Measure two things A B A B …, after one round that does not count."""
    one(), other()
    taken = [(crowding(), one(), other()) for _round in range(runs)]
    return Pair(
        ours=[first for _crowding, first, _second in taken],
        theirs=[second for _crowding, _first, second in taken],
        crowding=statistics.median(measured for measured, _first, _second in taken),
    )


def crowding() -> float:
    """Return how much longer than its CPU time computing takes now, with a program on each processor."""
    command_line = [sys.executable, "-S", str(SPINNER)]
    spinners = [
        subprocess.Popen(command_line, stdout=subprocess.PIPE, text=True) for _processor in range(os.cpu_count() or 1)
    ]
    return max(float(json.loads(spinner.communicate()[0])) for spinner in spinners)
