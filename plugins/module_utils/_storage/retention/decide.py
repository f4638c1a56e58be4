# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which archives of a store stay, and why (pure: no clock, no file, no network)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..._errors import printable
from ..._times import to_text
from ..chronology import is_ahead
from .periods import name_of, periods_of
from .policy import RULES, Policy

_UTC = datetime.timezone.utc
NEWEST = "the newest verified"
"""Why the archive stays that stands for its cluster."""


class Candidate(NamedTuple):
    """An archive with a manifest of ours, as its catalogue shows it.

    ``place``: its path or URL. ``group``: the cluster that it counts for. ``history``: which of the cluster's sets of
    Raft servers it is of; see ``groups``. Times are seconds since the epoch.
    ``verified``: whether its bytes are those that its manifest describes. ``rehearsed``: whether a rehearsal of it
    ended well. ``held``: why somebody holds it; None where nobody does. ``counts``: records by type (keys, tokens).
    """

    place: str
    group: str
    taken_at: float
    raft_index: int = 0
    verified: bool = True
    rehearsed: bool = False
    held: str | None = None
    locked_until: float | None = None
    counts: tuple[tuple[str, int], ...] = ()
    history: int = 0


class Retained(NamedTuple):
    """What was decided. ``reasons``: why each archive stays, by its place; without a reason it may go.

    ``refused``: groups of which more would go than is allowed, with what to say of it; all their archives stay.
    ``braked``: groups whose newest archive has lost too much; all their archives stay as well.
    """

    reasons: dict[str, tuple[str, ...]]
    refused: dict[str, str]
    braked: dict[str, str]

    @property
    def removable(self) -> list[str]:
        """The places of what may go."""
        return [place for place, reasons in self.reasons.items() if not reasons]


def decide(archives: Iterable[Candidate], policy: Policy, now: float, zone: datetime.tzinfo = _UTC) -> Retained:
    """Return why each archive stays; one without a reason may go.

    :param now: seconds since the epoch; it tells dates that lie ahead and locks that have run out, and nothing else.
    :param zone: where days, weeks, months and years begin.
    """
    groups: dict[str, list[Candidate]] = {}
    for archive in sorted(archives, key=_order, reverse=True):
        groups.setdefault(archive.group, []).append(archive)
    reasons: dict[str, tuple[str, ...]] = {}
    refused: dict[str, str] = {}
    braked: dict[str, str] = {}
    for name, group in groups.items():
        decided = _of_group(group, policy, now, zone)
        going = sum(not kept for kept in decided.values())
        shrunk = _shrunk(_trusted(group, now), policy.max_shrink) if going else None
        most = _most(len(group), policy)
        if shrunk:
            braked[name] = shrunk
        elif going > most:
            refused[name] = f"{going} of {len(group)} archives would go, and max_remove is {most}"
        stay = braked.get(name) or refused.get(name)
        for place, kept in decided.items():
            reasons[place] = tuple(kept) or ((stay,) if stay else ())
    return Retained(reasons, refused, braked)


def _order(archive: Candidate) -> tuple[float, int, str]:
    return archive.taken_at, archive.raft_index, archive.place


def _trusted(group: Sequence[Candidate], now: float) -> list[Candidate]:
    """Return the archives that count: verified, and not dated ahead."""
    return [archive for archive in group if archive.verified and not is_ahead(archive.taken_at, now)]


def _most(count: int, policy: Policy) -> int:
    return max(1, count // 2) if policy.max_remove is None else policy.max_remove


def _of_group(group: Sequence[Candidate], policy: Policy, now: float, zone: datetime.tzinfo) -> dict[str, list[str]]:
    """Return the reasons of one cluster's archives, which are given with the newest first."""
    reasons: dict[str, list[str]] = {archive.place: [] for archive in group}
    trusted = _trusted(group, now)
    for archive in group:
        reasons[archive.place] += _own_reasons(archive, trusted, now)
    if policy.is_empty or not trusted:
        why = "the policy is empty" if policy.is_empty else "no archive of this cluster is verified"
        for kept in reasons.values():
            kept.append(why)
        return reasons
    rehearsed = next((archive for archive in trusted if archive.rehearsed), None)
    if rehearsed:
        reasons[rehearsed.place].append("the newest that a rehearsal has proven")
    for archive in trusted[: max(1, policy.minimum)]:
        reasons[archive.place].append(NEWEST if archive is trusted[0] else f"minimum {policy.minimum}")
    # A cluster that was rebuilt, and two clusters with one name, look the same. What one of them held last stays.
    histories = {archive.history: archive for archive in reversed(trusted)}
    for archive in histories.values():
        if archive is not trusted[0]:
            reasons[archive.place].append("the newest of other servers of that name")
    for place, reason in _by_rules(trusted, policy, zone):
        reasons[place].append(reason)
    return reasons


def _own_reasons(archive: Candidate, trusted: Sequence[Candidate], now: float) -> list[str]:
    """Return why an archive stays whatever the policy says."""
    reasons = []
    if archive.held is not None:
        reasons.append(f"held: {printable(archive.held)}")
    if archive.locked_until is not None and archive.locked_until > now:
        reasons.append(f"locked until {to_text(archive.locked_until)}")
    if is_ahead(archive.taken_at, now):
        reasons.append("dated more than a day ahead")
    elif not archive.verified and (not trusted or _order(archive) > _order(trusted[0])):
        reasons.append("newer than the newest verified")
    return reasons


def _by_rules(trusted: Sequence[Candidate], policy: Policy, zone: datetime.tzinfo) -> list[tuple[str, str]]:
    kept = [(archive.place, f"last {policy.last}") for archive in trusted[: policy.last]]
    if policy.within:
        since = policy.within.before(trusted[0].taken_at, zone)
        kept += [(one.place, "within the span before the newest") for one in trusted if one.taken_at >= since]
    periods = {archive.place: periods_of(archive.taken_at, zone) for archive in trusted}
    for rule in RULES:
        wanted: int = getattr(policy, rule)
        newest: dict[tuple[int, ...], Candidate] = {}
        for archive in trusted:
            newest.setdefault(periods[archive.place][rule], archive)
        chosen = list(newest.items())[:wanted]
        kept += [(archive.place, f"{rule} {name_of(rule, period)}") for period, archive in chosen]
        if len(chosen) < wanted:
            kept.append((trusted[-1].place, f"{rule}, the oldest so far"))
    return kept


def _shrunk(trusted: Sequence[Candidate], percent: int) -> str | None:
    """Return what the newest archive has lost against the one before it, where that is more than is allowed."""
    if len(trusted) < 2:
        return None
    newest, before = dict(trusted[0].counts), dict(trusted[1].counts)
    for name, count in before.items():
        left = newest.get(name, 0)
        if count and (count - left) * 100 > percent * count:
            return f"the newest archive has {left} of the {count} {name} that the one before it has"
    return None
