# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines, and work that no signal breaks off."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.signals import (
    TimedOut,
    deadline,
    uninterrupted,
)


def test_a_deadline_breaks_off_what_waits() -> None:
    begun = time.monotonic()
    with pytest.raises(TimedOut), deadline(0.05):
        time.sleep(10)
    assert time.monotonic() - begun < 5


def test_a_deadline_that_is_kept_leaves_nothing() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with deadline(5):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_what_must_not_be_broken_off_is_finished_first() -> None:
    seen = []

    def work() -> None:
        with uninterrupted():
            time.sleep(1)
            seen.append("all of it")
        seen.append("more than that")

    with pytest.raises(TimedOut), deadline(0.5):
        work()
    assert seen == ["all of it"]


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_have_no_signals() -> None:
    seen = []

    def work() -> None:
        with uninterrupted():
            seen.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
