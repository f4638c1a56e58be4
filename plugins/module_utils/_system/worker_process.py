# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on a stream in a process of its own, where there is a second processor for it.

Threads don't do: Python runs one at a time, and what takes longest here, record by record, is Python.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import mmap
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any, Generic, Protocol, TypeVar

from .._errors import SnapshotError, place_in_code

Made_co = TypeVar("Made_co", covariant=True)
Result = TypeVar("Result")

_SLOT = 1 << 18
_SLOTS = 4
"""A piece passes through memory that both processes see, in slots that are filled and emptied in turn: through a pipe
the kernel would copy it twice."""
_LENGTH = 4
"""Bytes that tell how much of a slot is filled."""


class Worker(Protocol[Made_co]):
    """Takes a stream piece by piece, and says in the end what came of it."""

    def put(self, piece: bytes) -> None:
        """Take the next piece, which is not empty."""

    def finish(self) -> Made_co:
        """Say that no more comes, and return the result."""


def is_of_use() -> bool:
    """Whether a process beside this one can be had, and would have a processor.

    Not with other threads about: a fork would copy the locks that they hold, with nobody to let go of them.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return affinity is not None and len(affinity(0)) > 1 and threading.active_count() == 1


class WorkerProcess(Generic[Result]):
    """A worker whose work is done in a child process; the worker that was given stays as it is.

    A few pieces may be under way between the two, so memory stays constant and the faster side waits for the slower.
    The child ends when this process does, however that comes about, because it reads to the end of a pipe. Used as a
    context manager it never leaves a process.
    """

    def __init__(self, worker: Worker[Result]) -> None:
        fork = multiprocessing.get_context("fork")
        self._slots = mmap.mmap(-1, _SLOT * _SLOTS)
        self._turn, self._empty = 0, _SLOTS
        # One pipe tells the child how much of the next slot is filled, another one tells this process what is empty.
        filled, self._filled = os.pipe()
        self._emptied, emptied = os.pipe()
        self._answer, answer = fork.Pipe(duplex=False)

        def work() -> None:
            # The child's copies of our ends: while it has them, it would not see us go.
            os.close(self._filled)
            os.close(self._emptied)
            self._answer.close()
            # What was there before the fork is never garbage here; to look through it would copy its memory.
            gc.freeze()
            _work(worker, _received(self._slots, filled, emptied), answer)

        # A daemon, in Python's word: this process does not wait for it when it ends without having closed it.
        self._process = fork.Process(target=work, daemon=True)
        self._process.start()
        os.close(filled)
        os.close(emptied)
        answer.close()

    def put(self, piece: bytes) -> None:
        """Hand one piece over; wait while too many are under way.

        :raises SnapshotError: the child was ended by somebody else.
        """
        try:
            for start in range(0, len(piece), _SLOT):
                self._fill(piece if len(piece) <= _SLOT else piece[start : start + _SLOT])
        except OSError as error:
            raise killed() from error

    def _fill(self, piece: bytes) -> None:
        """Put a piece into the next slot, once it is empty.

        :raises OSError: the child is gone.
        """
        if not self._empty:
            self._empty = len(os.read(self._emptied, _SLOTS))
            if not self._empty:
                raise BrokenPipeError
        begin = self._turn * _SLOT
        self._slots[begin : begin + len(piece)] = piece
        self._turn, self._empty = (self._turn + 1) % _SLOTS, self._empty - 1
        os.write(self._filled, len(piece).to_bytes(_LENGTH, "big"))

    def finish(self) -> Result:
        """Say that no more comes, wait, and return what the worker returned.

        :raises SnapshotError: the child was ended by somebody else. :raises RuntimeError: the worker raised something.
        """
        try:
            os.write(self._filled, bytes(_LENGTH))
            fault, result = self._answer.recv()
        except (OSError, EOFError) as error:
            raise killed() from error
        if fault is not None:
            raise RuntimeError(fault)
        return result

    def __enter__(self) -> WorkerProcess[Result]:
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._filled)
        os.close(self._emptied)
        self._answer.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        self._slots.close()


def killed() -> SnapshotError:
    """Return the error for a process that was killed while it read an archive."""
    return SnapshotError(
        "the process that reads the archive was killed",
        hint="The kernel kills processes when memory runs out; its log shows that. Free memory and run again.",
    )


def _received(slots: mmap.mmap, filled: int, emptied: int) -> Iterator[bytes]:
    """Yield the pieces that come, until the end is told; say of each slot that it is empty.

    :raises EOFError, OSError: the other side is gone.
    """
    for turn in itertools.cycle(range(_SLOTS)):
        # So few bytes are written and read at once, or not at all.
        told = os.read(filled, _LENGTH)
        if not told:
            raise EOFError
        size = int.from_bytes(told, "big")
        if not size:
            return
        piece = slots[turn * _SLOT : turn * _SLOT + size]
        os.write(emptied, b"\0")
        yield piece


def _work(worker: Worker[Any], pieces: Iterator[bytes], answer: Connection) -> None:
    # A signal to the whole group is for the parent to answer, and one to this process ends it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    # Either means that the parent is gone, and nobody waits.
    with contextlib.suppress(EOFError, OSError):
        answer.send(_outcome(worker, pieces))


def _outcome(worker: Worker[Any], pieces: Iterator[bytes]) -> tuple[str | None, Any]:
    try:
        for piece in pieces:
            worker.put(piece)
        return None, worker.finish()
    except (EOFError, OSError):
        raise
    except Exception as error:
        # The parent must not wait for somebody to take the rest. What the error says is left out: it may hold a value.
        for piece in pieces:
            del piece
        return fault_of(error), None


def fault_of(error: Exception) -> str:
    """Return the type of an error and its place in the code; what it says is left out, because it may hold a value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {place_in_code(trace.tb_frame.f_code.co_filename, trace.tb_lineno)}" if trace else ""
    return f"{type(error).__name__}{place}"
