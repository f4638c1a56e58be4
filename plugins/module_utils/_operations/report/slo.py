# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the archives of a cluster are what its service level asks for (pure).

What could not be read does not count: a store that is down may hold all it should, and nobody knows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

COPIES, PLACES, AGE, REHEARSAL_AGE = "copies", "places", "age", "rehearsal_age"
REQUIREMENTS = (COPIES, PLACES, AGE, REHEARSAL_AGE)
OPTIONS = {"copies": COPIES, "places": PLACES, "max_age": AGE, "max_rehearsal_age": REHEARSAL_AGE}
"""The keys of ``rehearsal_slo``, each with the requirement that it sets."""


class Slo(NamedTuple):
    """What a cluster is held to; None asks for nothing. Ages are in seconds."""

    copies: float | None
    places: float | None
    age: float | None
    rehearsal_age: float | None


def slo_of(asked: Iterable[object]) -> Slo | None:
    """Return the strictest that any host of a cluster asks for; None where none asks for anything. Zero asks for
    nothing.

    :raises ValueError: a value is not a number, is negative, or has a name that is not one of the four.
    """
    numbers: dict[str, list[float]] = {name: [] for name in REQUIREMENTS}
    for one in asked:
        for name, value in _numbers(one).items():
            numbers[name] += [value] if value else []
    strictest = Slo(
        copies=max(numbers[COPIES], default=None),
        places=max(numbers[PLACES], default=None),
        age=min(numbers[AGE], default=None),
        rehearsal_age=min(numbers[REHEARSAL_AGE], default=None),
    )
    return strictest if any(limit is not None for limit in strictest) else None


def _numbers(asked: object) -> dict[str, float]:
    if not asked:
        return {}
    if not isinstance(asked, Mapping):
        raise ValueError("it must be a dictionary")
    found = {}
    for key, value in asked.items():
        if key not in OPTIONS:
            raise ValueError(f"its keys are {', '.join(OPTIONS)}")
        try:
            number = float(value or 0)
        except (TypeError, ValueError):
            number = math.nan
        if isinstance(value, bool) or not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{key} must be a number, 0 or more")
        if OPTIONS[key] in (COPIES, PLACES) and number != int(number):
            raise ValueError(f"{key} must be a whole number")
        found[OPTIONS[key]] = number
    return found


def judged(
    slo: Slo | None, stores: Sequence[Mapping[str, Any]], *, rehearsal_age: float | None
) -> dict[str, Any] | None:
    """Return how a cluster does; None where nothing is asked of it.

    :param stores: what is known of its archives in each store, as ``catalogue.stores_of`` returns it: ``verified`` (how
        many), ``age`` (seconds since the newest of them was known to be the cluster's content; None where nobody can
        say), ``problem`` (why the store could not be read).
    :param rehearsal_age: seconds since an archive of it was last proven; None where none ever was.
    :return: ``met``, ``unread`` (stores that could not be read) and ``requirements``, each with ``name``, ``limit``,
        ``actual`` (None: nothing there) and ``met``.
    """
    if slo is None:
        return None
    read = [store for store in stores if store["problem"] is None]
    ages = [float(store["age"]) for store in read if store["verified"] and store["age"] is not None]
    actual: dict[str, float | None] = {
        COPIES: sum(store["verified"] for store in read),
        PLACES: sum(_counts(store, slo.age) for store in read),
        AGE: min(ages, default=None),
        REHEARSAL_AGE: rehearsal_age,
    }
    requirements = [
        {"name": name, "limit": limit, "actual": actual[name], "met": _met(name, actual[name], limit)}
        for name, limit in slo._asdict().items()
        if limit is not None
    ]
    return {
        "met": all(one["met"] for one in requirements),
        "unread": len(stores) - len(read),
        "requirements": requirements,
    }


def _counts(store: Mapping[str, Any], max_age: float | None) -> bool:
    """A store whose copies stopped coming is no second place for what is needed after a loss."""
    if not store["verified"]:
        return False
    return max_age is None or (store["age"] is not None and store["age"] <= max_age)


def _met(name: str, actual: float | None, limit: float) -> bool:
    if actual is None:
        return False
    return actual >= limit if name in (COPIES, PLACES) else actual <= limit
