# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run everything that must hold, whatever fails on the way: ``make test``. The last lines of what failed, and a table.

Checks that need no server go first, two at a time, each shown whole when it ends. Sessions with real servers have the
machine for themselves and are shown as they go.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NOX = str(Path(__file__).parent / "nox")
SIDE_BY_SIDE = ["sanity", "sanity-newest", "importer"]
ON_SERVERS = ["fuzz", "integration", "molecule", "newest", "oldest", "floor"]
# What is read through a pipe is kept in logs: no colours.
PLAIN = {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PY_COLORS": "0"}
WORDS = {"success": "passed", "skipped": "left out", "aborted": "FAILED", "failed": "FAILED"}

LAST = 15
"""Lines of a failed session that are shown once more."""
BEGINNING = re.compile(r"^nox > Running session (\S+)")
PYTEST_COUNTS = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s")


@dataclass
class Output:
    """What sessions printed, by name: what pytest counted, and the last lines."""

    counts: dict[str, list[str]] = field(default_factory=dict)
    lasts: dict[str, deque[str]] = field(default_factory=dict)
    _current: str = ""

    def line(self, line: str) -> None:
        """Take in one line. The session floor runs another one once more; those lines are its own."""
        beginning, pytest = BEGINNING.match(line), PYTEST_COUNTS.match(line)
        if beginning and beginning.group(1) not in self.counts:
            self._current = beginning.group(1)
            self.counts[self._current] = []
            self.lasts[self._current] = deque(maxlen=LAST)
        if self._current in self.lasts and line.strip():
            self.lasts[self._current].append(line.rstrip())
        if pytest:
            self.counts[self._current].append(pytest.group(1))


def nox(sessions: Sequence[str], *options: str, output: Output) -> list[dict[str, Any]]:
    """Run sessions, show their output, and return how each ended."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report.json")
        command = [NOX, "--report", str(report), *options, "-s", *sessions]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **PLAIN},
        ) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                output.line(line)
        if not report.exists():
            return [{"name": name, "result": "failed", "duration": 0.0} for name in sessions]
        return list(json.loads(report.read_text(encoding="utf-8"))["sessions"])


def ends(results: Sequence[Mapping[str, Any]], output: Output) -> str:
    """Return the last lines of each session that failed, so that nobody has to look for them above."""
    failed = [one["name"] for one in results if WORDS.get(one["result"]) == "FAILED"]
    return "".join(
        f"\n==== the end of {name} {'=' * (104 - len(name))}\n" + "\n".join(output.lasts.get(name, ())) + "\n"
        for name in failed
    )


def table(results: Sequence[Mapping[str, Any]], counts: Mapping[str, Sequence[str]], seconds: float) -> str:
    """Return the summary: a line for each session, and one for all."""
    rows = [("session", "result", "seconds", "")]
    for one in results:
        name, word = one["name"], WORDS.get(one["result"], one["result"])
        remark = one.get("reason") if word == "left out" else " + ".join(counts.get(name, []))
        rows.append((name, word, f"{one['duration']:.0f}", remark or ""))
    failed = sum(row[1] == "FAILED" for row in rows)
    rows.append(("all", f"{failed} of {len(results)} failed" if failed else "all passed", f"{seconds:.0f}", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {word:<{widths[1]}}  {time_:>{widths[2]}}  {remark}".rstrip()
        for name, word, time_, remark in rows
    )


def main(checks: Sequence[str]) -> int:
    """Run the checks and all the rest; 1 when any session failed."""
    began = time.monotonic()
    output = Output()
    results = nox([*SIDE_BY_SIDE, *checks], "--allow-parallel", "-j", "2", output=output)
    results += nox(ON_SERVERS, output=output)
    print(ends(results, output))
    print(f"==== summary {'=' * 103}\n{table(results, output.counts, time.monotonic() - began)}", flush=True)
    return int(any(WORDS.get(one["result"]) == "FAILED" for one in results))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
