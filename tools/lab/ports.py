# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free ports on loopback."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

LOOPBACK = "127.0.0.1"

# Below the range that systems hand out to outgoing connections, so that a stopped server finds its port free again.
FIRST, LAST = 10000, 31999

_range = range(FIRST, LAST + 1)
_given: set[int] = set()
_lock = threading.Lock()
# Not the shared generator: a test that seeds it must not make two runs choose the same ports.
_random = random.SystemRandom()


@dataclass(frozen=True)
class Ports:
    """The ports of one server."""

    http: int
    https: int
    grpc_tls: int
    server: int
    serf_lan: int
    serf_wan: int

    def to_dict(self) -> dict[str, int]:
        """For a state file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, int]) -> Ports:
        """From a state file."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})


def keep_to(part: int, parts: int) -> None:
    """Give out ports of one part of the range alone, the first one being 0.

    A stopped server's ports look free to other processes. Processes that work side by side keep to parts of their own.
    """
    global _range
    size = (LAST + 1 - FIRST) // parts
    _range = range(FIRST + part * size, FIRST + (part + 1) * size)


def free_port() -> int:
    """A port that nobody listens on, neither TCP nor UDP, and that this process has not given out before."""
    with _lock:
        for _attempt in range(1000):
            port = _random.choice(_range)
            if port not in _given and _is_free(port):
                _given.add(port)
                return port
    raise OSError(f"no free port between {_range[0]} and {_range[-1]} on {LOOPBACK}")


def free_ports() -> Ports:
    """Ports for one server."""
    return Ports(**{field.name: free_port() for field in fields(Ports)})


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True
