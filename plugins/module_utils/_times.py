# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as manifests and results write them, UTC and to the second, and as Go writes them into records."""

from __future__ import annotations

import datetime
from typing import Any


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
    parsed = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


_GO_TIME_LENGTHS = (15, 16)
_YEAR_ONE = -62_135_596_800


def from_go(raw: Any) -> float | None:
    """Return the seconds since the epoch of a time in Go's binary form (``time.Time.MarshalBinary``); None for none."""
    if not isinstance(raw, bytes) or len(raw) not in _GO_TIME_LENGTHS:
        return None
    seconds = int.from_bytes(raw[1:9], "big", signed=True) + _YEAR_ONE
    # The zero time stands for none.
    return None if seconds == _YEAR_ONE else seconds + int.from_bytes(raw[9:13], "big") / 1e9
