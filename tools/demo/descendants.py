# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that this one started, and those that they started: all of them can be found and ended."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.02


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends.

    Ansible's workers leave its session and process group; this way even they can't get out of sight.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> set[int]:
    """Return the pids of all living processes below this one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent, state = _parent_and_state(entry)
            if state != "Z":
                children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [os.getpid()]
    while waiting:
        below = children.get(waiting.pop(), [])
        found.update(below)
        waiting += below
    return found


def end_descendants(seconds: float = 10.0) -> bool:
    """SIGKILL all of them, until there are none; False when some are left after that time."""
    deadline = time.monotonic() + seconds
    while left := descendants():
        if time.monotonic() > deadline:
            return False
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _bury()
        time.sleep(_PAUSE)
    _bury()
    return True


def _parent_and_state(entry: Path) -> tuple[int, str]:
    try:
        # The name in parentheses may hold anything, a parenthesis too.
        state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        return 0, "Z"
    return int(parent), state


def _bury() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
