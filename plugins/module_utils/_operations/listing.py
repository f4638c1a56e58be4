# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives of a store, in order, those of one cluster or all, and how old what they hold is."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from .._errors import FailureKind, FileError, OptionError, SnapshotError, StoreError, printable
from .._storage.archive_selection import ALL, NEWEST, moment, of_cluster
from .._storage.catalogue import Catalogue, Listed, Skipped, each, read_catalogue
from .._storage.chronology import NEVER, Stamp, dated_ahead, histories, in_order, is_ahead
from .._storage.location import parse_location
from .._storage.manifest_file import (
    MATCHES,
    STALE,
    UNREADABLE,
    concerns_the_store,
    manifest_path,
    manifest_text,
    signature_beside,
)
from .._storage.opening import open_store
from .._storage.protocol import Properties, Store
from .._storage.sealing.signature_words import MISSING, Refusal, Signer, Verdict, refusal
from .._storage.sealing.signatures import verify
from .._storage.settings import SealingSettings, StoreSettings
from .._times import to_text
from .journal import Journal

UNREADABLE_MANIFEST = "manifest"
"""Why a signature does not count: the manifest that it is of can't be read."""


class ListRequest(NamedTuple):
    """What is to be listed: see the module's options of these names. ``store``: how a bucket is reached."""

    path: str
    cluster: str | None = None
    unnamed: bool = True
    pick: str = ALL
    store: StoreSettings = StoreSettings()
    sealing: SealingSettings = SealingSettings()
    locks: bool = False


class Listing(NamedTuple):
    """What lies there, the newest first. ``newest_confirmed_at``: seconds since the epoch, never ahead of now."""

    exists: bool
    archives: list[Listed]
    skipped: list[Skipped]
    newest_confirmed_at: float | None
    remarks: list[str]
    other_clusters: tuple[str, ...] = ()
    """Names of other clusters whose archives are there and were left out."""
    locks: tuple[Properties | None, ...] | None = None
    """What the store says of each archive, None of one that is gone; None where that was not asked for."""
    verdicts: tuple[Verdict, ...] | None = None
    """Who signed the manifest of each archive, or why its signature does not count; None without allowed signers."""


def list_archives(request: ListRequest, journal: Journal, now: float) -> Listing:
    """Return the archives of a store.

    :param journal: gets the phase ``read``.
    :raises OptionError: ``pick`` is not a choice or a time, or the URL can't be used. :raises FileError: the directory
        can't be read. :raises StoreError: the bucket can't be. :raises SignatureError: signatures can't be checked.
    """
    until = _until(request.pick)
    with journal.phase("read"):
        store = _store(request)
        if store is None:
            return select(request, Catalogue([], []), until, now)._replace(exists=False)
        listing = select(request, read_catalogue(store), until, now)
        if request.locks:
            listing = listing._replace(locks=_locks(store, listing.archives))
        if request.sealing.allowed_signers is not None:
            listing = listing._replace(verdicts=_verdicts(store, listing.archives, request.sealing))
    return listing


def _locks(store: Store, archives: list[Listed]) -> tuple[Properties | None, ...]:
    def properties(name: str) -> Properties | None:
        try:
            return store.properties(name)
        except StoreError as error:
            if error.kind is FailureKind.STORE_MISSING:
                return None
            raise

    return tuple(each(store, properties, [archive.name for archive in archives]))


def _verdicts(store: Store, archives: list[Listed], sealing: SealingSettings) -> tuple[Verdict, ...]:
    def verdict(archive: Listed) -> Verdict:
        if not archive.signed:
            return refusal(MISSING)
        try:
            told, signature = manifest_text(store, archive.name), signature_beside(store, archive.name)
        except SnapshotError as error:
            if isinstance(error, StoreError) and concerns_the_store(error):
                raise
            return Refusal(UNREADABLE_MANIFEST, printable(error.message))
        if told is None or signature is None:
            return refusal(MISSING)
        return verify(
            told.text,
            signature,
            sealing.allowed_signers or "",
            taken_at=told.manifest.taken_at,
            revoked_signers=sealing.revoked_signers,
        )

    return tuple(each(store, verdict, archives))


def select(request: ListRequest, catalogue: Catalogue, until: float | None, now: float) -> Listing:
    """Return what is listed of a directory that exists (pure). ``until``: a time that no archive is newer than."""
    archives, remarks, others = catalogue.archives, [], set()
    if request.cluster is not None:
        clusters = [archive.cluster for archive in archives]
        others = {printable(cluster.name) for cluster in clusters if cluster.name not in (None, request.cluster)}
        archives = [archives[position] for position in of_cluster(clusters, request.cluster, unnamed=request.unnamed)]
        remarks += _of_several(request, archives)
    archives = _newest_first(archives, until, now)
    if request.cluster is not None:
        remarks += _emptied(archives)
    if request.pick == NEWEST:
        archives = archives[:1]
    confirmed = [time for time in (confirmed_at(archive, now) for archive in archives) if time is not None]
    remarks += dated_ahead([(archive.path, archive.taken_at) for archive in archives], now)
    return Listing(True, archives, catalogue.skipped, max(confirmed, default=None), remarks, tuple(sorted(others)))


def confirmed_at(archive: Listed, now: float) -> float | None:
    """Return when an archive's content was last known to be the cluster's; None when nobody can say."""
    manifest = archive.manifest
    if manifest is None or not manifest.confirmed_by_leader or is_ahead(manifest.confirmed_at, now):
        return None
    return min(manifest.confirmed_at, now)


def results(listing: Listing, now: float) -> list[dict[str, Any]]:
    """Return the archives as a result holds them, with what was asked of each of them."""
    rows = [as_json(archive, now) for archive in listing.archives]
    for row, properties in zip(rows, listing.locks or ()):
        row["locked_until"] = to_text(properties.locked_until) if properties else None
        row["held"] = properties.legal_hold if properties else None
    for row, verdict in zip(rows, listing.verdicts or ()):
        row["signed_by"] = verdict.identity if isinstance(verdict, Signer) else None
        row["signature_fault"] = verdict.reason if isinstance(verdict, Refusal) else None
    return rows


def as_json(archive: Listed, now: float) -> dict[str, Any]:
    """Return an archive as a result holds it."""
    ahead = is_ahead(archive.taken_at, now)
    described = archive.status in (MATCHES, STALE, UNREADABLE)
    fingerprint = archive.manifest.fingerprint if archive.manifest else None
    return {
        "path": archive.path,
        "manifest": manifest_path(archive.path) if described else None,
        "manifest_status": archive.status,
        "cluster": archive.cluster.as_json(),
        "taken_at": None if ahead else to_text(min(archive.taken_at, now)),
        "confirmed_at": to_text(confirmed_at(archive, now)),
        "confirmed_by_leader": archive.manifest.confirmed_by_leader if archive.manifest else None,
        "dated_ahead": ahead,
        "index": archive.index,
        "size": archive.size,
        "sha256": archive.manifest.sha256 if archive.manifest else None,
        "fingerprint": fingerprint.overall if fingerprint else None,
        "sealed": archive.sealed,
        "signed": archive.signed,
    }


def _store(request: ListRequest) -> Store | None:
    """Return the store at the path or URL; None when there is nothing at a path."""
    location = parse_location(request.path, "path")
    if location.is_local:
        path = location.path
        if not os.path.lexists(path):
            return None
        if not os.path.isdir(path):
            path = printable(path)
            raise FileError(f"path: {path} is not a directory", hint="Set it to a directory of archives.", path=path)
    return open_store(location, request.store)


def _newest_first(archives: list[Listed], until: float | None, now: float) -> list[Listed]:
    places = in_order([Stamp(one.cluster.servers, one.index, one.taken_at) for one in archives], now)
    if until is not None:
        # An archive whose own date is not believed counts with that of the archive before it.
        dates = [archives[place.position].taken_at for place in places]
        dates = [place.counts_as if is_ahead(date, now) else date for place, date in zip(places, dates)]
        places = [place for place, date in zip(places, dates) if NEVER < date <= until]
    return [archives[place.position] for place in places]


def _until(pick: str) -> float | None:
    if pick in (ALL, NEWEST):
        return None
    try:
        return moment(pick)
    except (ValueError, OverflowError):
        raise OptionError(
            f"pick: {printable(pick)} is not newest, all or a time", hint="Write a time as 2026-11-23T02:15:00Z."
        ) from None


def _of_several(request: ListRequest, archives: list[Listed]) -> list[str]:
    nameless = [archive.cluster for archive in archives if archive.cluster.name is None]
    identities = {(cluster.datacenter, cluster.id) for cluster in nameless if cluster.datacenter}
    groups = histories([cluster.servers for cluster in nameless if cluster.servers])
    if len(nameless) < len(archives) or (len(identities) < 2 and len(groups) < 2):
        return []
    count = max(len(identities), len(groups))
    return [
        f"no archive in {printable(request.path)} names the cluster {printable(request.cluster)}, and the archives "
        f"without a name are of {count} clusters. Save with the cluster's name, or list with unnamed: false."
    ]


def _emptied(archives: list[Listed]) -> list[str]:
    """Return a remark when the newest archive is of an empty cluster, and an older one holds something; or nothing."""
    stored = [bool(one.manifest.user_records) if one.manifest else None for one in archives]
    if stored[:1] != [False] or True not in stored:
        return []
    full = archives[stored.index(True)]
    return [
        f"the newest archive, {printable(archives[0].path)}, holds nothing that users stored, and an older one does: "
        f"{printable(full.path)}. The cluster was empty, or had been rebuilt, when the newest archive was taken."
    ]
