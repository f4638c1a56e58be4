# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on a stream beside the thread that reads it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Result = TypeVar("Result")

WAITING = 4 << 20
"""Bytes that may wait between the two sides, beside one piece."""


class _BoundedByBytes(queue.Queue["bytes | None"]):
    """A queue that is full by the length of what is in it; pieces may be small or large."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._weight = 0

    def _qsize(self) -> int:
        return self._weight

    def _put(self, item: bytes | None) -> None:
        super()._put(item)
        self._weight += _weight_of(item)

    def _get(self) -> bytes | None:
        item = super()._get()
        self._weight -= _weight_of(item)
        return item


def _weight_of(piece: bytes | None) -> int:
    return 1 + len(piece or b"")


class WorkerThread(Generic[Result]):
    """Runs ``work(pieces)`` in a thread of its own, on pieces that ``put`` hands over.

    At most WAITING bytes wait between the two, so memory stays constant and the faster side waits for the slower. What
    ``work`` raises is raised by the next ``put`` or by ``finish``. Used as a context manager it never leaves a thread.
    """

    def __init__(self, work: Callable[[Iterator[bytes]], Result]) -> None:
        self._pieces: queue.Queue[bytes | None] = _BoundedByBytes(WAITING)
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._abandoned = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def put(self, piece: bytes) -> None:
        """Hand one piece over; wait while too many are under way."""
        if self._error is not None:
            raise self._error
        self._pieces.put(piece)

    def finish(self) -> Result:
        """Say that no more comes, wait, and return what ``work`` returned."""
        self._pieces.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # the work has returned by now, whatever it returns

    def __enter__(self) -> WorkerThread[Result]:
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._thread.is_alive():
            self._abandoned = True
            self._pieces.put(None)
            self._thread.join()

    def _run(self, work: Callable[[Iterator[bytes]], Result]) -> None:
        try:
            self._result = work(self._incoming())
        except BaseException as error:  # handed over whole to the thread that waits for it
            self._error = error
        finally:
            self._drain()

    def _incoming(self) -> Iterator[bytes]:
        while True:
            piece = self._pieces.get()
            self._ended = piece is None
            if piece is None or self._abandoned:
                return
            yield piece

    def _drain(self) -> None:
        # However the work ended, the other side may be waiting to put. It learns of an error at its next call. The end
        # comes only once.
        while not self._ended:
            self._ended = self._pieces.get() is None
