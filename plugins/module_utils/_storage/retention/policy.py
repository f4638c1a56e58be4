# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks to keep, as values, and durations as users write them (pure)."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

RULES = ("hourly", "daily", "weekly", "monthly", "yearly")
"""The rules that keep the newest archive of each period, the shortest period first."""

_PART = re.compile(r"(\d{1,6})\s*([a-z]+)\s*", re.ASCII)
_UNITS = {
    "h": ("hours", 1),
    "d": ("days", 1),
    "w": ("days", 7),
    "mo": ("months", 1),
    "y": ("months", 12),
}
_NEVER = float("-inf")


class Duration(NamedTuple):
    """A span of the calendar: months first, then days on the same clock, then hours."""

    months: int = 0
    days: int = 0
    hours: int = 0

    def before(self, moment: float, zone: datetime.tzinfo) -> float:
        """Return the time that lies this much before another one, both in seconds since the epoch.

        A month before the 31st is the last day of the month before. Far enough back it is minus infinity.
        """
        try:
            local = datetime.datetime.fromtimestamp(moment, zone)
            month = local.year * 12 + local.month - 1 - self.months
            first = local.replace(year=month // 12, month=month % 12 + 1, day=1)
            next_month = first.replace(day=28) + datetime.timedelta(days=4)
            last_day = (next_month - datetime.timedelta(days=next_month.day)).day
            earlier = first.replace(day=min(local.day, last_day)) - datetime.timedelta(days=self.days)
            return earlier.timestamp() - 3600.0 * self.hours
        except (ValueError, OverflowError, OSError):
            return _NEVER


class Policy(NamedTuple):
    """What is kept, for each cluster by itself. Zero and None: the rule isn't set.

    ``last``: so many of the newest. ``within``: all that were taken within this span before the newest. ``hourly`` to
    ``yearly``: the newest of each of so many periods. ``minimum``: so many of the newest at least, one or more.
    ``max_remove``: so many archives of a cluster go in one run at most; None: half of them. ``max_shrink``: percent
    of its keys or tokens that the newest archive may have lost against the one before it.
    """

    last: int = 0
    within: Duration | None = None
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    minimum: int = 1
    max_remove: int | None = None
    max_shrink: int = 50

    @property
    def is_empty(self) -> bool:
        """Whether it holds no rule. Then nothing is removed."""
        return not (self.last or self.within or any(getattr(self, rule) for rule in RULES))


def parse_duration(text: str) -> Duration:
    """Return a duration as users write it: ``36h``, ``30d``, ``12w``, ``6mo``, ``1y``, ``1y 6mo``.

    :raises ValueError: it is none; the message says why.
    """
    parts, position, seen = {"months": 0, "days": 0, "hours": 0}, 0, 0
    lowered = text.strip().lower()
    while match := _PART.match(lowered, position):
        number, unit = int(match.group(1)), match.group(2)
        if unit == "m":
            raise ValueError("m may be minutes or months: write mo for months, or use h")
        if unit not in _UNITS:
            raise ValueError(f"{unit} is not a unit: use h, d, w, mo or y")
        field, factor = _UNITS[unit]
        parts[field] += number * factor
        position, seen = match.end(), seen + 1
    if not seen or position != len(lowered):
        raise ValueError("write numbers with units, such as 30d or 1y 6mo")
    if not any(parts.values()):
        raise ValueError("it must be longer than nothing")
    return Duration(**parts)
