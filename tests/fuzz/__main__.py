# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run cases against our reader and real servers, and print the figures: ``make fuzz``.

Environment: FUZZ_CASES (400), FUZZ_SEED (1), FUZZ_FIRST (0: number of the first case), FUZZ_WORKERS (4: servers side by
side), FUZZ_LAYER (only this one), FUZZ_READER_ONLY=1 (no servers but the ones that the archives come from: for
exceptions, time and memory), FUZZ_BASES (a directory of archives to change in place of fresh ones), FUZZ_FOUND (a
directory for the least archives of new disagreements).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from lab import Cluster, binaries
from lab.seed import seed as fill

from . import corpus, verdicts
from .cases import Case, case_of
from .inspector import inspected
from .least import least
from .reader import ACCEPTS, Reader, Reading
from .records import slim
from .servers import DIES, RESTORES, Judge, Judgement
from .verdicts import Tally, faults_of

KNOWN = Path(__file__).resolve().parent / "known_open.json"
INSPECTED = frozenset({"bytes", "gzip", "tar", "sums", "damage"})
INSPECT_EVERY = 8


def bases(directory: Path, most: int) -> list[bytes]:
    """Return archives of real servers, old and new, with ``most`` records of each type."""
    given = os.environ.get("FUZZ_BASES")
    if given:
        return [slim(path.read_bytes(), most=most) for path in sorted(Path(given).glob("*.snap"))]
    found = []
    for version in (binaries.NEW, binaries.OLD):
        with Cluster(directory / version, version=version, servers=1) as cluster:
            fill(cluster, keys=12)
            found.append(slim(cluster.http("GET", "/v1/snapshot", check=True).content, most=most))
    return found


class Run:
    """What the workers share."""

    def __init__(self, directory: Path, found: Path | None, *, reader_only: bool) -> None:
        self.directory = directory
        self.found = found
        # What our reader does with a record doesn't hang on how many more there are of its type.
        self.bases = bases(directory, 1 if reader_only else 3)
        self.fingerprints: list[str] = []
        self.tally = Tally(verdicts.known_rows(KNOWN))
        self.complaints: list[str] = []
        self.lock = threading.Lock()
        with Reader(self.bases[0]) as reader:
            for base in self.bases:
                reading = reader.read(base)
                if reading.verdict != ACCEPTS or reading.exceptions:
                    raise RuntimeError(f"our reader and the archive of a real server: {reading}")
                self.fingerprints.append(reading.fingerprint)

    def row(self, row: corpus.Row, reader: Reader, judge: Judge | None) -> None:
        """Try one row of the corpus."""
        for _twice in range(2):
            judged = judge.judge(row.case.archive) if judge and row.consul else None
            complaint = corpus.complaint(row, reader.read(row.case.archive), judged)
            if complaint is None:
                return
            # A death that was not expected is never by chance.
            if judged is not None and judged.verdict == DIES:
                break
            self._once(complaint)
        with self.lock:
            self.complaints.append(complaint)

    def case(self, case: Case, reader: Reader, judge: Judge | None) -> None:
        """Try one case. What may be so because a machine is busy counts when it is so twice; a death counts at once."""
        reading, judged, faults = self.verdict(case, reader, judge)
        disagrees = set(faults) - {verdicts.STRICTER}
        if disagrees and disagrees <= verdicts.BY_TIME:
            self._once(f"case {case.number} ({case.layer}: {case.kind}): {faults}; {reading}; {judged}")
            reading, judged, faults = self.verdict(case, reader, judge)
        self._inspect(case, judged)
        with self.lock:
            fresh = self.tally.add(case, reading, judged, faults)
        if not fresh:
            return
        for fault in fresh:
            told = f"{judged.verdict}: {judged.detail}" if judged else ""
            print(f"case {case.number} ({case.layer}: {case.kind}): {fault}; {reading}; {told}", flush=True)
        if self.found:
            small = least(case, lambda one: set(fresh) <= set(self.verdict(one, reader, judge)[2]))
            reading, judged, _faults = self.verdict(small, reader, judge)
            self.found.mkdir(parents=True, exist_ok=True)
            path = self.found / f"{case.layer}-{case.number}.json"
            path.write_text(corpus.as_row(small, reading, judged, "; ".join(fresh)), encoding="utf-8")

    @staticmethod
    def _once(told: str) -> None:
        print(f"looking again: {told}", flush=True)

    def verdict(self, case: Case, reader: Reader, judge: Judge | None) -> tuple[Reading, Judgement | None, list[str]]:
        """Return what both say of a case, and what disagrees."""
        reading = reader.read(case.archive)
        judged = judge.judge(case.archive) if judge else None
        return reading, judged, faults_of(case, reading, judged, self.fingerprints[case.base])

    def _inspect(self, case: Case, judged: Judgement | None) -> None:
        if judged is None or case.layer not in INSPECTED or case.number % INSPECT_EVERY:
            return
        taken, told = inspected(case.archive, self.directory)
        if taken != (judged.verdict == RESTORES):
            with self.lock:
                self.complaints.append(f"case {case.number}: inspect says {told or 'yes'}, the server {judged}")


def work(run: Run, number: int, rows: Iterator[corpus.Row], numbers: Iterator[int], reader_only: bool) -> None:
    """Try rows, then cases, until none is left."""
    chosen, only = int(os.environ.get("FUZZ_SEED", "1")), os.environ.get("FUZZ_LAYER", "")
    with contextlib.ExitStack() as stack:
        reader = stack.enter_context(Reader(run.bases[0]))
        judge = None if reader_only else stack.enter_context(Judge(run.directory / f"judge-{number}"))
        for row in rows:
            run.row(row, reader, judge)
        for one in numbers:
            run.case(case_of(chosen, one, run.bases, only), reader, judge)


class Shared(Iterator):  # type: ignore[type-arg]  # of whatever it is given
    """An iterator that several threads take from, until it ends or is stopped."""

    def __init__(self, items: Iterator) -> None:  # type: ignore[type-arg]
        self._items, self._lock = items, threading.Lock()
        self.stopped = False

    def __next__(self) -> object:
        with self._lock:
            if self.stopped:
                raise StopIteration
            return next(self._items)


def main() -> int:
    """Return 1 when anything disagrees that is not known."""
    count, first = int(os.environ.get("FUZZ_CASES", "400")), int(os.environ.get("FUZZ_FIRST", "0"))
    reader_only = bool(os.environ.get("FUZZ_READER_ONLY"))
    found = os.environ.get("FUZZ_FOUND")
    began = time.monotonic()
    # Both end a run in good order, also one that was started in the background.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        run = Run(Path(name), Path(found) if found else None, reader_only=reader_only)
        rows, numbers = Shared(iter(corpus.rows())), Shared(itertools.islice(itertools.count(first), count))
        workers = int(os.environ.get("FUZZ_WORKERS", "4"))
        errors: list[BaseException] = []

        def worked(number: int) -> None:
            try:
                work(run, number, rows, numbers, reader_only)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=worked, args=(number,)) for number in range(workers)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            try:
                for thread in threads:
                    thread.join(5)
            except KeyboardInterrupt:
                # The figures of a night that was cut short are worth having, too.
                rows.stopped = numbers.stopped = True
            done = run.tally.cases.total()
            print(f"{time.monotonic() - began:5.0f} s: {done} of {count} cases", file=sys.stderr, flush=True)
    print("\n".join([run.tally.table(), *(f"  {complaint}" for complaint in run.complaints)]))
    print(f"seed {os.environ.get('FUZZ_SEED', '1')}, {time.monotonic() - began:.0f} s")
    if errors:
        raise errors[0]
    return int(bool(run.tally.faults or run.complaints))


if __name__ == "__main__":
    sys.exit(main())
