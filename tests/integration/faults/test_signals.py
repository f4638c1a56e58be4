# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that only read end on a signal as the others do: with a result, not with a traceback."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from support.answers import half_then, stalls
from support.documented import faults_of
from support.faults import FaultServer
from support.scene import SNAPSHOT, Saving

WAIT = 20.0
LEADER = ("GET", "/v1/status/leader")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("module", ["cluster_info", "snapshot_diff"])
def test_told_to_end(saving: Saving, server: FaultServer, older: Path, number: signal.Signals, module: str) -> None:
    rows: dict[str, tuple[tuple[str, str], Any, dict[str, Any]]] = {
        "cluster_info": (LEADER, stalls, {}),
        "snapshot_diff": (SNAPSHOT, half_then(stalls), {"before": str(older)}),
    }
    path, answer, options = rows[module]
    server.on(*path, answer)
    process = saving.start(module, **options)
    assert server.stalled.wait(WAIT)
    process.send_signal(number)
    outcome = saving.finish(process)
    assert outcome.failure["kind"] == "interrupted"
    assert faults_of(module, outcome.result) == []
    assert outcome.result["duration"]["total"] > 0
