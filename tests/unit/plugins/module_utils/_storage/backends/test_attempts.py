# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a request to a store is sent again, and when not."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.attempts import (
    Fault,
    attempt,
    wait_before,
)


class Odd(Exception):
    """What an SDK raises."""


def failing(times: int, kind: FailureKind = FailureKind.STORE_UNAVAILABLE, retry_after: float = 0.0) -> tuple:
    """Return an action that fails so often, its translation, and the list of attempts."""
    calls: list[int] = []

    def action() -> str:
        calls.append(len(calls))
        if len(calls) <= times:
            raise Odd("https://store/?sig=secret")
        return "done"

    def translate(error: Exception) -> Fault | None:
        return Fault(StoreError("no", kind=kind, retryable=True), retry_after) if isinstance(error, Odd) else None

    return action, translate, calls


def test_a_store_that_is_unavailable_for_a_moment() -> None:
    action, translate, calls = failing(2)
    pauses: list[float] = []
    assert attempt(action, translate, 3, pause=pauses.append) == "done"
    assert len(calls) == 3
    assert len(pauses) == 2
    assert 0.5 <= pauses[0] <= 0.75
    assert 1.0 <= pauses[1] <= 1.5


def test_it_gives_up_after_the_last_retry() -> None:
    action, translate, calls = failing(9)
    with pytest.raises(StoreError) as caught:
        attempt(action, translate, 3, pause=lambda _seconds: None)
    assert len(calls) == 4
    # What an SDK says may hold a signed URL.
    assert caught.value.__suppress_context__


def test_no_retries() -> None:
    action, translate, calls = failing(1)
    with pytest.raises(StoreError):
        attempt(action, translate, 0, pause=lambda _seconds: pytest.fail("waited"))
    assert len(calls) == 1


@pytest.mark.parametrize("kind", [FailureKind.STORE_EXISTS, FailureKind.STORE_DENIED, FailureKind.STORE])
def test_what_another_try_would_not_mend(kind: FailureKind) -> None:
    # store_exists is retryable for a save, which takes another name; not for the same request.
    action, translate, calls = failing(1, kind)
    with pytest.raises(StoreError):
        attempt(action, translate, 3, pause=lambda _seconds: pytest.fail("waited"))
    assert len(calls) == 1


def test_what_is_not_the_stores_is_raised_as_it_is() -> None:
    _action, translate, _calls = failing(0)

    def defect() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        attempt(defect, translate, 3, pause=lambda _seconds: pytest.fail("waited"))


def test_the_store_may_ask_for_a_longer_wait() -> None:
    action, translate, _calls = failing(1, retry_after=7.0)
    pauses: list[float] = []
    attempt(action, translate, 1, pause=pauses.append)
    assert pauses == [7.0]


@pytest.mark.parametrize(
    ("retry", "asked", "spread", "expected"),
    [(0, 0.0, 0.0, 0.5), (0, 0.0, 1.0, 0.75), (3, 0.0, 0.0, 4.0), (20, 0.0, 1.0, 30.0), (0, 9999.0, 0.0, 30.0)],
)
def test_waits_grow_and_end(retry: int, asked: float, spread: float, expected: float) -> None:
    assert wait_before(retry, asked, spread) == expected
