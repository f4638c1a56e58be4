# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of a store, as sentences and verdicts (pure).

``ok`` is True where the archives are protected in that respect, False where they are not, None where nobody can say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from .._errors import SnapshotError, listed
from .._storage.settings import ObjectLock
from .._times import to_text

WRITE, READ_BACK, CREATE_ONLY, CHECKSUMS, ATOMIC = "write", "read_back", "create_only", "checksums", "atomic"
VERSIONING, OBJECT_LOCK, MAY_OVERWRITE, MAY_DELETE = "versioning", "object_lock", "may_overwrite", "may_delete"
NAMES = (WRITE, READ_BACK, CREATE_ONLY, CHECKSUMS, ATOMIC, VERSIONING, OBJECT_LOCK, MAY_OVERWRITE, MAY_DELETE)
PROMISES = (CREATE_ONLY, CHECKSUMS, ATOMIC)
"""What every store should do, whatever its settings; one that doesn't is warned about."""

_READ_ONLY = "not tried in check mode, which writes nothing"


class Check(NamedTuple):
    """One row of the result."""

    name: str
    ok: bool | None
    detail: str


class Race(NamedTuple):
    """How writers of one name at the same time fared: how many there were, and how many were told that they won."""

    writers: int
    winners: int


def not_tried(name: str, *, check: bool) -> Check:
    """Return the row of a check that needs something written."""
    return Check(name, None, _READ_ONLY if check else "not tried, because nothing can be written")


def denied(name: str, error: SnapshotError) -> Check:
    """Return the row of a check that the store refused to answer."""
    return Check(name, None, f"not known: {error.message}")


def wrote(error: SnapshotError | None) -> Check:
    """Return whether an object could be stored; ``error``: what happened instead."""
    if error is None:
        return Check(WRITE, True, "an object was stored")
    return Check(WRITE, False, f"no object can be stored: {error.message}")


def read_back(faults: Sequence[str]) -> Check:
    """Return whether an object reads as it was stored. ``faults``: what was different, as words."""
    if not faults:
        return Check(READ_BACK, True, "the object is listed, and reads as it was stored")
    return Check(READ_BACK, False, f"the object differs from what was stored: {listed(faults)}")


def create_only(small: bool, large: bool, race: Race) -> Check:
    """Return whether an object is safe from a second one of its name.

    :param small: whether a second object, sent in one request, was refused. ``large``: one uploaded in parts.
    """
    faults = []
    if not small:
        faults.append("a second object of the same name was accepted")
    if not large:
        faults.append("an upload in parts of the same name was accepted")
    if race.winners > 1:
        faults.append(f"{race.winners} of {race.writers} writers at once were told that they had created the object")
    if faults:
        return Check(CREATE_ONLY, False, f"not enforced: {listed(faults)}. Give each archive one writer only")
    return Check(CREATE_ONLY, True, f"one of {race.writers} writers at once created the object; no other replaced it")


def checksums(accepted: bool | None) -> Check:
    """Return whether bytes that were damaged on the way are refused."""
    if accepted is None:
        return Check(CHECKSUMS, None, "this kind of store has no upload checksums; archives are verified on every read")
    if accepted:
        return Check(CHECKSUMS, False, "not enforced: an object with a wrong checksum was accepted")
    return Check(CHECKSUMS, True, "an object with a wrong checksum was refused")


def atomic(faults: Sequence[str]) -> Check:
    """Return whether an upload is visible only once it is complete. ``faults``: what was seen otherwise, as words."""
    if faults:
        return Check(ATOMIC, False, listed(faults))
    return Check(ATOMIC, True, "an upload in parts was not visible before it was complete")


def versioning(kept: bool | None) -> Check:
    """Return whether what is overwritten or removed can be brought back."""
    if kept is None:
        return Check(VERSIONING, None, "this kind of store has no versions")
    if kept:
        return Check(VERSIONING, True, "the store keeps older versions of what is overwritten or removed")
    return Check(VERSIONING, False, "the store keeps no older versions: what is overwritten or removed is gone")


def lock_default(default: ObjectLock | None) -> Check:
    """Return whether new objects are locked by the store, where the task asks for no lock of its own."""
    if default is None:
        detail = "new objects are not locked: neither store.object_lock nor a default retention of the store is set"
        return Check(OBJECT_LOCK, False, detail)
    days = f"for {default.days} day{'s' if default.days != 1 else ''}"
    return Check(OBJECT_LOCK, True, f"the store locks each new object {days}, mode {default.mode}")


def lock_kept(lock: ObjectLock, until: float, seen: float | None, *, removed: bool) -> Check:
    """Return whether a lock that was asked for holds.

    :param until: when it was to end; ``seen``: when it ends by the store's word. Seconds since the epoch.
    :param removed: whether the locked object could be removed.
    """
    if removed:
        return Check(OBJECT_LOCK, False, "the lock was accepted and is not enforced: the locked object was removed")
    if seen is None or seen < until - 1:
        told = "does not say until when" if seen is None else f"says until {to_text(seen)}"
        return Check(OBJECT_LOCK, False, f"a lock until {to_text(until)} was requested, and the store {told}")
    return Check(OBJECT_LOCK, True, f"an object with a lock of mode {lock.mode} could not be removed")


def no_lock(error: SnapshotError) -> Check:
    """Return the row of a lock that the store did not accept."""
    return Check(OBJECT_LOCK, False, f"the store does not accept object locks: {error.message}")


def may_overwrite(refusal: SnapshotError | None, *, kept: bool | None) -> Check:
    """Return whether these credentials can overwrite an object.

    :param refusal: what the store answered; None: it was overwritten. ``kept``: as in ``versioning``.
    """
    if refusal is not None:
        return Check(MAY_OVERWRITE, True, f"an object could not be overwritten: {refusal.message}")
    suffix = "; the older version is kept" if kept else ""
    return Check(MAY_OVERWRITE, False, f"these credentials can overwrite objects{suffix}")


def may_delete(refusal: SnapshotError | None) -> Check:
    """Return whether these credentials can remove an object permanently; ``refusal`` as in ``may_overwrite``."""
    if refusal is not None:
        return Check(MAY_DELETE, True, f"an object could not be removed: {refusal.message}")
    return Check(MAY_DELETE, False, "these credentials can remove objects permanently")


def missing(checks: Sequence[Check], required: Collection[str]) -> list[Check]:
    """Return the checks that are required and not ok, in the order of the table."""
    return [check for check in checks if check.name in required and check.ok is not True]


def warnings_of(checks: Sequence[Check]) -> list[str]:
    """Return a warning for each promise that the store doesn't keep."""
    return [f"{check.name}: {check.detail}" for check in checks if check.name in PROMISES and check.ok is False]
