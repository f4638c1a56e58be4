# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is told to end: it unwinds, and what is cleared away on the way complains to nobody."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.interrupts import (
    Interrupted,
    ignore_signals,
    install_signal_handlers,
)

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class HalfMade:
    """Like an answer of http.client that a signal caught inside its constructor."""

    def __del__(self) -> None:
        raise AttributeError("it has no fp yet")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave signals and hooks as they were."""
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    kept = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING)
def test_it_unwinds_without_noise(number: signal.Signals, capfd: pytest.CaptureFixture[str]) -> None:
    install_signal_handlers()
    cleaned = []
    half_made = HalfMade()
    try:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), number)
    finally:
        cleaned.append(True)
    del half_made
    assert cleaned
    assert capfd.readouterr().err == ""


def test_otherwise_it_would_be_heard(capfd: pytest.CaptureFixture[str]) -> None:
    install_signal_handlers()
    half_made = HalfMade()
    del half_made
    assert "it has no fp yet" in capfd.readouterr().err


@pytest.mark.parametrize("number", ENDING)
def test_a_further_signal_does_not_interrupt_the_clearing_away(number: signal.Signals) -> None:
    install_signal_handlers()
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", ENDING)
def test_what_is_done_can_be_printed(number: signal.Signals) -> None:
    install_signal_handlers()
    ignore_signals()
    os.kill(os.getpid(), number)
