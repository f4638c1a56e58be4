# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of loopback for a server that has no network namespace of its own."""

from __future__ import annotations

import errno
import os
import random
import socket

from .._errors import BinaryError

HOST = "127.0.0.1"
FIRST_PORT, LAST_PORT = 20000, 32000
"""Below the range from which Linux serves outgoing connections."""
_ATTEMPTS = 1000


def free_port() -> int:
    """Return a port of loopback that nobody listens on, neither TCP nor UDP. It is not reserved.

    :raises BinaryError: none is free, or there is no loopback.
    """
    for _attempt in range(_ATTEMPTS):
        port = random.randint(FIRST_PORT, LAST_PORT)
        if is_free(port):
            return port
    raise BinaryError(f"no port of {HOST} is free", hint=f"See what listens on {HOST}: ss --listening --numeric.")


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of loopback, neither TCP nor UDP.

    :raises BinaryError: there is no loopback.
    """
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind((HOST, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise BinaryError(
                f"can't bind to {HOST}: {os.strerror(error.errno or 0)}", hint=f"Check whether {HOST} is up."
            ) from None
        return False
    return True
