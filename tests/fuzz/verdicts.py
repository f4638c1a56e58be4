# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our reader held against Consul: what kind of disagreement a case shows, the most dangerous first (pure)."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .cases import WRITTEN_BY_CONSUL, Case
from .reader import ACCEPTS, DIES, HANGS, REFUSES, Reading
from .servers import DIES as SERVER_DIES
from .servers import HANGS as SERVER_HANGS
from .servers import LIMPS as SERVER_LIMPS
from .servers import REFUSES as SERVER_REFUSES
from .servers import RESTORES as SERVER_RESTORES
from .servers import Judgement

ACCEPTED_DEATH = "accepted, and Consul dies"
ACCEPTED_LIMP = "accepted, and Consul hangs or has no leader"
ACCEPTED_REFUSED = "accepted, and Consul refuses"
EXCEPTION = "an exception that is no ArchiveError"
TOO_MUCH = "more than 2 s or 100 MiB for a small file"
FINGERPRINT = "another fingerprint for the same content"
NOT_RETRIED = "damage on the way that is not retried"
REFUSED_RESTORED = "refused what Consul writes and restores"
CLASSES = (
    *(ACCEPTED_DEATH, ACCEPTED_LIMP, ACCEPTED_REFUSED, EXCEPTION, TOO_MUCH, FINGERPRINT, NOT_RETRIED),
    REFUSED_RESTORED,
)
BY_TIME = frozenset({ACCEPTED_LIMP, ACCEPTED_REFUSED, TOO_MUCH, REFUSED_RESTORED})
"""What a busy machine, or a server that is slow to die, may show by chance."""
STRICTER = "refused, restored by Consul, never written by it"
"""Counted, and no fault."""

SECONDS, MIB, SMALL = 2.0, 100.0, 1 << 20
_RECORDS = frozenset({"msgpack", "records", "meaning", "bombs"})
_SAME_STATE = frozenset({"bytes", "gzip", "tar", "sums", "meta", "packing"})


def faults_of(case: Case, reading: Reading, judged: Judgement | None, fingerprint: str) -> list[str]:
    """Return the classes that a case belongs to.

    :param judged: what a server made of it; None where none was asked. :param fingerprint: that of the case's base.
    """
    found = []
    accepted = reading.verdict == ACCEPTS
    if judged is not None:
        sent = accepted and not reading.guards
        if sent and judged.verdict == SERVER_DIES:
            found.append(ACCEPTED_DEATH)
        if sent and judged.verdict in (SERVER_LIMPS, SERVER_HANGS):
            found.append(ACCEPTED_LIMP)
        # A guard refuses records; the wrapping is for the reader alone.
        if accepted and judged.verdict == SERVER_REFUSES and not (reading.guards and case.layer in _RECORDS):
            found.append(ACCEPTED_REFUSED)
        if reading.verdict == REFUSES and judged.verdict == SERVER_RESTORES:
            found.append(REFUSED_RESTORED if case.group in WRITTEN_BY_CONSUL else STRICTER)
    if reading.exceptions or reading.verdict == DIES:
        found.append(EXCEPTION)
    costly = reading.verdict == HANGS or reading.seconds > SECONDS or reading.mib > MIB
    if costly and len(case.archive) < SMALL:
        found.append(TOO_MUCH)
    if accepted and case.layer in _SAME_STATE and reading.fingerprint != fingerprint:
        found.append(FINGERPRINT)
    if case.layer == "damage" and reading.verdict == REFUSES and not reading.retryable:
        found.append(NOT_RETRIED)
    return found


@dataclass(frozen=True)
class Open:
    """A disagreement that is known and not yet mended: its class, the kinds that show it, and why it stands."""

    fault: str
    kinds: str
    why: str

    def covers(self, fault: str, case: Case) -> bool:
        """Whether a finding is of this row."""
        return fault == self.fault and re.fullmatch(self.kinds, f"{case.layer}: {case.kind}") is not None


def known_rows(path: Path) -> list[Open]:
    """Read the rows of a file."""
    return [Open(row["class"], row["kinds"], row["why"]) for row in json.loads(path.read_text(encoding="utf-8"))]


@dataclass
class Tally:
    """How many cases there were of each layer, how they were judged, and what disagreed."""

    known: list[Open]
    cases: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    open: Counter[tuple[str, str]] = field(default_factory=Counter)
    stricter: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    largest: float = 0.0

    def add(self, case: Case, reading: Reading, judged: Judgement | None, faults: list[str]) -> list[str]:
        """Count a case, and return those of its faults that are new."""
        self.cases[case.layer] += 1
        ours = f"{reading.verdict}, guarded" if reading.guards and reading.verdict == ACCEPTS else reading.verdict
        self.pairs[case.layer, ours, judged.verdict if judged else "-"] += 1
        self.slowest, self.largest = max(self.slowest, reading.seconds), max(self.largest, reading.mib)
        fresh = []
        for fault in faults:
            if fault == STRICTER:
                self.stricter[f"{case.layer}: {case.group}"] += 1
            elif any(row.covers(fault, case) for row in self.known):
                self.open[fault, f"{case.layer}: {case.group}"] += 1
            else:
                self.faults[fault, f"{case.layer}: {case.group}"] += 1
                fresh.append(fault)
        return fresh

    def table(self) -> str:
        """Return the figures, class by class."""
        lines = ["", f"{'layer':<9} {'ours':<18} {'Consul':<9} {'cases':>7}"]
        for (layer, ours, theirs), count in sorted(self.pairs.items()):
            lines.append(f"{layer:<9} {ours:<18} {theirs:<9} {count:>7}")
        lines += ["", f"{'new':>7} {'open':>7}  class"]
        for name in CLASSES:
            new, known = (
                sum(n for (one, _kind), n in rows.items() if one == name) for rows in (self.faults, self.open)
            )
            lines.append(f"{new:>7} {known:>7}  {name}")
        lines.append(f"{'':>7} {self.stricter.total():>7}  {STRICTER}")
        lines += [f"  stricter: {count:>3}  {kind}" for kind, count in self.stricter.most_common(40)]
        for title, rows in (("new", self.faults), ("open", self.open)):
            lines += [f"  {title}: {count:>5}  {name}: {kind}" for (name, kind), count in rows.most_common(40)]
        costs = f"the slowest look {self.slowest:.2f} s, the largest {self.largest:.0f} MiB"
        return "\n".join([*lines, f"{self.cases.total()} cases; {costs}"])
