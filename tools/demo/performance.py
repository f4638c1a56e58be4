# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run from the first line to the last: whatever happens in between, nothing is left behind."""

from __future__ import annotations

import io
import sys
import traceback
from contextlib import suppress

from lab import LabError

from .descendants import end_descendants
from .errors import DemoError
from .places import Places
from .screen import BAD, QUIET, TITLE, Screen
from .story import Story

DEFECT_LOG = "defect.log"


class Performance:
    """``prepare``, ``play``, ``close``; the last one always."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self._places: Places | None = None
        self._screen: Screen | None = None
        self._story: Story | None = None

    def prepare(self) -> None:
        """Make directories, look at the terminal."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        self._places = places = Places.make()
        self._screen = Screen(sys.stdout, places.logs / "demo.log")
        self._screen.shorten(places.work, "")
        self._story = Story(places, self._screen)

    def play(self) -> int:
        """Return 0 when everything is back, and 1 when it is not or something failed."""
        if not (self._places and self._screen and self._story):
            raise DemoError("not prepared")
        screen = self._screen
        screen.line("Consul clusters saved, lost, restored, rehearsed, upgraded and taken back: all of it real.", TITLE)
        screen.text(f"In {self._places.work}, which goes at the end. Ctrl-C ends it at any time.", QUIET)
        try:
            return 0 if self._story.play() else 1
        except (DemoError, LabError) as error:
            self._show(str(error))
        except Exception as error:
            (self._places.logs / DEFECT_LOG).write_text(traceback.format_exc(), encoding="utf-8")
            self._show(f"{type(error).__name__}: {error}\nSee {DEFECT_LOG}.")
        return 1

    def close(self) -> None:
        """End every process, keep the logs and what else is to be kept, remove the rest."""
        # A terminal that is gone must not keep anything from being ended.
        with suppress(OSError):
            if self._story:
                self._story.close()
        end_descendants()
        if not self._places:
            return
        try:
            kept = self._places.keep() if self._keep and self._places.backups.exists() else None
        finally:
            self._places.remove()
        if self._screen:
            with suppress(OSError):
                self._screen.line()
                if kept:
                    self._screen.text(f"Archives and rollback kit: {kept}", QUIET)
                self._screen.text(f"Logs: {self._places.logs}", QUIET)

    def _show(self, text: str) -> None:
        if self._screen:
            self._screen.line()
            for line in text.splitlines():
                self._screen.text(line, BAD)
