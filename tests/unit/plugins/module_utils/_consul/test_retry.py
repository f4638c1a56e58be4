# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults are tried again, how often, and after how long."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.retry import LONGEST_DELAY, with_retries
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ClusterError, SnapshotError


class Trial:
    """An operation that fails with the given errors, one a call, and then succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.reported: list[str] = []
        self.slept: list[float] = []

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def run(self, *, retries: int, delay: float = 1.0) -> str:
        return with_retries(self, retries=retries, delay=delay, report=self.note, sleep=self.slept.append)

    def note(self, error: SnapshotError) -> None:
        self.reported.append(error.message)


def mendable(number: int) -> ClusterError:
    """Return an error that a further try may mend."""
    return ClusterError(f"no leader {number}")


def test_what_works_is_done_once() -> None:
    trial = Trial()

    assert trial.run(retries=3) == "done"
    assert (trial.calls, trial.reported, trial.slept) == (1, [], [])


def test_each_further_try_is_reported_and_waited_for_twice_as_long() -> None:
    trial = Trial(mendable(1), mendable(2), mendable(3))

    assert trial.run(retries=3, delay=0.5) == "done"
    assert trial.reported == ["no leader 1", "no leader 2", "no leader 3"]
    assert trial.slept == [0.5, 1.0, 2.0]


def test_the_last_error_is_raised_and_not_reported() -> None:
    trial = Trial(mendable(1), mendable(2), mendable(3))
    with pytest.raises(ClusterError, match="no leader 3"):
        trial.run(retries=2)

    assert trial.reported == ["no leader 1", "no leader 2"]
    assert len(trial.slept) == 2


def test_no_retries_means_one_try() -> None:
    trial = Trial(mendable(1))
    with pytest.raises(ClusterError, match="no leader 1"):
        trial.run(retries=0)

    assert (trial.calls, trial.slept) == (1, [])


@pytest.mark.parametrize("error", [SnapshotError("of no use"), ValueError("a defect"), KeyboardInterrupt()], ids=repr)
def test_what_a_further_try_cannot_mend_is_raised_at_once(error: BaseException) -> None:
    trial = Trial(error)
    with pytest.raises(type(error)) as caught:
        trial.run(retries=3)

    assert caught.value is error
    assert (trial.calls, trial.slept) == (1, [])


def test_nobody_waits_longer_than_the_longest_delay() -> None:
    trial = Trial(*(mendable(number) for number in range(10)))

    trial.run(retries=10, delay=8)
    assert trial.slept[:4] == [8, 16, LONGEST_DELAY, LONGEST_DELAY]
    assert max(trial.slept) == LONGEST_DELAY
