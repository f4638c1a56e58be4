# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's table: a bar counts only on a machine that had time for what was measured."""

from __future__ import annotations

import pytest
from benchmarks import report, scenes
from benchmarks.measure import Pair, Run

FIGURES = {"consul": "1.22.7", "keys": 10, "archive_mb": 1, "state_mb": 3, "runs": 2}


def table(pair: Pair, limit: float | None) -> str:
    rows = [scenes.row("info", "the CLI", limit, pair)]
    return report.table(report.document(figures=FIGURES, rows=rows, memory=[]))


def pair(seconds: float, crowding: float) -> Pair:
    ours = [Run(seconds, 1000, cpu_seconds=1.75, whole_seconds=seconds + 0.5)] * 2
    return Pair(ours=ours, theirs=[Run(4.0, 1000, cpu_seconds=3.25)] * 2, crowding=crowding)


@pytest.mark.parametrize(
    ("seconds", "crowding", "limit", "above", "too_busy"),
    [
        (1.0, 1.02, 0.30, False, False),
        (2.0, 1.02, 0.30, True, False),
        (2.0, 1.02, None, False, False),
        # Nothing is said of a bar then, in either direction.
        (2.0, 3.50, 0.30, False, True),
        (1.0, 3.50, 0.30, False, True),
    ],
)
def test_what_is_said_of_a_bar(
    seconds: float, crowding: float, limit: float | None, above: bool, too_busy: bool
) -> None:
    text = table(pair(seconds, crowding), limit)

    assert ("above its bar" in text) == above
    assert ("too busy to tell" in text) == too_busy
    assert f"{seconds / 4:.2f}x" in text
    assert "1.75s" in text
    assert "3.25s" in text


def test_the_document_holds_both_wall_times() -> None:
    [row] = [scenes.row("info", "the CLI", 0.3, pair(1.0, 1.0))]

    assert (row["ours_s"], row["ours_whole_s"], row["ours_cpu_s"], row["theirs_cpu_s"]) == (1.0, 1.5, 1.75, 3.25)


def test_peak_memory_stands_below_its_heading() -> None:
    memory = {"archive_mb": 81.4, "save_mib": 43.1, "info_mib": 36.0, "cli_save_mib": 70.2, "cli_inspect_mib": 90.3}
    bars = {"bar_mib": 64, "sealed_mib": 88.5, "sealed_bar_mib": 96}

    *_rows, heading, line = report.table(
        report.document(figures=FIGURES, rows=[], memory=[{**memory, **bars}])
    ).splitlines()

    for name, figure in (("save", "43.1 MiB"), ("CLI inspect", "90.3 MiB"), ("sealed, S3", "88.5 MiB")):
        end = heading.index(f" {name} ") + 1 + len(name)
        assert line[:end].endswith(figure)
    assert line.endswith("96 MiB")


def test_many_archives_have_bars_in_seconds() -> None:
    row = {"what": "list", "place": "S3", "archives": 10_000, "seconds": 11.5, "cpu_s": 9.25, "bar_s": 30.0}
    half = {**row, "archives": 5_000, "bar_s": None}

    *_rows, whole, rest = report.table(
        report.document(figures=FIGURES, rows=[], memory=[], archives=[row, half])
    ).splitlines()

    assert whole.split() == ["list", "S3", "10,000", "11.50s", "9.25s", "30s"]
    assert rest.split() == ["list", "S3", "5,000", "11.50s", "9.25s"]
