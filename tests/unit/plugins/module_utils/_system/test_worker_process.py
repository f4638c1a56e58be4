# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in a process of its own: the same result as here, and whatever ends first, nothing hangs and none stays."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.archives import flipped
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError, SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot import reader as _archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import (
    read_archive,
    read_with,
    records_reader,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.worker_process import WorkerProcess

PIECE = b"x" * 100_000
MANY = 200  # twenty times what is under way at once


class Counting:
    """Adds up lengths, and does what it is told to on the way."""

    def __init__(self, *, at: int = -1, act: object = None) -> None:
        self.pieces = 0
        self.total = 0
        self._at = at
        self._act = act

    def put(self, piece: bytes) -> None:
        if self.pieces == self._at and callable(self._act):
            self._act()
        self.pieces += 1
        self.total += len(piece)

    def finish(self) -> int:
        return self.total


@pytest.fixture(autouse=True)
def no_process_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # What counts as long: less than elsewhere, so that these tests are short.
    monkeypatch.setattr(_archive, "_LONG", 1 << 20)
    yield
    assert multiprocessing.active_children() == []


def run(worker: Counting) -> int:
    with WorkerProcess(worker) as process:
        for _number in range(MANY):
            process.put(PIECE)
        return process.finish()


def test_the_work_is_done_elsewhere() -> None:
    worker = Counting()
    assert run(worker) == MANY * len(PIECE)
    assert worker.pieces == 0


class Hashing:
    """Takes its time, and says what it got."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def put(self, piece: bytes) -> None:
        time.sleep(0.0005)
        self._digest.update(piece)

    def finish(self) -> str:
        return self._digest.hexdigest()


def test_every_byte_arrives_however_often_a_signal_breaks_in() -> None:
    source, sent, rung = random.Random(7), hashlib.sha256(), []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        with WorkerProcess(Hashing()) as process:
            for _number in range(400):
                # Lengths next to those of pages, at which a write that is broken off ends.
                piece = source.randbytes(source.choice([1, 4091, 4096, 65_537, 300_001]))
                sent.update(piece)
                process.put(piece)
            received = process.finish()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rung
    assert received == sent.hexdigest()


def test_it_goes_on_from_what_was_done_here() -> None:
    worker = Counting()
    worker.put(b"12345")
    assert run(worker) == MANY * len(PIECE) + 5


@pytest.mark.parametrize("at", [0, MANY // 2, MANY - 1])
def test_what_the_worker_raises_is_told_by_place_alone(at: int) -> None:
    def fail() -> None:
        raise KeyError("a-secret-value")

    with pytest.raises(RuntimeError) as caught:
        run(Counting(at=at, act=fail))
    assert "KeyError at _system/test_worker_process.py:" in str(caught.value)
    assert "a-secret-value" not in str(caught.value)


@pytest.mark.parametrize("at", [0, MANY // 2, MANY - 1])
def test_killed_from_outside(at: int) -> None:
    with pytest.raises(SnapshotError, match="the process that reads the archive was killed"):
        run(Counting(at=at, act=lambda: os.kill(os.getpid(), signal.SIGKILL)))


def test_abandoned() -> None:
    def abandon() -> None:
        with WorkerProcess(Counting(at=0, act=lambda: time.sleep(60))) as process:
            process.put(PIECE)
            raise LookupError

    begun = time.monotonic()
    with pytest.raises(LookupError):
        abandon()
    assert time.monotonic() - begun < 10


def test_it_ends_when_the_parent_is_killed() -> None:
    read_end, write_end = os.pipe()
    parent = os.fork()
    if not parent:
        process = WorkerProcess(Counting())
        process.put(PIECE)
        os.write(write_end, str(multiprocessing.active_children()[0].pid).encode())
        time.sleep(60)
        os._exit(0)
    os.close(write_end)
    child = int(os.read(read_end, 100))
    os.close(read_end)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.05)


def test_a_program_that_never_came_to_close_it_ends_all_the_same() -> None:
    # As when a signal arrives between the beginning of the process and the with block.
    begun = "left = WorkerProcess(type('Worker', (), {'put': print})())"
    script = f"from {WorkerProcess.__module__} import WorkerProcess\n{begun}\n"
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path}, timeout=20, check=False
    )
    assert done.returncode == 0


def test_an_archives_error_comes_back_whole() -> None:
    class Broken(Counting):
        def finish(self) -> ArchiveError:  # type: ignore[override]
            return ArchiveError("a record is cut", fault="records", hint="don't", retryable=False, place=7)

    with WorkerProcess(Broken()) as process:
        process.put(b"x")
        error = process.finish()
    assert isinstance(error, ArchiveError)
    assert (error.message, error.fault, error.hint, error.retryable) == ("a record is cut", "records", "don't", False)
    assert error.as_failure() == {"kind": "archive", "hint": "don't", "fault": "records", "place": 7}


STATE = state_of([kv(f"app/{number}", random.Random(number).randbytes(30_000)) for number in range(60)])
LONG = archive_around(STATE)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor: there is no other process to compare with")
def test_an_archive_is_the_same_read_here_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    original = WorkerProcess.__init__

    def counted(self: WorkerProcess[object], *told: object) -> None:
        begun.append(1)
        original(self, *told)  # type: ignore[arg-type]

    monkeypatch.setattr(WorkerProcess, "__init__", counted)
    late = read_archive([LONG])
    assert len(begun) == 1
    with records_reader(ahead=True) as records:
        ahead = read_with(records, [LONG])
    assert len(begun) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    assert late == ahead == read_archive([LONG])
    assert len(begun) == 2


SPOILT = {
    "a record that is cut, sums put right": (archive_around(STATE[:-10]), "records"),
    "a byte that changed": (flipped(LONG, len(LONG) // 2), "gzip"),
    "an archive that is cut": (LONG[:-100], "truncated"),
}


@pytest.mark.parametrize(("spoilt", "fault"), SPOILT.values(), ids=SPOILT)
def test_a_fault_is_the_same_read_here_and_there(monkeypatch: pytest.MonkeyPatch, spoilt: bytes, fault: str) -> None:
    found = []
    for processors in ({0, 1}, {0}):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid, some=processors: some)
        with pytest.raises(ArchiveError) as caught:
            read_archive([spoilt])
        found.append((caught.value.fault, caught.value.message))
    assert found[0] == found[1]
    assert found[0][0] == fault
