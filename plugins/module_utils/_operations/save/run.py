# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow of a save, from the destination to the archive that is in place or confirmed."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..._consul.client import Client
from ..._consul.retry import with_retries
from ..._errors import FailureKind, StoreError
from ..._model.identity import ClusterIdentity
from ..._snapshot.checks.findings import Finding, judged_for
from ..._storage.archive_names import SEALED_ENDING
from ..._storage.backends.local import Prepare
from ..._storage.manifest import Consistency, Manifest, cluster_of, manifest_for
from ..._storage.new_archive import NewArchive
from ..._storage.protocol import Store
from ..._storage.settings import SealingSettings, StoreSettings
from ..._storage.store import Entry, extend_locks, is_intact, newest_of
from ..._system.atomic_files import make_directory
from ..capture import Capture, capture, named_after
from ..decision import Decision
from ..journal import Journal
from ..sealing import Sealed, prepare_sealing
from .decision import DAMAGED, Verdict, decide, is_less_than_asked, newest_archive, require_overwritable, should_take
from .destination import Destination, archives_at, clean, destination_of, require_room
from .preflight import LiveCluster, preflight
from .publish import confirm_existing, foretold, publish
from .remarks import remarks

_TRIES = 5
"""How often a snapshot is taken anew because another save got the name that it was to have."""


class SaveRequest(NamedTuple):
    """What is to be saved and where. ``max_stale`` in milliseconds, ``max_age`` in seconds.

    ``cluster``: the name that the archive is saved for; None: the cluster is known by its identity alone.

    ``create_directory``: make the directory when it isn't there, once it is known that the cluster can be saved.
    ``store``: how a bucket is reached. ``sealing``: to whom the archive is encrypted, and who signs its manifest.
    """

    dest: str
    datacenter: str | None
    stale: bool
    max_stale: int | None
    max_age: int | None
    skip_unchanged: bool
    force: bool
    create_directory: bool = False
    cluster: str | None = None
    store: StoreSettings = StoreSettings()
    sealing: SealingSettings = SealingSettings()


class Saved(NamedTuple):
    """How it ended: ``entry`` holds the cluster's content now, ``before`` is the archive that did until now.

    ``taken`` is None when no snapshot had to be taken. ``created`` are directories that were not there before.
    ``rebuilt``: the archive is the first of a cluster all of whose servers are new. ``remarks``: what somebody must be
    told although all went well. ``sealed_with``: the tool that encrypted a new archive. ``locked_until``: seconds since
    the epoch until which the store keeps the archive from being removed; None where no lock was asked for.
    """

    decision: Decision
    entry: Entry
    before: Entry | None
    taken: Capture | None
    created: tuple[str, ...] = ()
    by_leader: bool = True
    rebuilt: bool = False
    remarks: tuple[str, ...] = ()
    sealed_with: str | None = None
    locked_until: float | None = None

    @property
    def findings(self) -> list[Finding]:
        """What won't restore well into the version that the snapshot comes from; nothing where none was taken."""
        state = self.taken.archive.state if self.taken else None
        return judged_for(state.findings, state.origin.consul_version) if state else []


def save(
    client: Client, request: SaveRequest, journal: Journal, *, check: bool, prepare: Prepare | None = None
) -> Saved:
    """Save a cluster's state.

    :param journal: gets the phases ``look``, ``capture`` and ``publish``, and failed attempts.
    :param check: do everything but write.
    :param prepare: in a directory, gets the path of each new file, and the one where it is to be, before it is there.
    :raises SnapshotError: of any kind; what lies at ``dest`` is what it was before.
    """
    with journal.phase("look"):
        sealed = prepare_sealing(request.sealing)
        seals = sealed.seal is not None
        destination = destination_of(request.dest, create_directory=request.create_directory, seals=seals)
        store = destination.open(request.store)
        notes = [*sealed.remarks, *([] if check or destination.absent else clean(store))]
        live = _preflight(client, request, journal)
        created = make_directory(destination.directory) if destination.absent and not check else ()
        entries = archives_at(destination, store, force=request.force, cluster=live.identity)
        newest = _newest(destination, entries, live.identity)
        decision = _should_take(request, newest, live.identity)
        if not decision.go and newest and not _lacks(sealed, newest) and is_intact(store, newest):
            return Saved(decision, newest, newest, None, remarks=tuple(notes))
        if newest and not destination.is_bucket:
            require_room(destination.directory, newest)
    saving = _Saving(client, request, journal, check, prepare, sealed, destination, store, live)
    for number in range(1, _TRIES + 1):
        try:
            saved = saving.attempt(entries, number)
        except StoreError as error:
            if error.kind is not FailureKind.STORE_EXISTS or number == _TRIES:
                raise
            journal.again(error)
            with journal.phase("look"):
                entries = archives_at(destination, store, force=request.force, cluster=live.identity)
        else:
            return saved._replace(created=created, remarks=(*notes, *saved.remarks))
    raise AssertionError("the loop above returns or raises")


class _Saving(NamedTuple):
    """A save that has looked at both sides, and now takes a snapshot."""

    client: Client
    request: SaveRequest
    journal: Journal
    check: bool
    prepare: Prepare | None
    sealed: Sealed
    destination: Destination
    store: Store
    live: LiveCluster

    def attempt(self, entries: Sequence[Entry], number: int) -> Saved:
        """Take a snapshot, and keep it or confirm an archive.

        :param entries: the archives that are there. ``number``: becomes a part of the name if it is above 1.
        :raises StoreError: ``store_exists``: another save got the name first, and nothing is there of this one.
        """
        request, store, destination, locked_until = self.request, self.store, self.destination, None
        with contextlib.ExitStack() as stack:
            with self.journal.phase("capture"):
                archive = None if self.check else stack.enter_context(self._new_archive())
                taken = self._capture(archive, number)
            with self.journal.phase("publish"):
                manifest = _manifest(request, self.live, taken)
                before = _before(request, destination, entries, manifest, taken)
                verdict = _decide(request, destination, store, self.sealed, before, manifest)
                confirmed = None if verdict.decision.go else before
                if confirmed is not None:
                    entry = confirm_existing(store, confirmed, manifest, now=time.time(), check=self.check)
                elif archive is not None:
                    entry = publish(archive, destination, manifest)
                else:
                    entry = foretold(destination, store, manifest, ending=self._ending)
                if not self.check and request.store.object_lock is not None:
                    locked_until = extend_locks(store, entry)
        lines = remarks(
            manifest,
            entries,
            replaced=before if verdict.rebuilt else None,
            server_time=taken.archive.meta.taken_at,
            now=time.time(),
        )
        return Saved(
            decision=verdict.decision,
            entry=entry,
            before=before,
            taken=taken,
            by_leader=manifest.confirmed_by_leader,
            rebuilt=verdict.rebuilt,
            remarks=lines,
            sealed_with=self.sealed.tool if confirmed is None else None,
            locked_until=locked_until,
        )

    @property
    def _ending(self) -> str:
        return "" if self.sealed.seal is None else SEALED_ENDING

    def _new_archive(self) -> NewArchive:
        file = self.destination.file
        return NewArchive(
            self.store,
            seal=self.sealed.seal,
            sign=self.sealed.sign,
            file=None if file is None else os.path.basename(file),
            prepare=self.prepare,
        )

    def _capture(self, archive: NewArchive | None, number: int) -> Capture:
        client, request = self.client, self.request
        return with_retries(
            lambda: capture(
                client,
                archive,
                name_of=named_after(self.live.identity, number),
                datacenter=request.datacenter,
                stale=request.stale,
                max_stale=request.max_stale,
            ),
            retries=client.connection.retries,
            delay=client.connection.retry_delay,
            report=self.journal.again,
        )


def _preflight(client: Client, request: SaveRequest, journal: Journal) -> LiveCluster:
    return with_retries(
        lambda: preflight(client, datacenter=request.datacenter, stale=request.stale, name=request.cluster),
        retries=client.connection.retries,
        delay=client.connection.retry_delay,
        report=journal.again,
    )


def _newest(
    destination: Destination, entries: Sequence[Entry], cluster: ClusterIdentity, *, reached: int | None = None
) -> Entry | None:
    """Return the archive that a new one follows; see ``newest_of`` for ``reached``. A file has one place only."""
    if destination.file is not None:
        return entries[0] if entries else None
    return newest_of(entries, cluster, time.time(), reached=reached)


def _should_take(request: SaveRequest, newest: Entry | None, cluster: ClusterIdentity) -> Decision:
    archive = newest_archive(newest.manifest if newest else None, cluster)
    return should_take(archive, max_age=request.max_age, force=request.force, now=time.time())


def _manifest(request: SaveRequest, live: LiveCluster, taken: Capture) -> Manifest:
    """Return the manifest of a snapshot that was just taken."""
    consistency = Consistency(request.stale, taken.headers.last_contact_ms, taken.headers.known_leader)
    manifest = manifest_for(
        taken.archive,
        taken.digest,
        file=os.path.basename(request.dest),
        cluster=cluster_of(taken.archive, live.identity, request.cluster),
        consistency=consistency,
    )
    return replace(manifest, confirmed_by_leader=consistency.by_leader and live.has_leader)


def _before(
    request: SaveRequest, destination: Destination, entries: Sequence[Entry], manifest: Manifest, taken: Capture
) -> Entry | None:
    """Return the archive that held the cluster's content until now. The snapshot tells which cluster it is of.

    :raises DestinationError: it is at ``dest`` and may not be overwritten.
    """
    reached = manifest.index if manifest.confirmed_by_leader else None
    before = _newest(destination, entries, manifest.cluster, reached=reached)
    if before and destination.file is not None and not request.force:
        require_overwritable(
            destination.file,
            before.manifest.cluster,
            manifest.cluster,
            holds_user_records=bool(taken.archive.state.user_records),
        )
    return before


def _lacks(sealed: Sealed, newest: Entry) -> Decision | None:
    """Return the decision that follows where the newest archive is not sealed as archives are to be; else None."""
    return is_less_than_asked(
        sealed=newest.manifest.sealed is not None,
        signed=newest.signed,
        seals=sealed.seal is not None,
        signs=sealed.sign is not None,
    )


def _decide(
    request: SaveRequest,
    destination: Destination,
    store: Store,
    sealed: Sealed,
    before: Entry | None,
    manifest: Manifest,
) -> Verdict:
    verdict = decide(
        before.manifest if before else None,
        manifest,
        overwrites=destination.file is not None,
        skip_unchanged=request.skip_unchanged,
        force=request.force,
    )
    if verdict.decision.go or before is None:
        return verdict
    lacks = _lacks(sealed, before)
    if lacks is not None and manifest.confirmed_by_leader:
        return verdict._replace(decision=lacks)
    return verdict if is_intact(store, before) else verdict._replace(decision=DAMAGED)
