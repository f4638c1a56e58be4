# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal came to: its verdict, the targets it met or missed, and one sentence for a person (pure)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from ..._model.finding_meanings import MEANINGS
from ..._model.losses import Loss, described, of_legacy_tokens
from .assertions import Outcome

PROVEN, NOT_PROVEN, REFUSED, DIED, INCOMPLETE = "proven", "not_proven", "refused", "died", "incomplete"
VERDICTS = (PROVEN, NOT_PROVEN, REFUSED, DIED, INCOMPLETE)
RTO, AGE = "rto", "age"
PHASES = ("start", "restore", "ready", "proof")
_LISTED = 3


class Target(NamedTuple):
    """A limit that a user set, in seconds, and what was measured; None where nothing was."""

    name: str
    limit: float
    actual: float | None
    met: bool


class Ending(NamedTuple):
    """How far it came. ``verdict`` None: it was only looked whether it could begin; ``reason`` and ``hint`` say why it
    is no better."""

    verdict: str | None
    reason: str
    hint: str
    assertions: tuple[Outcome, ...]
    targets: tuple[Target, ...]


def target(name: str, limit: float, actual: float | None) -> Target:
    """Return whether a limit was kept; what was not measured did not keep it."""
    return Target(name, limit, actual, actual is not None and actual <= limit)


def total(phases: dict[str, float]) -> float | None:
    """Return the time from nothing to a proven, running server; None when it did not come to that."""
    return round(sum(phases[name] for name in PHASES), 3) if all(name in phases for name in PHASES) else None


def passed(ending: Ending) -> bool:
    """Whether everything holds that was asked for."""
    held = all(one.passed for one in ending.assertions) and all(one.met for one in ending.targets)
    return ending.verdict in (PROVEN, None) and held


def disproven(differs: Sequence[str], losses: Collection[Loss], version: str | None) -> tuple[str, str]:
    """Return why a server that runs does not prove the archive, and what to do about it.

    :param differs: types of records that differ. :param losses: what the server's version has no place for.
    :param version: that of the server.
    """
    reason = f"the throwaway server runs, but its content is not the archive's: {', '.join(differs)}"
    if not losses:
        return reason, "The result's proof has the types, and how many records of each there are on either side."
    reason += f". Consul {version} does not know everything that the archive holds: {described(losses)}"
    if of_legacy_tokens(losses):
        return reason, f"{MEANINGS['legacy_token'].cure}. Then take a new archive, and rehearse that."
    return reason, "Rehearse it in the version it comes from, and see whether that version can do without what is lost."


def sentence(ending: Ending) -> str:
    """Return what does not hold, in one sentence."""
    parts = [ending.reason] if ending.verdict not in (PROVEN, None) else []
    if ending.verdict in (PROVEN, None):
        failed = [f"{one.name} ({one.detail})" for one in ending.assertions if not one.passed]
        if failed:
            parts.append(f"{len(failed)} of {len(ending.assertions)} assertions failed: {_listed(failed)}")
    parts += [_missed(one) for one in ending.targets if not one.met and (one.actual is not None or one.name == AGE)]
    begun = "the archive is proven, but " if ending.verdict == PROVEN else ""
    return begun + "; ".join(parts)


def advice(ending: Ending) -> str:
    """Return what to do about it."""
    if ending.hint:
        return ending.hint
    if any(not one.passed for one in ending.assertions):
        return "See whether the cluster still holds what the assertions name, and whether it was there at that time."
    late = [one.name for one in ending.targets if not one.met]
    if late == [AGE]:
        return "Take a new archive, and see why none was taken in time."
    return "See which phase takes the time, and on what host; or allow more."


def is_disk_full(text: str) -> bool:
    """Whether words say that there was no room left for what was written."""
    return any(words in text.lower() for words in ("no space left on device", "disk quota exceeded", "file too large"))


def _missed(one: Target) -> str:
    if one.actual is None:
        told = "the age of the archive is not known"
    else:
        told = f"the archive is {one.actual:g} s old" if one.name == AGE else f"it took {one.actual:g} s"
    return f"{told}, and {one.limit:g} s are allowed"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def as_results(ending: Ending) -> dict[str, Any]:
    """Return it as a module's result shows it."""
    return {
        "verdict": ending.verdict,
        "assertions": [one._asdict() for one in ending.assertions],
        "targets": [one._asdict() for one in ending.targets],
        "passed": passed(ending),
    }
