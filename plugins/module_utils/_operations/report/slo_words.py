# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says of a service level: what is missing, and what to do about it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .slo import AGE, COPIES, PLACES, REHEARSAL_AGE
from .words import plural, seconds_text

_ADVICE = {
    COPIES: "Keep more archives of this cluster: see what the next prune would remove, and raise backup_keep_*.",
    PLACES: "Copy this cluster's archives to a further store (backup_copy_to), and name that store in "
    "rehearsal_catalogue.",
    AGE: "Take a backup of this cluster now, and see why none was taken or confirmed in time.",
    REHEARSAL_AGE: "Rehearse this cluster's restore until an archive is proven.",
}
_UNREAD = "Make the stores readable that could not be read: the catalogue says which and why."
NAMES = {
    COPIES: "verified archives",
    PLACES: "stores with a current archive",
    AGE: "age of the newest",
    REHEARSAL_AGE: "last proven",
}


def slo_sentence(slo: Mapping[str, Any] | None) -> str:
    """Return what is missing in a sentence; empty where nothing is."""
    if slo is None or slo["met"]:
        return ""
    parts = [_missed(one) for one in slo["requirements"] if not one["met"]]
    unread = slo["unread"]
    unread_text = f" {plural(unread, 'store')} could not be read." if unread else ""
    return f"The service level is missed: {'; '.join(parts)}.{unread_text}"


def slo_advice(slo: Mapping[str, Any] | None) -> list[str]:
    """Return what to do about it."""
    if slo is None or slo["met"]:
        return []
    advice = [_ADVICE[one["name"]] for one in slo["requirements"] if not one["met"]]
    return ([_UNREAD] if slo["unread"] else []) + advice


def requirement_text(one: Mapping[str, Any]) -> str:
    """Return a requirement with what there is: ``verified archives: 2, at least 3``."""
    name, limit, actual = one["name"], one["limit"], one["actual"]
    if name in (COPIES, PLACES):
        return f"{NAMES[name]}: {actual:,.0f}, at least {limit:,.0f}"
    ago = " ago" if name == REHEARSAL_AGE else ""
    shown = "never" if actual is None and ago else "unknown" if actual is None else f"{seconds_text(actual)}{ago}"
    return f"{NAMES[name]}: {shown}, at most {seconds_text(limit)}"


def _missed(one: Mapping[str, Any]) -> str:
    name, limit, actual = one["name"], one["limit"], one["actual"]
    if name == COPIES:
        return f"there {'is' if actual == 1 else 'are'} {plural(int(actual), 'verified archive')}, {limit:.0f} required"
    if name == PLACES:
        return f"{plural(int(actual), 'store')} with a current archive, {limit:.0f} required"
    allowed = f"{seconds_text(limit)} are allowed"
    if name == AGE:
        return f"the newest is {seconds_text(actual)} old, {allowed}" if actual is not None else "no archive is current"
    if actual is None:
        return f"no archive was ever proven, {allowed}"
    return f"an archive was last proven {seconds_text(actual)} ago, {allowed}"
