# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Become another program with less: ``limits.py [--no-rights] [--no-chown] [--file-size BYTES] PROGRAM ARGUMENT…``.

A program of its own rather than a hook between fork and exec, because such hooks are unsafe where there are threads.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import tempfile

NO_RIGHTS, NO_CHOWN, FILE_SIZE = "--no-rights", "--no-chown", "--file-size"
_PR_CAPBSET_DROP = 24
_CAP_CHOWN, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 0, 1, 2


def give_up(*capabilities: int) -> None:
    """Do without them even as root, from the next exec on. Other users don't have them anyway."""
    if os.geteuid() == 0:
        for capability in capabilities:
            if ctypes.CDLL(None, use_errno=True).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise OSError(ctypes.get_errno(), "can't give up a capability")


def can_give_up_rights() -> bool:
    """Whether that works here."""
    with tempfile.NamedTemporaryFile() as secret:
        os.chmod(secret.name, 0)
        command = [sys.executable, __file__, NO_RIGHTS, "cat", secret.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return "Permission denied" in done.stderr


def main(arguments: list[str]) -> None:
    """Apply what is named and go on as the program."""
    while arguments and arguments[0].startswith("--"):
        option = arguments.pop(0)
        if option == NO_RIGHTS:
            give_up(_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH)
        elif option == NO_CHOWN:
            give_up(_CAP_CHOWN)
        elif option == FILE_SIZE:
            limit = int(arguments.pop(0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        else:
            raise SystemExit(f"limits.py: unknown option {option}")
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
