# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as manifests and results write them, UTC and to the second, and as Go writes them into records."""

from __future__ import annotations

import datetime
import re

_TEXT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)


def to_text(seconds: float | None) -> str | None:
    """Return seconds since the epoch as ``2026-11-23T02:15:00Z``; None stays None."""
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_name(seconds: float) -> str:
    """Return seconds since the epoch as a part of a file's name: ``20261123T021500Z``."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def from_text(text: str) -> float:
    """Return the seconds since the epoch that ``to_text`` wrote.

    :raises ValueError: it is no such text.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise ValueError("not a time as 2026-11-23T02:15:00Z")
    year, month, day, hour, minute, second = map(int, match.groups())
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc).timestamp()


# Go's time.Time.MarshalBinary: a version, seconds since the year 1, nanoseconds, and the zone's offset in minutes (in
# version 2 with one byte more, for the seconds of odd ones).
_GO_LENGTHS = {1: 15, 2: 16}
_GO_EPOCH = 62_135_596_800


def from_go(raw: object) -> float | None:
    """Return the seconds since the epoch that Go's binary form of a time tells; None for its zero and all else."""
    if not isinstance(raw, bytes) or not raw or len(raw) != _GO_LENGTHS.get(raw[0]):
        return None
    seconds = int.from_bytes(raw[1:9], "big", signed=True)
    return seconds - _GO_EPOCH + int.from_bytes(raw[9:13], "big") / 1e9 if seconds else None
