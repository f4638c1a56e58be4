# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees: steps, what they gave, how long they took; in colour on a terminal that wants it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

PLAIN_WIDTH = 110
GOOD, BAD, QUIET, TITLE = "32", "31", "2", "1"


class Screen:
    """Writes to a stream, and the same without colour to a file."""

    def __init__(self, stream: TextIO, transcript: Path, *, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._stream: TextIO | None = stream
        self._transcript = transcript
        self._terminal = stream.isatty() and environment.get("TERM") != "dumb"
        self._coloured = self._terminal and not environment.get("NO_COLOR")
        self._passing = ""
        self._steps = 0
        self._shortened: dict[str, str] = {}

    @property
    def width(self) -> int:
        """How long a line may be."""
        return min(shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns, 120) if self._terminal else PLAIN_WIDTH

    def shorten(self, path: Path, name: str) -> None:
        """From now on show ``name`` in place of this directory's path."""
        self._shortened[f"{path}/"] = f"{name}/" if name else ""

    def step(self, title: str) -> None:
        """Begin a step."""
        self._steps += 1
        self.line()
        for line in self._wrapped(title, f"{self._steps:>2}  ", " " * 8):
            self.line(line, TITLE)

    def text(self, text: str, colour: str = "") -> None:
        """Write a paragraph below the step."""
        for line in self._wrapped(text, " " * 4, " " * 4):
            self.line(line, colour)

    def line(self, line: str = "", colour: str = "") -> None:
        """Write one line as it is."""
        self.passing("")
        with self._transcript.open("a", encoding="utf-8") as handle:
            handle.write(f"{line}\n")
        self._write((f"\033[{colour}m{line}\033[0m" if colour and self._coloured else line) + "\n")

    def passing(self, text: str) -> None:
        """Show what goes on until the next call takes its place; on a terminal only."""
        if self._terminal and text != self._passing:
            self._passing = text
            self._write("\r\033[K" + (f"    {text}"[: self.width - 1] if text else ""))

    def _wrapped(self, text: str, first: str, then: str) -> list[str]:
        for old, new in self._shortened.items():
            text = text.replace(old, new)
        # Paths have to stay whole, so that they can be copied.
        return textwrap.wrap(
            text,
            self.width,
            initial_indent=first,
            subsequent_indent=then,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # Nobody reads any more. The end of this process must not stumble over that when it tidies up.
            self._stream = None
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise
