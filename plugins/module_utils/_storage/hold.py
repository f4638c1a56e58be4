# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hold: a note beside an archive that it stays, whatever a policy says (pure).

It is a small object of its own. Anybody who can write to the store can hold an archive; a note that can't be understood
holds as well, so that damage never frees one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from .._errors import SnapshotError
from .._times import from_text, to_name, to_text
from .manifest import document_of

SCHEMA = "disaster_recovery.consul/hold"
VERSION = 1
LIMIT = 1 << 14
"""Bytes that a hold has at most."""
REASON_LIMIT = 1000
"""Characters of a reason."""

_NAME = re.compile(r"^(.+)\.hold-\d{8}T\d{6}Z$", re.ASCII | re.DOTALL)


class Hold(NamedTuple):
    """Why an archive stays, and until when: seconds since the epoch, None: until somebody takes it back."""

    reason: str
    until: float | None = None

    def holds_at(self, now: float) -> bool:
        """Whether it still counts."""
        return self.until is None or self.until > now

    def as_text(self) -> str:
        """Return the reason, and the time, for people."""
        return self.reason if self.until is None else f"{self.reason} (until {to_text(self.until)})"


UNKNOWN = Hold("a note that can't be read")
"""What a note counts as that is there and can't be understood."""


def hold_name(archive: str, now: float) -> str:
    """Return the name of a hold of an archive: ``<archive>.hold-20261124T021500Z``."""
    return f"{hold_prefix(archive)}{to_name(now)}"


def hold_prefix(archive: str) -> str:
    """Return what the names of all holds of an archive begin with."""
    return f"{archive}.hold-"


def holds_by_archive(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of holds among names, by the archive that they hold, the newest first."""
    found: dict[str, list[str]] = {}
    for name in names:
        match = _NAME.match(name)
        if match:
            found.setdefault(match.group(1), []).append(name)
    return {archive: sorted(holds, reverse=True) for archive, holds in found.items()}


def encode_hold(hold: Hold) -> bytes:
    """Return the hold as JSON text."""
    document = {"schema": SCHEMA, "version": VERSION, "reason": hold.reason, "until": to_text(hold.until)}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def decode_hold(text: bytes) -> Hold:
    """Read a hold, which may come from anybody. What can't be understood holds without an end."""
    if len(text) > LIMIT:
        return UNKNOWN
    try:
        document = document_of(text)
        if document["schema"] != SCHEMA or document["version"] != VERSION:
            return UNKNOWN
        reason, until = document["reason"], document["until"]
        if not isinstance(reason, str) or len(reason) > REASON_LIMIT:
            return UNKNOWN
        reason.encode()
        return Hold(reason, None if until is None else from_text(until))
    except (SnapshotError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return UNKNOWN
