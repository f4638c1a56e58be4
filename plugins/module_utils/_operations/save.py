# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving a cluster's state: look, decide, take, decide again, put in place."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from .._consul.client import Client
from .._consul.cluster import may_snapshot, read_identity, read_leader
from .._consul.retry import with_retries
from .._errors import ApiError, ArchiveError, ClusterError, DestinationError, FileError, SnapshotError, printable
from .._model.identity import ClusterIdentity
from .._snapshot.checks.findings import Finding, judged_for
from .._snapshot.reader import Archive, begins_like_archive, read_archive
from .._storage.chronology import dated_ahead, is_ahead
from .._storage.manifest import Consistency, Manifest
from .._storage.store import (
    Entry,
    archive_path,
    cluster_of,
    confirm,
    described_by_manifest,
    entries_of,
    is_intact,
    manifest_for,
    newest_of,
    put,
    put_new,
    taken_at_of,
)
from .._system.atomic_files import (
    AtomicFile,
    digest_of,
    existing_part,
    free_bytes,
    make_directory,
    read_pieces,
    remove_leftovers,
    require_directory,
)
from .._times import to_text
from .capture import Capture, capture
from .decisions import DAMAGED, REBUILT, Decision, NewestArchive, keeps_newer, should_keep, should_take

_GIVE_ONE = 'Set token, token_file or CONSUL_HTTP_TOKEN to a token whose policy has acl = "write".'
_ANONYMOUS = "no token was given, and anonymous requests may not save snapshots"


class SaveRequest(NamedTuple):
    """What is to be saved and where. ``max_stale`` in milliseconds, ``max_age`` in seconds.

    ``cluster``: the name that the archive is saved for; None: the cluster is known by its identity alone.

    ``create_directory``: make the directory when it isn't there, once it is known that the cluster can be saved.
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


class Saved(NamedTuple):
    """How it ended: ``entry`` holds the cluster's content now, ``before`` is the one that did until now.

    ``taken`` is None when no snapshot had to be taken. ``created`` are directories that were not there before.
    ``rebuilt``: the archive is the first of a cluster all of whose servers are new. ``remarks``: what somebody must be
    told although all went well.
    """

    decision: Decision
    entry: Entry
    before: Entry | None
    taken: Capture | None
    created: tuple[str, ...] = ()
    by_leader: bool = True
    rebuilt: bool = False
    remarks: tuple[str, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        """What won't restore well into the version that the snapshot comes from; nothing where none was taken."""
        state = self.taken.archive.state if self.taken else None
        return judged_for(state.findings, state.origin.consul_version) if state else []


class _Live(NamedTuple):
    """The cluster as it answers; ``led``: whether it has a leader."""

    cluster: ClusterIdentity
    led: bool


class _Settled(NamedTuple):
    decision: Decision
    entry: Entry
    before: Entry | None
    by_leader: bool
    rebuilt: bool


def save(
    client: Client,
    request: SaveRequest,
    *,
    check: bool,
    report: Callable[[SnapshotError], None],
    prepare: Callable[[str, str], None] | None = None,
) -> Saved:
    """Save a cluster's state.

    :param check: do everything but write.
    :param report: gets the error of each try that is followed by another.
    :param prepare: gets the path of each new file, and the one where it is to be, before it is put there.
    :raises SnapshotError: of any kind; what lies at ``dest`` is what it was before.
    """
    into_directory = os.path.isdir(request.dest) or request.dest.endswith(os.sep)
    directory = request.dest.rstrip(os.sep) or os.sep if into_directory else os.path.dirname(request.dest) or "."
    absent = request.create_directory and not os.path.lexists(directory)
    require_directory(existing_part(directory) if absent else directory)
    if not check and not absent:
        remove_leftovers(directory)

    retries, delay = client.connection.retries, client.connection.retry_delay
    live = with_retries(lambda: _look(client, request), retries=retries, delay=delay, report=report)
    entries: list[Entry] = []
    created: tuple[str, ...] = ()
    if absent:
        created = () if check else make_directory(directory)
    elif into_directory:
        entries = entries_of(directory)
    elif not request.force:
        entries = [one for one in [_at(request.dest)] if one]
    now = time.time()
    before = newest_of(entries, live.cluster, now) if into_directory else next(iter(entries), None)
    first = should_take(_held(before, live.cluster), max_age=request.max_age, force=request.force, now=now)
    if not first.go and before and is_intact(before):
        return Saved(first, before, before, None)
    if before:
        _require_room(directory, before)

    def taken_into(partial: AtomicFile | None) -> Capture:
        def attempt() -> Capture:
            return capture(
                client, partial, datacenter=request.datacenter, stale=request.stale, max_stale=request.max_stale
            )

        return with_retries(attempt, retries=retries, delay=delay, report=report)

    with contextlib.ExitStack() as stack:
        partial = None if check else stack.enter_context(AtomicFile(directory))
        taken = taken_into(partial)
        settled = _settle(request, directory if into_directory else None, live, entries, taken)
        entry = settled.entry
        if partial is not None and settled.decision.go:
            if into_directory:
                entry = put_new(partial, directory, entry.manifest, prepare=prepare)
            else:
                put(partial, entry.path, entry.manifest, prepare=prepare)
        elif partial is not None and settled.by_leader:
            confirm(entry.path, entry.manifest)
    remarks = _remarks(request, settled, entries, taken)
    return Saved(settled.decision, entry, settled.before, taken, created, settled.by_leader, settled.rebuilt, remarks)


def _look(client: Client, request: SaveRequest) -> _Live:
    if may_snapshot(client, request.datacenter) is False:
        raise ApiError(
            "the token may not save snapshots" if client.connection.token else _ANONYMOUS,
            status=403,
            body="",
            url=client.url("/v1/snapshot"),
            kind="permission_denied",
            hint='Give it a policy with acl = "write".' if client.connection.token else _GIVE_ONE,
        )
    led = bool(read_leader(client, request.datacenter))
    if not request.stale and not led:
        raise ClusterError(
            "the cluster has no leader",
            hint="See 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
        )
    return _Live(read_identity(client, request.datacenter)._replace(name=request.cluster), led)


def _at(dest: str) -> Entry | None:
    """Return what lies at ``dest``, described by its manifest or, without one, by itself; None when it is not whole."""
    if not os.path.lexists(dest):
        return None
    known = described_by_manifest(dest)
    if known:
        return known
    digest = digest_of(dest)
    try:
        archive = read_archive(read_pieces(dest))
    except ArchiveError:
        # Half an archive, and no bytes at all, are nothing to keep; anything else may be of use to somebody.
        if digest.size == 0 or begins_like_archive(read_pieces(dest)):
            return None
        raise DestinationError(
            f"dest: {dest} is not a Consul snapshot archive and would be overwritten",
            hint="Choose another path, or set force: true.",
            path=dest,
        ) from None
    consistency = Consistency(stale=False, last_contact_ms=None, known_leader=None)
    file = os.path.basename(dest)
    manifest = manifest_for(archive, digest, file=file, cluster=cluster_of(archive), consistency=consistency)
    return Entry(dest, manifest)


def _held(entry: Entry | None, cluster: ClusterIdentity) -> NewestArchive | None:
    """Return an archive that stands for the cluster's content; None when it is not certainly of the same servers."""
    if entry is None or not entry.manifest.cluster.is_same(cluster):
        return None
    manifest = entry.manifest
    confirmed_at = manifest.confirmed_at if manifest.confirmed_by_leader else None
    return NewestArchive(manifest.index, confirmed_at, manifest.fingerprint)


def _require_room(directory: str, before: Entry) -> None:
    free = free_bytes(directory)
    if free < before.manifest.size:
        raise FileError(
            f"{directory} has {free} bytes left, and the newest archive took {before.manifest.size}",
            hint="Make room on that file system, or choose a directory elsewhere.",
            path=directory,
        )


def _settle(
    request: SaveRequest, directory: str | None, live: _Live, entries: Sequence[Entry], taken: Capture
) -> _Settled:
    """Decide what becomes of a snapshot. ``directory``: None where ``dest`` is a file."""
    archive, now = taken.archive, time.time()
    cluster = cluster_of(archive, live.cluster, request.cluster)
    consistency = Consistency(request.stale, taken.headers.last_contact_ms, taken.headers.known_leader)
    by_leader = consistency.by_leader and live.led
    if directory is None:
        before = next(iter(entries), None)
        _require_own(request, before, cluster, holds_something=bool(archive.state.user_records))
    else:
        before = newest_of(entries, cluster, now, reached=archive.meta.index if by_leader else None)
    held = _held(before, cluster)
    rebuilt = before is not None and held is None and cluster.name is not None
    options = {"skip_unchanged": request.skip_unchanged, "force": request.force}
    decision = should_keep(held, archive.state.fingerprint, **options, by_leader=by_leader)
    if rebuilt and not request.force:
        decision = REBUILT
    if directory is None:
        decision = keeps_newer(held, archive.meta.index, by_leader=by_leader, force=request.force) or decision
    if not decision.go and before and not is_intact(before):
        decision = DAMAGED
    if not decision.go and before:
        entry = before if not by_leader else Entry(before.path, _confirmed(before.manifest, archive, cluster, now))
        return _Settled(decision, entry, before, by_leader, rebuilt)
    manifest = manifest_for(
        archive, taken.digest, file=os.path.basename(request.dest), cluster=cluster, consistency=consistency
    )
    manifest = replace(manifest, confirmed_by_leader=by_leader)
    path = request.dest
    if directory is not None:
        # In check mode nothing comes to lie there.
        path = archive_path(directory, cluster, manifest.taken_at, manifest.index)
    return _Settled(decision, Entry(path, manifest), before, by_leader, rebuilt)


def _require_own(
    request: SaveRequest, before: Entry | None, cluster: ClusterIdentity, *, holds_something: bool
) -> None:
    """Make sure that the archive at ``dest`` may be overwritten. ``holds_something``: whether users stored anything."""
    if before is None or request.force:
        return
    known = before.manifest.cluster
    one_name = known.name is not None and known.name == cluster.name
    two_names = None not in (known.name, cluster.name) and not one_name
    if known.is_same(cluster) and not two_names:
        return
    if not one_name:
        raise DestinationError(
            f"dest: {request.dest} holds an archive of {known.as_text()}, and this one is of {cluster.as_text()}",
            hint="Choose another path for this cluster, or set force: true to overwrite that archive.",
            path=request.dest,
        )
    if not holds_something:
        raise DestinationError(
            f"dest: {request.dest} holds an archive of {printable(cluster.name)} from before it was rebuilt, and the "
            "cluster holds nothing that users stored",
            hint="Restore that archive first, or choose another path, or set force: true to overwrite it.",
            path=request.dest,
        )


def _confirmed(manifest: Manifest, archive: Archive, cluster: ClusterIdentity, now: float) -> Manifest:
    """Return the manifest of an archive whose content was just seen to be the cluster's, by the names it has today."""
    seen = min(taken_at_of(archive, now), now)
    earlier = manifest.confirmed_at if manifest.confirmed_by_leader and manifest.confirmed_at <= now else seen
    known = manifest.cluster._replace(servers=cluster.servers, name=cluster.name or manifest.cluster.name)
    return replace(
        manifest, confirmed_at=max(seen, earlier), cluster=known.completed(cluster), confirmed_by_leader=True
    )


def _remarks(request: SaveRequest, settled: _Settled, entries: Sequence[Entry], taken: Capture) -> tuple[str, ...]:
    now, told = time.time(), taken.archive.meta.taken_at
    remarks = []
    cluster = settled.entry.manifest.cluster
    if settled.rebuilt and settled.before:
        earlier = settled.before.manifest.cluster.as_text()
        remarks.append(
            f"{printable(request.cluster)} was rebuilt: the newest archive of that name, "
            f"{printable(settled.before.path)}, is of {earlier}, and the cluster that answers is {cluster.as_text()}. "
            "Its backups go on under that name. If these are two clusters, give them two names."
        )
    if not settled.by_leader:
        remarks.append(
            "no leader confirmed this snapshot: it may be behind what the cluster had accepted, and it confirms no "
            "archive. Save again as soon as the cluster has a leader."
        )
    if told is not None and is_ahead(told, now):
        remarks.append(
            f"the clock of the server that took the snapshot says {to_text(told)}, more than a day ahead of this "
            "host's. The archive is dated by this host's clock. Correct the clock that is wrong."
        )
    own = [(one.path, one.manifest.taken_at) for one in entries if one.manifest.cluster.is_same(cluster)]
    return (*remarks, *dated_ahead(own, now))
