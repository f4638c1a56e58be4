# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holding an archive, and taking a hold back: a note beside it, and a legal hold of the store where it is asked for."""

from __future__ import annotations

from typing import NamedTuple

from .._errors import FailureKind, FileError, SnapshotError, StoreError, printable
from .._storage.hold import LIMIT, Hold, decode_hold, encode_hold, hold_name, hold_prefix
from .._storage.location import Location
from .._storage.manifest_file import manifest_path, manifest_text, signature_path
from .._storage.opening import open_store
from .._storage.protocol import Properties, Store
from .._storage.settings import StoreSettings


class HoldRequest(NamedTuple):
    """What is to hold: the note that is wanted, None: none; and whether the store itself is to hold it as well."""

    location: Location
    wanted: Hold | None
    legal_hold: bool = False
    store: StoreSettings = StoreSettings()


class Held(NamedTuple):
    """How it ended. ``before``, ``after``: the notes that counted, for people. ``legal_hold``: None for a directory."""

    changed: bool
    before: str | None
    after: str | None
    legal_hold: bool | None


def hold(request: HoldRequest, now: float, *, check: bool) -> Held:
    """Make the hold of an archive what is wanted.

    :param now: seconds since the epoch.
    :raises FileError: there is no such archive of this collection, or its directory can't be written.
    :raises StoreError: the store refused, or has no legal holds.
    """
    place, name = request.location.split()
    store = open_store(place, request.store)
    properties = _require_archive(store, name)
    notes = sorted((item.name for item in store.list(hold_prefix(name))), reverse=True)
    before = _counting(store, notes, now)
    note_differs = before != request.wanted or (request.wanted is None and bool(notes))
    lock_differs = request.legal_hold and properties.legal_hold != (request.wanted is not None)
    if not check:
        if lock_differs:
            _hold_in_store(store, name, on=request.wanted is not None)
        if note_differs:
            _write(store, name, notes, request.wanted, now)
    legal_hold = None if store.location.is_local else properties.legal_hold != lock_differs
    return Held(note_differs or lock_differs, _text(before), _text(request.wanted), legal_hold)


def _text(note: Hold | None) -> str | None:
    return None if note is None else note.as_text()


def _require_archive(store: Store, name: str) -> Properties:
    try:
        properties = store.properties(name)
        if manifest_text(store, name) is not None:
            return properties
        reason = "it has no manifest"
    except StoreError as error:
        if error.kind is not FailureKind.STORE_MISSING:
            raise
        reason = "there is nothing of that name"
    except FileError:
        raise
    except SnapshotError:
        reason = "its manifest can't be understood"
    path = store.place(name)
    raise FileError(
        f"path: {printable(path)} is not an archive of this collection: {reason}",
        hint="Name an archive that snapshot_list shows.",
        path=path,
    )


def _counting(store: Store, notes: list[str], now: float) -> Hold | None:
    """Return the newest note, where it still counts."""
    if not notes:
        return None
    note = decode_hold(store.read_small(notes[0], LIMIT + 1))
    return note if note.holds_at(now) else None


def _hold_in_store(store: Store, name: str, *, on: bool) -> None:
    beside = {item.name for item in store.list(name)}
    for one in (name, signature_path(name), manifest_path(name)):
        if one in beside:
            store.hold(one, on=on)


def _write(store: Store, name: str, notes: list[str], wanted: Hold | None, now: float) -> None:
    """Put the new note there before the older ones go, so that the archive is held at every instant."""
    new = None
    if wanted is not None:
        while hold_name(name, now) in notes:
            now += 1.0
        new = hold_name(name, now)
        store.put_new(new, encode_hold(wanted))
    for one in notes:
        if one != new:
            store.remove(one)
