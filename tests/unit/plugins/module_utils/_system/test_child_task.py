# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task in a child process: the same items as here, and however it ends, nothing hangs and none stays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system import child_task
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.child_task import in_child

SECRET = "a value that nobody may see"


@pytest.fixture(autouse=True)
def no_process_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(child_task, "is_of_use", lambda: True)
    yield
    assert multiprocessing.active_children() == []


def pids() -> Iterator[int]:
    for _number in range(3):
        yield os.getpid()


def test_items_come_from_another_process() -> None:
    with in_child(pids) as items:
        found = list(items)

    assert len(found) == 3
    assert set(found).isdisjoint({os.getpid()})


def test_without_a_second_processor_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_task, "is_of_use", lambda: False)
    with in_child(pids) as items:
        assert list(items) == [os.getpid()] * 3


def test_more_than_the_pipe_holds() -> None:
    with in_child(lambda: iter([bytes(100_000)] * 50)) as items:
        assert sum(map(len, items)) == 5_000_000


def test_what_the_work_raises_is_told_by_its_place_alone() -> None:
    def work() -> Iterator[int]:
        yield 1
        raise ValueError(SECRET)

    with in_child(work) as items:
        assert next(items) == 1
        with pytest.raises(RuntimeError, match=r"^ValueError at .*test_child_task\.py:\d+$"):
            next(items)


def test_a_child_that_somebody_kills_is_noticed() -> None:
    def work() -> Iterator[int]:
        yield os.getpid()
        time.sleep(60)

    with in_child(work) as items:
        os.kill(next(items), signal.SIGKILL)
        with pytest.raises(SnapshotError, match="was killed"):
            next(items)


def test_leaving_early_ends_the_child() -> None:
    def work() -> Iterator[int]:
        yield os.getpid()
        time.sleep(60)

    with in_child(work) as items:
        pid = next(items)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
