# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a request to a store is sent again, and how long to wait before that."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from ..._errors import FailureKind, StoreError

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
"""Seconds."""


class Fault(NamedTuple):
    """What an exception of an SDK means. ``retry_after``: seconds that the store asked to wait, 0 where it did not."""

    error: StoreError
    retry_after: float = 0.0


Translate = Callable[[Exception], "Fault | None"]
"""Returns None for what does not come from the store: that is raised as it is."""


def wait_before(retry: int, asked: float, spread: float) -> float:
    """Return the seconds to wait before a retry: twice as long each time, at least what the store asked for.

    :param retry: 0 for the first one. :param spread: 0 to 1, so that clients don't come back all at once.
    """
    return min(max(_FIRST_WAIT * 2.0**retry * (1.0 + spread / 2.0), asked), _LONGEST_WAIT)


def attempt(
    action: Callable[[], T], translate: Translate, retries: int, *, pause: Callable[[float], None] = time.sleep
) -> T:
    """Do something that may be done again, until it succeeds, fails for good, or was retried often enough.

    :raises StoreError: as ``translate`` says; of the last attempt.
    """
    for retry in range(retries + 1):
        try:
            return action()
        except Exception as error:
            fault = translate(error)
            if fault is None:
                raise
            # store_exists is retryable too, but by another name.
            if fault.error.kind is not FailureKind.STORE_UNAVAILABLE or not fault.error.retryable or retry == retries:
                # The SDK's exception may hold a URL with its signature.
                raise fault.error from None
        pause(wait_before(retry, fault.retry_after, random.random()))
    raise AssertionError("the last attempt returns or raises")
