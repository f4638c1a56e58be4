# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operation notes along the way, so that a result has it whether the operation ends well or not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .._errors import SnapshotError

TOTAL = "total"


class Journal:
    """What one run of an operation notes for its result. It is the only thing that an operation fills along the way.

    ``attempts``: the message of each attempt that failed and was followed by another. ``duration``: seconds by phase,
    with their sum as ``total``. ``shown``: what a result has to show although the operation may not come to its end.
    ``state``: what is known of the cluster's content, for an operation that replaces it.
    """

    def __init__(self, warn: Callable[[str], None] = lambda text: None) -> None:
        """:param warn: shows a text to the user at once."""
        self.warn = warn
        self.attempts: list[str] = []
        self.duration: dict[str, float] = {TOTAL: 0.0}
        self.shown: dict[str, Any] = {}
        self.state: str | None = None

    def again(self, error: SnapshotError) -> None:
        """Note an attempt that failed and is followed by another."""
        self.attempts.append(error.message)
        self.warn(f"trying again: {error.message}")

    def show(self, result: Mapping[str, Any], *, warnings: Iterable[str] = ()) -> None:
        """Note parts of the result, and show warnings to the user at once."""
        self.shown.update(result)
        for text in warnings:
            self.warn(text)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a phase, in seconds; a phase that is entered again adds to what it took before."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.duration[name] = round(self.duration.get(name, 0.0) + time.monotonic() - begun, 3)
            self.duration[TOTAL] = round(sum(v for k, v in self.duration.items() if k != TOTAL), 3)
