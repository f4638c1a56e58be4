# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The least archive that still disagrees: records are taken out for as long as the verdicts stay."""

from __future__ import annotations

from collections.abc import Callable

from support.archives import STATE, part_of, with_state

from .cases import Case
from .records import cut_up, joined

TRIES = 60
_LAYERS = frozenset({"msgpack", "records", "meaning", "bombs"})


def least(case: Case, disagrees: Callable[[Case], bool]) -> Case:
    """Return a case that is smaller where one is found; halves go first, then quarters, and so on."""
    if case.layer not in _LAYERS:
        return case
    try:
        header, records = cut_up(part_of(case.archive, STATE))
    except Exception:
        # What can't be read record by record stays as it is.
        return case
    width, tries = max(1, len(records) // 2), 0
    while records and tries < TRIES:
        start, shorter = 0, False
        while start < len(records) and tries < TRIES:
            left = records[:start] + records[start + width :]
            smaller = case._replace(archive=with_state(case.archive, joined(header, left)))
            tries += 1
            if disagrees(smaller):
                records, case, shorter = left, smaller, True
            else:
                start += width
        if width == 1 and not shorter:
            break
        width = max(1, width // 2)
    return case
