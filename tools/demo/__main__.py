# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the demonstration: ``make demo``. Exit codes: 0 everything is back, 1 it is not, 130 interrupted.

With DEMO_KEEP=1 the archives and the rollback kit are kept. Whatever happens, nothing else is left behind.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from contextlib import ExitStack
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
INTERRUPTED = 130


def interrupt(number: int, frame: FrameType | None) -> None:
    """End the run in good order; a second signal must not disturb that."""
    ignore()
    raise KeyboardInterrupt


def ignore() -> None:
    """From now on nothing interrupts."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    """Set the stage, let the story play, tidy up."""
    # Only now: what is imported takes a moment, in which a signal may come, too.
    from lab.process import deferred_interrupts

    from .descendants import adopt_orphans, end_descendants
    from .places import Places
    from .screen import Screen
    from .story import Story

    adopt_orphans()
    # Called in reverse order at the end.
    with ExitStack() as at_the_end:
        with deferred_interrupts():
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="replace")
            places = Places.make()
            at_the_end.callback(places.remove)
            screen = Screen(sys.stdout, places.logs / "demo.log")
            story = Story(places, screen)
            at_the_end.callback(story.farewell, keep=os.environ.get("DEMO_KEEP") == "1")
            at_the_end.callback(end_descendants)
            at_the_end.callback(story.close)
            at_the_end.callback(ignore)
        return story.play()


if __name__ == "__main__":
    for one in SIGNALS:
        # Whoever started us with nohup wants us to go on.
        if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN:
            signal.signal(one, interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
