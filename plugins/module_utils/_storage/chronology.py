# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archive is newer, when a clock may have been wrong (pure).

Times come from servers' clocks, and one clock that runs ahead would make its archives the newest for good. So a time
that is more than a day ahead of now is ignored. Within one raft history, which is the archives that share servers,
raft's index decides. A new history begins where the index falls although more than a day has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .._errors import printable
from .._times import to_text

DAY = 86_400.0
"""Seconds that a time may be ahead of now and still be believed."""
NEVER = float("-inf")
_SHOWN = 5


@dataclass(frozen=True)
class Stamp:
    """What orders an archive: raft's server ids, raft's index (None: unknown), seconds since the epoch."""

    servers: tuple[str, ...]
    index: int | None
    taken_at: float


class Place(NamedTuple):
    """Where an archive stands: its position among those that were given, and the time that it counts with.

    ``counts_as`` is NEVER where no time is known.
    """

    position: int
    counts_as: float


def is_ahead(moment: float, now: float) -> bool:
    """Whether a time lies so far ahead that it is not believed."""
    return moment > now + DAY


def dated_ahead(archives: Iterable[tuple[str, float]], now: float) -> list[str]:
    """Return a remark that names the archives, given as paths and times, whose times are not believed; or nothing."""
    ahead = [(path, moment) for path, moment in archives if is_ahead(moment, now)]
    if not ahead:
        return []
    shown = ", ".join(f"{printable(path)} ({to_text(moment)})" for path, moment in ahead[:_SHOWN])
    more = f" and {len(ahead) - _SHOWN} more" if len(ahead) > _SHOWN else ""
    return [f"archives are dated more than a day ahead, and their dates are ignored: {shown}{more}"]


def in_order(stamps: Sequence[Stamp], now: float) -> list[Place]:
    """Return the places of archives, the newest first. It takes n log n steps."""
    rows = []
    for history in histories([stamp.servers for stamp in stamps]):
        latest = NEVER
        for rank, position in enumerate(_of_history(stamps, history, now)):
            moment = stamps[position].taken_at
            if not is_ahead(moment, now):
                latest = max(latest, moment)
            rows.append((latest, rank, position))
    rows.sort(key=lambda row: (row[0], row[1], stamps[row[2]].index or 0), reverse=True)
    return [Place(position, counts_as) for counts_as, _rank, position in rows]


def histories(servers: Sequence[Sequence[str]]) -> list[list[int]]:
    """Group positions that share servers, directly or through others; one whose servers are unknown stands alone."""
    parent: dict[str, str] = {}

    def root(server: str) -> str:
        while parent.setdefault(server, server) != server:
            parent[server] = server = parent[parent[server]]
        return server

    for known in servers:
        for server in known[1:]:
            parent[root(server)] = root(known[0])
    groups: dict[tuple[str, int], list[int]] = {}
    for position, known in enumerate(servers):
        key = (root(known[0]), -1) if known else ("", position)
        groups.setdefault(key, []).append(position)
    return list(groups.values())


def _of_history(stamps: Sequence[Stamp], history: list[int], now: float) -> list[int]:
    """Return the archives of one history, the oldest first."""

    def index(position: int) -> int:
        return stamps[position].index or 0

    def moment(position: int) -> float:
        return stamps[position].taken_at

    trusted = sorted(
        (position for position in history if not is_ahead(moment(position), now)),
        key=lambda position: (moment(position), index(position)),
    )
    spans: list[list[int]] = []
    highest = -1
    for position in trusted:
        if not spans or (index(position) < index(highest) and moment(position) - moment(highest) > DAY):
            spans.append([])
            highest = position
        spans[-1].append(position)
        if index(position) >= index(highest):
            highest = position
    spans = spans or [[]]
    lowest = [min(map(index, span), default=0) for span in spans]
    for position in history:
        if is_ahead(moment(position), now):
            fitting = [number for number, low in enumerate(lowest) if low <= index(position)]
            spans[fitting[-1] if fitting else 0].append(position)
    # Of two with one index, the one whose time is believed is the newer one.
    return [
        position
        for span in spans
        for position in sorted(span, key=lambda one: (index(one), not is_ahead(moment(one), now), moment(one)))
    ]
