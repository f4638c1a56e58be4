# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was there before and what is there after, by type: pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .oracle import VOLATILE, Observation


@dataclass(frozen=True)
class Row:
    """One type: how many there were and are, and the names that are missing, different or extra."""

    type: str
    before: int
    after: int
    missing: tuple[str, ...]
    different: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def durable(self) -> bool:
        """Whether a restore must bring this type back, rather than the agents."""
        return self.type not in VOLATILE

    @property
    def equal(self) -> bool:
        """Whether nothing is missing, different or extra."""
        return not (self.missing or self.different or self.extra)

    @property
    def verdict(self) -> str:
        """In a word: equal, agents (theirs to bring back), or what is wrong."""
        if self.equal:
            return "equal"
        if not self.durable:
            return "agents'"
        return "LOST" if self.missing or self.different else "extra"


def compare(before: Observation, after: Observation) -> list[Row]:
    """One row per type that either side has, durable types first."""
    rows = []
    for kind in sorted(before.keys() | after.keys(), key=lambda kind: (kind in VOLATILE, kind)):
        old, new = before.get(kind, {}), after.get(kind, {})
        if not old and not new:
            continue
        rows.append(
            Row(
                type=kind,
                before=len(old),
                after=len(new),
                missing=tuple(sorted(old.keys() - new.keys())),
                different=tuple(sorted(name for name in old.keys() & new.keys() if old[name] != new[name])),
                extra=tuple(sorted(new.keys() - old.keys())),
            )
        )
    return rows


def losses(rows: Iterable[Row]) -> list[Row]:
    """The durable types of which something is missing or different."""
    return [row for row in rows if row.durable and (row.missing or row.different)]


def table(rows: Iterable[Row]) -> str:
    """The rows as text."""
    lines = [f"{'type':<20}{'before':>8}{'after':>8}{'missing':>9}{'different':>11}{'extra':>7}  verdict"]
    for row in rows:
        counts = f"{row.before:>8}{row.after:>8}{len(row.missing):>9}{len(row.different):>11}{len(row.extra):>7}"
        lines.append(f"{row.type:<20}{counts}  {row.verdict}")
    return "\n".join(lines)
