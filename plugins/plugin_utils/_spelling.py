# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like a role's own, spelled wrong (pure)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

CLOSE = 0.8
"""How alike two names must be, from 0 to 1: one or two letters in a usual name. Others belong to somebody else."""


def known_in(specs: Mapping[str, Any]) -> set[str]:
    """Return the options of all entry points of a role's ``argument_specs.yml``."""
    points = specs.get("argument_specs", specs)
    return {str(name) for point in points.values() for name in (point or {}).get("options") or {}}


def misspelled(names: Iterable[str], known: Iterable[str], *, others: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return the names that are probably meant to be known ones, as ``{name, nearest}``, sorted.

    :param names: of all variables of a play, or of those that begin as the role's do.
    :param others: names that are close to known ones and right all the same.
    """
    right = sorted(set(known))
    prefixes = tuple({f"{name.split('_')[0]}_" for name in right})
    found = []
    for name in sorted(set(names) - set(right) - set(others)):
        if not name.startswith(prefixes):
            continue
        # The prefix is alike in any case; it would make short names look closer than they are.
        prefix = name.split("_")[0] + "_"
        ends = {one[len(prefix) :]: one for one in right if one.startswith(prefix)}
        near = _near(name[len(prefix) :].lower(), list(ends))
        if near:
            found.append({"name": name, "nearest": ends[near[0]]})
    return found


def _near(end: str, ends: list[str]) -> list[str]:
    """Return the end that is meant, if any: one of the same letters in another order, or one that is alike."""
    # Two letters the other way round weigh too much in a short name to be found by what is alike.
    swapped = [one for one in ends if sorted(one) == sorted(end)]
    return swapped or difflib.get_close_matches(end, ends, n=1, cutoff=CLOSE)
