# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports that a throwaway server may take."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import BinaryError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox import ports

KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


@pytest.fixture(params=KINDS)
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port that somebody has taken, for one of both protocols."""
    with socket.socket(socket.AF_INET, KINDS[request.param]) as other:
        other.bind((ports.HOST, 0))
        if request.param == "tcp":
            other.listen()
        yield other.getsockname()[1]


def test_a_port_that_somebody_has_is_not_free(taken: int) -> None:
    assert not ports.is_free(taken)


def test_a_free_port_can_be_taken() -> None:
    port = ports.free_port()
    assert ports.FIRST_PORT <= port <= ports.LAST_PORT
    for kind in KINDS.values():
        with socket.socket(socket.AF_INET, kind) as own:
            own.bind((ports.HOST, port))


def test_a_taken_port_is_passed_over(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ports.free_port()
    drawn = [taken, taken, other]
    monkeypatch.setattr(random, "randint", lambda low, high: drawn.pop(0))
    assert ports.free_port() == other


def test_it_gives_up(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "randint", lambda low, high: taken)
    with pytest.raises(BinaryError, match=r"no port of 127\.0\.0\.1 is free"):
        ports.free_port()


def test_without_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    # An address that no host has.
    monkeypatch.setattr(ports, "HOST", "192.0.2.1")
    with pytest.raises(BinaryError, match=r"can't bind to 192\.0\.2\.1: Cannot assign requested address"):
        ports.free_port()
