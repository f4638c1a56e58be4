# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Become another program that dies with the one that started it. This file's text is run by ``python -c``.

``PARENT NOTE HOME LOOPBACK PROGRAM ARGUMENT…``: PARENT is a pid; the new program's own identity is written to NOTE
(empty: to nowhere) before it begins; LOOPBACK is ``up`` where a new network namespace needs its loopback. Without a
PROGRAM it is only tried whether all this works.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
import sys

_PR_SET_PDEATHSIG = 1
_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40
_LOOPBACK = b"lo"
_PROC = "/proc"
_KEPT = ("PATH", "LANG", "CONSUL_LICENSE", "CONSUL_LICENSE_PATH")
"""All that the program gets of our environment. Consul Enterprise does not start without its licence."""


def identity_of(pid: int) -> str | None:
    """Return what no other process has, ever: pid, start in ticks since boot, and the boot; None where there is none.

    A process that has ended and waits for its parent to notice is none, either.
    """
    try:
        with open(f"{_PROC}/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            # The second field is the program's name in brackets, and may hold anything.
            fields = stat.read().rpartition(")")[2].split()
        with open(f"{_PROC}/sys/kernel/random/boot_id", encoding="ascii") as boot:
            return None if fields[0] in ("Z", "X") else f"{pid} {fields[19]} {boot.read().strip()}"
    except (OSError, IndexError):
        return None


def bring_up_loopback() -> None:
    """Give a new network namespace its 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", _LOOPBACK, _IFF_UP | _IFF_RUNNING)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def main(arguments: list[str]) -> None:
    """Become the program."""
    parent, note, home, loopback, *command = arguments
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        # It was gone before the line above could tie us to it.
        raise SystemExit("the parent is gone")
    # A server's memory holds all the secrets of the archive.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if note:
        descriptor = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(identity_of(os.getpid()) or "")
    if loopback:
        bring_up_loopback()
    if not command:
        return
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    os.execve(command[0], command, {**kept, "HOME": home, "TMPDIR": home})


if __name__ == "__main__":
    main(sys.argv[1:])
