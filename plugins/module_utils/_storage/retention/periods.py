# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The periods of the calendar that a time lies in (pure)."""

from __future__ import annotations

import datetime

EARLIEST, LATEST = -62_135_510_400.0, 253_402_214_400.0
"""The first and the last second, less a day for any time zone, that Python's calendar has."""


def periods_of(moment: float, zone: datetime.tzinfo) -> dict[str, tuple[int, ...]]:
    """Return the hour, day, ISO week, month and year that a time lies in, by the names of the rules.

    The hour that a clock goes through twice when summer time ends is two hours. A time beyond the calendar counts as
    its first or its last day.

    :param moment: seconds since the epoch.
    """
    local = datetime.datetime.fromtimestamp(min(max(moment, EARLIEST), LATEST), zone)
    offset = local.utcoffset() or datetime.timedelta()
    week_year, week, _weekday = local.isocalendar()
    return {
        "hourly": (local.year, local.month, local.day, local.hour, int(offset.total_seconds())),
        "daily": (local.year, local.month, local.day),
        "weekly": (week_year, week),
        "monthly": (local.year, local.month),
        "yearly": (local.year,),
    }


def name_of(rule: str, period: tuple[int, ...]) -> str:
    """Return a period for a reason: ``2026-11-26T02``, ``2026-11-26``, ``2026-W48``, ``2026-11``, ``2026``."""
    if rule == "weekly":
        return f"{period[0]:04}-W{period[1]:02}"
    if rule == "hourly":
        return "{:04}-{:02}-{:02}T{:02}".format(*period)
    return "-".join(f"{part:04}" if position == 0 else f"{part:02}" for position, part in enumerate(period))
