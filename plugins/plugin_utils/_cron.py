# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a time is one that cron takes (pure). Cron ignores a whole file because of one bad line, and tells nobody."""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# Name, smallest, largest, and the names of its values from the smallest on.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_SHORT = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
_PART = re.compile(r"(?:\*|(\w{1,3})(?:-(\w{1,3}))?)(?:/(\d{1,2}))?", re.ASCII)


def cron_problem(text: str) -> str:
    """Return why cron would not take this time, in a sentence; empty when it would.

    :param text: five fields, as crontab(5) describes them, or a word such as ``@daily``.
    """
    if text in _SHORT:
        return ""
    fields = text.split(" ")
    if len(fields) != len(_FIELDS):
        return "a time for cron is five fields with one blank between them, such as 15 2 * * *, or @daily."
    for (name, low, high, words), field in zip(_FIELDS, fields):
        if not all(_fits(part, low, high, words) for part in field.split(",")):
            return f"the {name} must be from {low} to {high}, as in {low}, {low}-{high}, */{max(low, 2)} or *."
    return ""


def _fits(part: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _PART.fullmatch(part)
    if match is None:
        return False
    first, last, step = match.groups()
    if step and not (1 <= int(step) <= high and (last or part.startswith("*"))):
        return False
    if first is None:
        return True
    begin = _number(first, low, words)
    end = begin if last is None else _number(last, low, words)
    return begin is not None and end is not None and low <= begin <= end <= high


def _number(text: str, low: int, words: tuple[str, ...]) -> int | None:
    if text.isdecimal():
        return int(text)
    return words.index(text.lower()) + low if text.lower() in words else None
