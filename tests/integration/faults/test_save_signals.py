# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A save that is told to end, or ended, in the midst of it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from support.answers import half_then, real, says, stalls
from support.faults import FaultServer
from support.scene import SNAPSHOT, Saving, contents

WAIT = 20.0


def partials(saving: Saving) -> list[Path]:
    """The files under way in the directory."""
    return [path for path in saving.directory.iterdir() if path.name.endswith(".partial")]


def wait_for_stall(server: FaultServer, saving: Saving) -> list[Path]:
    """Wait until half of the archive has been sent, and return the file that takes it in."""
    assert server.stalled.wait(WAIT)
    found = partials(saving)
    assert len(found) == 1
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_told_to_end(saving: Saving, server: FaultServer, number: signal.Signals) -> None:
    server.on(*SNAPSHOT, half_then(stalls))
    process = saving.start_save()
    wait_for_stall(server, saving)
    process.send_signal(number)
    saving.check_failed(saving.finish(process), "interrupted")
    assert server.count(*SNAPSHOT) == 1


def test_told_to_end_while_it_waits_for_a_second_try(saving: Saving, server: FaultServer) -> None:
    server.on(*SNAPSHOT, says(429))
    process = saving.start_save(retry_delay=WAIT)
    began = time.monotonic()
    while not server.count(*SNAPSHOT) and time.monotonic() < began + WAIT:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    saving.check_failed(saving.finish(process), "interrupted")
    assert time.monotonic() - began < WAIT


def test_killed(saving: Saving, server: FaultServer) -> None:
    before = contents(saving.directory)
    server.on(*SNAPSHOT, half_then(stalls))
    process = saving.start_save()
    (leftover,) = wait_for_stall(server, saving)
    process.kill()
    process.communicate()
    assert leftover.stat().st_mode & 0o777 == 0o600
    assert {name: data for name, data in contents(saving.directory).items() if name in before} == before
    assert partials(saving) == [leftover]

    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    # The leftover is gone as well: only the archive and its manifest are there.
    saving.check_saved(saving.save(), sent[-1])


def test_the_file_of_another_run_is_left_alone(saving: Saving, server: FaultServer) -> None:
    server.on(*SNAPSHOT, half_then(stalls), real())
    slow = saving.start_save()
    (under_way,) = wait_for_stall(server, saving)
    assert not saving.save().failed
    assert under_way.exists()
    server.released.set()
    outcome = saving.finish(slow)
    assert not outcome.failed, outcome.result
    assert len(outcome.result["attempts"]) == 1
    assert partials(saving) == []


def test_check_mode_leaves_leftovers_alone(saving: Saving) -> None:
    leftover = saving.directory / ".snapshot-abandoned.partial"
    leftover.write_bytes(b"of a killed run")
    saving.save(check=True)
    assert leftover.exists()
    saving.save()
    assert not leftover.exists()
