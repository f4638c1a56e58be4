# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every stage that must hold, whatever fails on the way, and end with a table: ``make test``.

Checks that need no server go first, two at a time, each shown whole when it ends. Stages with real servers have the
machine for themselves and are shown as they go.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from env import places

PREPARATION = ["environments", "consul"]
CHECKS = ["unit", "sanity-main", "sanity-newest", "lint", "docs", "importer", "changelog-lint", "reuse"]
ON_SERVERS = ["fuzz", "integration", "molecule", "newest", "floor"]
AT_ONCE = 2
# What is read through a pipe is kept in logs: no colours.
PLAIN = {"NO_COLOR": "1", "ANSIBLE_NOCOLOR": "1", "PY_COLORS": "0"}

PYTEST_COUNTS = re.compile(r"^=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)
LEFT_OUT = re.compile(r"^left out: .*", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """How a stage ended."""

    stage: str
    code: int
    seconds: float
    remark: str

    @property
    def word(self) -> str:
        """Return the result in a word or two."""
        if self.code:
            return "FAILED"
        return "left out" if self.remark.startswith("left out") else "passed"


def remark(output: str) -> str:
    """Return what the table says of a stage: what was left out, or how many tests pytest counted."""
    left_out = LEFT_OUT.findall(output)
    return (left_out or [" + ".join(PYTEST_COUNTS.findall(output))])[0]


def run(stage: str, *, live: bool) -> tuple[Outcome, str]:
    """Run one stage; ``live`` shows its output as it comes."""
    began = time.monotonic()
    lines = []
    command = ["make", "--keep-going", stage]
    with subprocess.Popen(
        command,
        cwd=places.CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **PLAIN},
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if live:
                print(line, end="", flush=True)
    output = "".join(lines)
    return Outcome(stage, process.returncode, time.monotonic() - began, remark(output)), output


def heading(text: str) -> None:
    """Print a line that is easily found in a long output."""
    print(f"\n==== {text} {'=' * max(0, 110 - len(text))}", flush=True)


def closing(outcome: Outcome) -> str:
    """Return a stage's last line."""
    return f"---- {outcome.stage}: {outcome.word} after {outcome.seconds:.0f} s"


def one_by_one(stages: list[str]) -> Iterator[Outcome]:
    """Run stages in turn."""
    for stage in stages:
        heading(stage)
        outcome, _output = run(stage, live=True)
        print(closing(outcome), flush=True)
        yield outcome


def side_by_side(stages: list[str]) -> Iterator[Outcome]:
    """Run stages two at a time, each shown whole when it has ended."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(run, stage, live=False) for stage in stages]
        print(f"\nside by side, shown as they end: {', '.join(stages)}", flush=True)
        try:
            for done in as_completed(waiting):
                outcome, output = done.result()
                heading(outcome.stage)
                print(output.rstrip("\n"))
                print(closing(outcome), flush=True)
                yield outcome
        except KeyboardInterrupt:
            # Those that run got the interrupt, too; those that wait must not start.
            pool.shutdown(cancel_futures=True)
            raise


def table(outcomes: list[Outcome], seconds: float) -> str:
    """Return the summary."""
    rows = [(o.stage, o.word, f"{o.seconds:.0f}", o.remark) for o in outcomes]
    failed = sum(bool(o.code) for o in outcomes)
    result = f"{failed} of {len(outcomes)} failed" if failed else "all passed"
    rows = [("stage", "result", "seconds", ""), *rows, ("all", result, f"{seconds:.0f}", "")]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{stage:<{widths[0]}}  {word:<{widths[1]}}  {time_:>{widths[2]}}  {note}".rstrip()
        for stage, word, time_, note in rows
    )


def main() -> int:
    """Run everything; 1 when any stage failed."""
    began = time.monotonic()
    outcomes = [*one_by_one(PREPARATION), *side_by_side(CHECKS), *one_by_one(ON_SERVERS)]
    heading("summary")
    print(table(outcomes, time.monotonic() - began), flush=True)
    return int(any(outcome.code for outcome in outcomes))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        sys.exit(130)
