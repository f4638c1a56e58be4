# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and print its wall time, its CPU time and its peak memory as JSON.

A process of its own, and a small one: the kernel lets a child's peak begin at what its parent had in memory.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Run what the command line names; its stdout is dropped, its exit status is ours."""
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execvp(sys.argv[1], sys.argv[1:])
    _pid, status, usage = os.wait4(child, 0)
    seconds = time.monotonic() - begun
    cpu_seconds = usage.ru_utime + usage.ru_stime
    print(json.dumps({"seconds": seconds, "peak_kib": usage.ru_maxrss, "cpu_seconds": cpu_seconds}))
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
