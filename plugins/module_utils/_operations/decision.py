# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A decision, and the words for why (pure)."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import printable
from .._snapshot.records.fingerprint import Fingerprint, differing_types


class Decision(NamedTuple):
    """``go`` says whether to do it; ``reason`` why, or why not."""

    go: bool
    reason: str


def difference_in_words(one: Fingerprint, other: Fingerprint) -> str:
    """Return ``ACLToken, KVS``: the record types in which two contents differ; an empty text where they are equal."""
    return ", ".join(printable(name) for name in differing_types(one, other))
