# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work beside a stream: whatever ends first, nothing hangs and no thread stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.worker_thread import (
    WAITING,
    WorkerThread,
)

PIECE = bytes(WAITING // 20)
MANY = 50  # more than may wait between the two


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def within(seconds: float, act: Callable[[], object]) -> None:
    """Fail, rather than hang, when ``act`` does not end."""
    raised: list[BaseException] = []

    def caught() -> None:
        try:
            act()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=caught, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    if raised:
        raise raised[0]


def run(work: Callable[[Iterator[bytes]], object], pieces: int, *, stop_at: int | None = None) -> list[object]:
    results: list[object] = []

    def act() -> None:
        with WorkerThread(work) as thread:
            for number in range(pieces):
                if number == stop_at:
                    raise KeyError("the stream broke off")
                thread.put(PIECE)
            results.append(thread.finish())

    within(10, act)
    return results


def counting(pieces: Iterator[bytes]) -> int:
    return sum(map(len, pieces)) // len(PIECE)


def failing_at(number: int) -> Callable[[Iterator[bytes]], object]:
    def work(pieces: Iterator[bytes]) -> object:
        for _piece in range(number):
            next(pieces)
        raise ValueError("not this")

    return work


def failing_at_the_end(pieces: Iterator[bytes]) -> object:
    raise ValueError(f"cut after {counting(pieces)}")


@pytest.mark.parametrize("pieces", [0, 1, MANY])
def test_result(pieces: int) -> None:
    assert run(counting, pieces) == [pieces]


@pytest.mark.parametrize("pieces", [0, 1, 8, 9, MANY])
def test_work_that_fails_at_once(pieces: int) -> None:
    with pytest.raises(ValueError, match="not this"):
        run(failing_at(0), pieces)


def test_work_that_fails_midway() -> None:
    with pytest.raises(ValueError, match="not this"):
        run(failing_at(MANY // 2), MANY)


@pytest.mark.parametrize("pieces", [0, 1, MANY])
def test_work_that_fails_at_the_end(pieces: int) -> None:
    with pytest.raises(ValueError, match=f"cut after {pieces}"):
        run(failing_at_the_end, pieces)


@pytest.mark.parametrize("work", [counting, failing_at(0), failing_at(3), failing_at_the_end])
@pytest.mark.parametrize("stop_at", [0, 1, MANY - 1])
def test_a_stream_that_breaks_off(work: Callable[[Iterator[bytes]], object], stop_at: int) -> None:
    # Of the two errors either may be seen first.
    with pytest.raises((KeyError, ValueError)):
        run(work, MANY, stop_at=stop_at)


def test_a_stream_of_uneven_pieces_that_breaks_off() -> None:
    begin = threading.Event()

    def work(pieces: Iterator[bytes]) -> int:
        begin.wait(20)
        return counting(pieces)

    def act() -> None:
        with WorkerThread(work) as thread:
            # A small piece makes too little room when it is taken: as much as may wait is behind it already.
            for size in (1, WAITING - 4, WAITING):
                thread.put(bytes(size))
            threading.Timer(0.2, begin.set).start()
            raise KeyError("the stream broke off")

    with pytest.raises(KeyError):
        within(10, act)


def test_work_that_wants_no_more() -> None:
    assert run(lambda pieces: len(next(pieces)), MANY) == [len(PIECE)]


@pytest.mark.parametrize("size", [1 << 12, 1 << 17])
def test_so_many_bytes_wait_and_no_more(size: int) -> None:
    begin, handed = threading.Event(), []

    def work(pieces: Iterator[bytes]) -> int:
        begin.wait(20)
        return sum(map(len, pieces))

    def feed() -> None:
        with WorkerThread(work) as thread:
            for _number in range(3 * WAITING // size):
                thread.put(bytes(size))
                handed.append(size)
            assert thread.finish() == sum(handed)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    deadline = time.monotonic() + 20
    while sum(handed) < WAITING - size:
        assert time.monotonic() < deadline, "too little may wait"
        time.sleep(0.01)
    time.sleep(0.2)
    assert sum(handed) <= WAITING + size
    begin.set()
    feeder.join(20)
    assert sum(handed) == 3 * WAITING
