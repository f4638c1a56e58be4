# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a module: the run unwinds, and what is under way is cleared away."""

from __future__ import annotations

import signal
import sys
from typing import Any, NoReturn

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Interrupted(BaseException):
    """The run was told to end by a signal; raised so that what is under way is cleared away."""


def install_signal_handlers() -> None:
    """Make SIGTERM, SIGHUP and SIGINT unwind the module instead of ending it with its partial files left behind.

    Only the first signal does so: a further one would interrupt the clearing away.
    """

    def interrupt(number: int, _frame: Any) -> NoReturn:
        ignore_signals()
        # An object of a library that was only half made may raise when it is freed; nobody can use that message (seen
        # on Python 3.13).
        sys.unraisablehook = lambda unraisable: None
        raise Interrupted(number)

    for number in _ENDING:
        signal.signal(number, interrupt)


def ignore_signals() -> None:
    """Let no further signal interrupt what is left to do, such as printing the result."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
