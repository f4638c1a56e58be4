# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time and peak memory of one run of something."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

WORKER = Path(__file__).with_name("worker.py")
LAUNCHER = Path(__file__).with_name("launch.py")


class Run(NamedTuple):
    """Seconds of wall time, and the largest resident size in KiB."""

    seconds: float
    peak_kib: int


class Pair(NamedTuple):
    """Two things measured in turn, run by run."""

    ours: list[Run]
    theirs: list[Run]

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
    if worker.returncode:
        raise RuntimeError(f"{action} failed: {errors[-1500:]}")
    answer: dict[str, Any] = json.loads(output)
    return {**answer, "peak_kib": max(answer["peak_kib"], children.peak_kib)}


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
                own = sum(private_kib(Path(f"/proc/{pid}")) for pid in pids)
                self.peak_kib = max(self.peak_kib, own + resident_kib(self._process) if own else 0)


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
    taken = [(one(), other()) for _round in range(runs)]
    return Pair([first for first, _other in taken], [second for _one, second in taken])
