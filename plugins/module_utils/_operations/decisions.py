# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether to save and whether to restore, and why, in words (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .._errors import printable
from .._snapshot.records.fingerprint import Fingerprint, differing_types


class Decision(NamedTuple):
    """``go`` says whether to do it; ``reason`` why, or why not."""

    go: bool
    reason: str


DAMAGED = Decision(True, "the newest archive is damaged")
"""Stands in for a decision to be content with the newest archive, when a look at its bytes shows that it can't be."""

REBUILT = Decision(True, "the cluster was rebuilt: it shares no server with the newest archive of its name")
"""Stands in for a comparison with an archive of the servers that the cluster had before."""

EQUIVALENT = Decision(
    False, "the cluster already holds equivalent content; only records that servers create themselves differ"
)
"""Stands in for a decision to restore, when a closer look shows that there is nothing to do."""


@dataclass(frozen=True)
class NewestArchive:
    """The newest archive that is there of a cluster. ``fingerprint`` is None when it can't be compared with ours.

    ``confirmed_at``: seconds since the epoch when its content was last known to be the cluster's; None when no leader
    has confirmed that.
    """

    index: int
    confirmed_at: float | None
    fingerprint: Fingerprint | None


def should_take(held: NewestArchive | None, *, max_age: int | None, force: bool, now: float) -> Decision:
    """Decide whether a snapshot has to be taken at all."""
    if force:
        return Decision(True, "it was forced")
    if held is None or max_age is None:
        return Decision(True, "a snapshot tells")
    if held.confirmed_at is None:
        return Decision(True, "no leader has confirmed the newest archive")
    age = now - held.confirmed_at
    if age < 0:
        return Decision(True, "the newest archive is dated in the future")
    if age >= max_age:
        return Decision(True, f"the newest archive was confirmed {age:.0f} s ago, and max_age is {max_age} s")
    return Decision(
        False, f"the archive of index {held.index} was confirmed {age:.0f} s ago, and max_age is {max_age} s"
    )


def should_keep(
    held: NewestArchive | None,
    taken: Fingerprint,
    *,
    skip_unchanged: bool,
    force: bool,
    by_leader: bool = True,
) -> Decision:
    """Decide whether a snapshot that was taken is worth keeping.

    :param by_leader: whether a leader confirmed the snapshot. Without, equal content is not kept again either.
    """
    if force:
        return Decision(True, "it was forced")
    if held is None:
        return Decision(True, "there was no archive of this cluster")
    if held.fingerprint is None:
        return Decision(True, "the newest archive can't be compared with")
    changed = differing_types(held.fingerprint, taken)
    if changed:
        names = ", ".join(map(printable, changed))
        word = "changed since" if by_leader else "is not that of"
        return Decision(True, f"content {word} index {held.index}: {names}")
    if not skip_unchanged:
        return Decision(True, f"the content is still that of index {held.index}, and skip_unchanged is false")
    if not by_leader:
        return Decision(False, f"the content is that of index {held.index}, which no leader confirmed this time")
    return Decision(False, f"the content is still that of index {held.index}")


def keeps_newer(held: NewestArchive | None, index: int, *, by_leader: bool, force: bool) -> Decision | None:
    """Decide to leave an archive where it is rather than to put an older state of the cluster in its place.

    None: there is no reason to. Within one raft history a higher index holds all that a lower one does.
    """
    if held is None or by_leader or force or index >= held.index:
        return None
    return Decision(False, f"the archive of index {held.index} is newer than the state without a leader, index {index}")


def should_restore(archive: Fingerprint, target: Fingerprint | None, *, fresh: bool | None) -> Decision:
    """Decide whether the target has to be restored. ``target`` is None when its state could not be read."""
    if target is None:
        return Decision(True, "the cluster's own content could not be read")
    differs = differing_types(archive, target)
    if not differs:
        return Decision(False, "the cluster already holds the archive's content")
    if fresh:
        return Decision(True, "the cluster is fresh")
    return Decision(True, f"the cluster's content is not the archive's: {', '.join(differs)}")
