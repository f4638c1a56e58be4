# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run notes along the way."""

from __future__ import annotations

import time

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ClusterError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal


def test_phases_are_measured_and_summed_up_also_when_one_fails() -> None:
    journal = Journal()
    with journal.phase("verify"):
        time.sleep(0.02)

    @journal.phase("restore")
    def fails() -> None:
        time.sleep(0.02)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert journal.duration["verify"] >= 0.02
    assert journal.duration["restore"] >= 0.02
    assert journal.duration["total"] == pytest.approx(journal.duration["verify"] + journal.duration["restore"])


def test_a_phase_that_is_entered_again_adds_up() -> None:
    journal = Journal()
    for _time in range(2):
        with journal.phase("wait"):
            time.sleep(0.02)
    assert journal.duration["wait"] >= 0.04
    assert journal.duration["total"] == journal.duration["wait"]


def test_a_failed_attempt_is_noted_and_shown() -> None:
    shown: list[str] = []
    journal = Journal(shown.append)
    journal.again(ClusterError("no leader"))
    assert journal.attempts == ["no leader"]
    assert shown == ["trying again: no leader"]


def test_later_parts_of_the_result_replace_earlier_ones() -> None:
    warned: list[str] = []
    journal = Journal(warned.append)
    journal.show({"guards": [], "diff": {"before": {}}})
    journal.show({"diff": {"before": {"fingerprint": "v2:0"}}}, warnings=["a remark"])
    assert journal.shown == {"guards": [], "diff": {"before": {"fingerprint": "v2:0"}}}
    assert warned == ["a remark"]
    assert journal.state is None
