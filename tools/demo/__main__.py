# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the demonstration: ``make demo``. Exit codes: 0 everything is back, 1 it is not, 130 interrupted."""

from __future__ import annotations

import os
import signal
import sys
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
    """Set the stage, let it play, tidy up."""
    # Only now: what is imported takes a moment, in which a signal may come, too.
    from lab.process import deferred_interrupts

    from .descendants import adopt_orphans
    from .performance import Performance

    adopt_orphans()
    performance = Performance(keep=os.environ.get("DEMO_KEEP") == "1")
    try:
        with deferred_interrupts():
            performance.prepare()
        return performance.play()
    finally:
        ignore()
        performance.close()


if __name__ == "__main__":
    for one in SIGNALS:
        # Whoever started us with nohup wants us to go on.
        if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN:
            signal.signal(one, interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
