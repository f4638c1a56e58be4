# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether to take a snapshot, whether to keep it, and why, in words (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..._errors import DestinationError, printable
from ..._model.identity import ClusterIdentity
from ..._snapshot.records.fingerprint import Fingerprint
from ..._storage.manifest import Manifest
from ..decision import Decision, difference_in_words

FORCED = Decision(True, "it was forced")
DAMAGED = Decision(True, "the newest archive is damaged")
"""Stands in for a decision to be content with the newest archive, when its bytes turn out to be damaged."""
PLAIN = Decision(True, "the newest archive is not encrypted")
UNSIGNED = Decision(True, "the newest archive is not signed")
"""Stand in for the same decision, when archives are to be sealed from now on."""
REBUILT = Decision(True, "the cluster was rebuilt: it shares no server with the newest archive of its name")


@dataclass(frozen=True)
class NewestArchive:
    """The newest archive of a cluster. ``fingerprint`` is None when it can't be compared with ours.

    ``confirmed_at``: seconds since the epoch when its content was last known to be the cluster's; None when no leader
    has confirmed that.
    """

    index: int
    confirmed_at: float | None
    fingerprint: Fingerprint | None


class Verdict(NamedTuple):
    """What becomes of a snapshot. ``rebuilt``: it is the first of a cluster all of whose servers are new."""

    decision: Decision
    rebuilt: bool


def newest_archive(manifest: Manifest | None, cluster: ClusterIdentity) -> NewestArchive | None:
    """Return the archive that stands for the cluster's content; None when it is not certainly of the same servers."""
    if manifest is None or not manifest.cluster.is_same(cluster):
        return None
    confirmed_at = manifest.confirmed_at if manifest.confirmed_by_leader else None
    return NewestArchive(manifest.index, confirmed_at, manifest.fingerprint)


def is_less_than_asked(*, sealed: bool, signed: bool, seals: bool, signs: bool) -> Decision | None:
    """Return the decision to keep a new archive where the newest one is not sealed as archives are to be; else None.

    :param sealed: whether the newest archive is encrypted. ``signed``: whether its manifest has a signature.
    :param seals: whether a new archive is to be encrypted. ``signs``: whether its manifest is to be signed.
    """
    if seals and not sealed:
        return PLAIN
    return UNSIGNED if signs and not signed else None


def should_take(newest: NewestArchive | None, *, max_age: int | None, force: bool, now: float) -> Decision:
    """Decide whether a snapshot has to be taken at all."""
    if force:
        return FORCED
    if newest is None or max_age is None:
        return Decision(True, "only a snapshot can tell")
    if newest.confirmed_at is None:
        return Decision(True, "no leader has confirmed the newest archive")
    age = now - newest.confirmed_at
    if age < 0:
        return Decision(True, "the newest archive is dated in the future")
    if age >= max_age:
        return Decision(True, f"the newest archive was confirmed {age:.0f} s ago, and max_age is {max_age} s")
    return Decision(
        False, f"the archive of index {newest.index} was confirmed {age:.0f} s ago, and max_age is {max_age} s"
    )


def decide(
    before: Manifest | None,
    snapshot: Manifest,
    *,
    overwrites: bool,
    skip_unchanged: bool,
    force: bool,
) -> Verdict:
    """Decide whether a snapshot is kept.

    :param before: the manifest of the newest archive, or of the one at ``dest``; None where there is none.
    :param snapshot: the manifest that the snapshot has, or would have.
    :param overwrites: whether the snapshot takes the place of the archive ``before``.
    """
    cluster, by_leader = snapshot.cluster, snapshot.confirmed_by_leader
    newest = newest_archive(before, cluster)
    same_name = before is not None and cluster.name is not None and before.cluster.name == cluster.name
    rebuilt = newest is None and same_name
    if force:
        return Verdict(FORCED, rebuilt)
    if rebuilt:
        return Verdict(REBUILT, rebuilt)
    if overwrites and newest and not by_leader and snapshot.index < newest.index:
        return Verdict(_keep_newer(newest.index, snapshot.index), rebuilt)
    return Verdict(
        should_keep(newest, snapshot.fingerprint, skip_unchanged=skip_unchanged, by_leader=by_leader), rebuilt
    )


def should_keep(
    newest: NewestArchive | None, snapshot: Fingerprint | None, *, skip_unchanged: bool, by_leader: bool = True
) -> Decision:
    """Decide by its content whether a snapshot is kept.

    :param by_leader: whether a leader confirmed the snapshot. Without, equal content is not kept again either.
    """
    if newest is None:
        return Decision(True, "there was no archive of this cluster")
    if newest.fingerprint is None or snapshot is None:
        return Decision(True, "the newest archive has a fingerprint of another version")
    difference = difference_in_words(newest.fingerprint, snapshot)
    if difference:
        relation = "changed since" if by_leader else "differs from that of"
        return Decision(True, f"content {relation} index {newest.index}: {difference}")
    if not skip_unchanged:
        return Decision(True, f"the content is still that of index {newest.index}, and skip_unchanged is false")
    if not by_leader:
        return Decision(False, f"the content is that of index {newest.index}, which no leader confirmed this time")
    return Decision(False, f"the content is still that of index {newest.index}")


def require_overwritable(
    dest: str, before: ClusterIdentity, cluster: ClusterIdentity, *, holds_user_records: bool
) -> None:
    """Make sure that the archive at ``dest`` may be overwritten without force.

    :param before: the cluster of that archive. ``cluster``: the one that was saved.
    :param holds_user_records: whether users stored anything in the cluster that was saved.
    :raises DestinationError: it is of another cluster, or of this one before it was rebuilt and is empty now.
    """
    same_name = before.name is not None and before.name == cluster.name
    two_names = None not in (before.name, cluster.name) and not same_name
    if before.is_same(cluster) and not two_names:
        return
    if not same_name:
        raise DestinationError(
            f"dest: {dest} holds an archive of {before.as_text()}, and this one is of {cluster.as_text()}",
            hint="Choose another path for this cluster, or set force: true to overwrite that archive.",
            path=dest,
        )
    if not holds_user_records:
        raise DestinationError(
            f"dest: {dest} holds an archive of {printable(cluster.name)} from before it was rebuilt, and the "
            "cluster holds nothing that users stored",
            hint="Restore that archive first, or choose another path, or set force: true to overwrite it.",
            path=dest,
        )


def _keep_newer(newest: int, snapshot: int) -> Decision:
    # Within one raft history a higher index holds all that a lower one does.
    return Decision(
        False, f"the archive of index {newest} is newer than this snapshot, which has index {snapshot} and no leader"
    )
