# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run everything that must hold, whatever fails on the way, and end with a table: ``make test``.

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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NOX = str(Path(__file__).parent / "nox")
SIDE_BY_SIDE = ["sanity", "sanity-newest", "importer"]
ON_SERVERS = ["fuzz", "integration", "molecule", "newest", "floor"]
# What is read through a pipe is kept in logs: no colours.
PLAIN = {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PY_COLORS": "0"}
WORDS = {"success": "passed", "skipped": "left out", "aborted": "FAILED", "failed": "FAILED"}

BEGINNING = re.compile(r"^nox > Running session (\S+)")
PYTEST_COUNTS = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s")


def nox(sessions: Sequence[str], *options: str, counts: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Run sessions, show their output, and return how each ended; what pytest counted is added to ``counts``."""
    current = ""
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
                beginning, pytest = BEGINNING.match(line), PYTEST_COUNTS.match(line)
                # The session floor runs another one once more; those tests are its own.
                if beginning and beginning.group(1) not in counts:
                    current = beginning.group(1)
                    counts[current] = []
                if pytest:
                    counts[current].append(pytest.group(1))
        if not report.exists():
            return [{"name": name, "result": "failed", "duration": 0.0} for name in sessions]
        return list(json.loads(report.read_text(encoding="utf-8"))["sessions"])


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
    counts: dict[str, list[str]] = {}
    results = nox([*SIDE_BY_SIDE, *checks], "--allow-parallel", "-j", "2", counts=counts)
    results += nox(ON_SERVERS, counts=counts)
    print(f"\n==== summary {'=' * 103}\n{table(results, counts, time.monotonic() - began)}", flush=True)
    return int(any(WORDS.get(one["result"]) == "FAILED" for one in results))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
