# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps: announced, timed, and remembered for the closing table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .screen import BAD, GOOD, TITLE, Screen


@dataclass
class Step:
    """A step on its way: its name in the closing table, what it gave in a word, and what is to be said of it."""

    name: str
    word: str = "done"
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def say(self, text: str) -> None:
        """Note what is to be shown when the step has ended."""
        self.said.append(text)


class Steps:
    """All steps of a run."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.all: list[Step] = []

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[Step]:
        """Announce a step, time it, and show what it gave."""
        step = Step(name)
        self.screen.step(title)
        began = time.monotonic()
        try:
            yield step
        except KeyboardInterrupt:
            self._ended(step, began, "interrupted", BAD)
            raise
        except BaseException:
            self._ended(step, began, "FAILED", BAD)
            raise
        self._ended(step, began, step.word, GOOD)
        self.all.append(step)

    def table(self) -> list[str]:
        """Return the closing table: each step and how long it took."""
        total = sum(step.seconds for step in self.all)
        rows = [(step.name, step.word, f"{step.seconds:.1f}") for step in self.all]
        rows.append(("all", "", f"{total:.1f}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return [f"{name:<{widths[0]}}  {word:<{widths[1]}}  {time_:>{widths[2]}} s" for name, word, time_ in rows]

    def heading(self, text: str) -> None:
        """Begin a part that is no step."""
        self.screen.line()
        self.screen.line(text, TITLE)

    def _ended(self, step: Step, began: float, word: str, colour: str) -> None:
        step.seconds = time.monotonic() - began
        self.screen.text(f"{word}, {step.seconds:.1f} s", colour)
        for text in step.said:
            self.screen.text(text)
