# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying again, for faults that a further try may mend."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from .._errors import SnapshotError

Result = TypeVar("Result")

LONGEST_DELAY = 30.0


def with_retries(
    operation: Callable[[], Result],
    *,
    retries: int,
    delay: float,
    report: Callable[[SnapshotError], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Return what ``operation`` returns, trying it up to ``retries`` times more.

    :param delay: seconds before the first further try; doubled for each one after it.
    :param report: gets the error of each try that is followed by another.
    :raises SnapshotError: the last try failed too, or the error says that a further one is of no use.
    """
    for left in range(retries, -1, -1):
        try:
            return operation()
        except SnapshotError as error:
            if not error.retryable or not left:
                raise
            report(error)
            sleep(min(delay * 2 ** (retries - left), LONGEST_DELAY))
    raise AssertionError("the loop above returns or raises")
