# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving a cluster's state: look, decide, take, decide again, put in place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from ._archive import begins_like_archive, read_archive
from ._client import Client
from ._cluster import may_snapshot, read_identity, read_leader
from ._decide import DAMAGED, Decision, Held, should_keep, should_take
from ._errors import ApiError, ArchiveError, ClusterError, DestinationError, FileError, SnapshotError
from ._files import (
    Partial,
    digest_of,
    existing_part,
    free_bytes,
    make_directory,
    read_pieces,
    remove_leftovers,
    require_directory,
)
from ._findings import Finding, judged_for
from ._identity import Cluster
from ._manifest import Consistency
from ._retry import with_retries
from ._store import Entry, archive_name, described_by_manifest, is_intact, manifest_for, newest_of, put, write_manifest
from ._take import Taken, take

_GIVE_ONE = 'Set token, token_file or CONSUL_HTTP_TOKEN to a token whose policy has acl = "write".'
_ANONYMOUS = "no token was given, and anonymous requests may not save snapshots"


class SaveRequest(NamedTuple):
    """What is to be saved and where. ``max_stale`` in milliseconds, ``max_age`` in seconds.

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


class Saved(NamedTuple):
    """How it ended: ``entry`` holds the cluster's content now, ``before`` is the one that did until now.

    ``taken`` is None when no snapshot had to be taken. ``created`` are directories that were not there before.
    """

    decision: Decision
    entry: Entry
    before: Entry | None
    taken: Taken | None
    created: tuple[str, ...] = ()

    @property
    def findings(self) -> list[Finding]:
        """What won't restore well into the version that the snapshot comes from; nothing where none was taken."""
        state = self.taken.archive.state if self.taken else None
        return judged_for(state.findings, state.origin.consul_version) if state else []


def save(client: Client, request: SaveRequest, *, check: bool, report: Callable[[SnapshotError], None]) -> Saved:
    """Save a cluster's state.

    :param check: do everything but write.
    :param report: gets the error of each try that is followed by another.
    :raises SnapshotError: of any kind; what lies at ``dest`` is what it was before.
    """
    into_directory = os.path.isdir(request.dest) or request.dest.endswith(os.sep)
    directory = request.dest.rstrip(os.sep) or os.sep if into_directory else os.path.dirname(request.dest) or "."
    absent = request.create_directory and not os.path.lexists(directory)
    require_directory(existing_part(directory) if absent else directory)
    if not check and not absent:
        remove_leftovers(directory)

    def retried(operation: Callable[[], Taken]) -> Taken:
        return with_retries(
            operation, retries=client.connection.retries, delay=client.connection.retry_delay, report=report
        )

    identity = with_retries(
        lambda: _look(client, request),
        retries=client.connection.retries,
        delay=client.connection.retry_delay,
        report=report,
    )
    before: Entry | None = None
    created: tuple[str, ...] = ()
    if absent:
        created = () if check else make_directory(directory)
    elif into_directory:
        before = newest_of(directory, identity)
    elif not request.force:
        before = _at(request.dest)
    held = _held(before) if before and before.manifest.cluster.is_same(identity) else None
    first = should_take(held, max_age=request.max_age, force=request.force, now=time.time())
    if not first.go and before and is_intact(before):
        return Saved(first, before, before, None)
    if before:
        _require_room(directory, before)

    def attempt(partial: Partial | None) -> Taken:
        return take(client, partial, datacenter=request.datacenter, stale=request.stale, max_stale=request.max_stale)

    if check:
        taken = retried(lambda: attempt(None))
        decision, entry = _settle(request, directory, into_directory, identity, before, taken)
        return Saved(decision, entry, before, taken)
    with Partial(directory) as partial:
        taken = retried(lambda: attempt(partial))
        decision, entry = _settle(request, directory, into_directory, identity, before, taken)
        if decision.go:
            put(partial, entry.path, entry.manifest)
        else:
            write_manifest(entry.path, entry.manifest)
    return Saved(decision, entry, before, taken, created)


def _look(client: Client, request: SaveRequest) -> Cluster:
    if may_snapshot(client, request.datacenter) is False:
        raise ApiError(
            "the token may not save snapshots" if client.connection.token else _ANONYMOUS,
            status=403,
            body="",
            url=client.url("/v1/snapshot"),
            kind="permission_denied",
            hint='Give it a policy with acl = "write".' if client.connection.token else _GIVE_ONE,
        )
    if not request.stale and not read_leader(client, request.datacenter):
        raise ClusterError(
            "the cluster has no leader",
            hint="See 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
        )
    return read_identity(client, request.datacenter)


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
            f"dest: {dest} is no archive and would be lost", hint="Choose another path, or set force: true.", path=dest
        ) from None
    consistency = Consistency(stale=False, last_contact_ms=None, known_leader=None)
    file = os.path.basename(dest)
    return Entry(dest, manifest_for(archive, digest, file=file, cluster=archive.state.origin, consistency=consistency))


def _held(entry: Entry) -> Held:
    manifest = entry.manifest
    return Held(manifest.index, manifest.confirmed_at, manifest.fingerprint)


def _require_room(directory: str, before: Entry) -> None:
    free = free_bytes(directory)
    if free < before.manifest.size:
        raise FileError(
            f"{directory} has {free} bytes left, and the newest archive took {before.manifest.size}",
            hint="Make room on that file system, or choose a directory elsewhere.",
            path=directory,
        )


def _settle(
    request: SaveRequest, directory: str, into_directory: bool, live: Cluster, before: Entry | None, taken: Taken
) -> tuple[Decision, Entry]:
    # The archive knows best which cluster it is of; what its records don't tell is taken from the live look.
    cluster = taken.archive.state.origin.completed(live)
    if not into_directory and before and not request.force and before.manifest.cluster.contradicts(cluster):
        raise DestinationError(
            f"dest: {request.dest} holds an archive of {before.manifest.cluster.as_text()}, and this one is of "
            f"{cluster.as_text()}",
            hint="Choose another path for this cluster, or set force: true to give that archive up.",
            path=request.dest,
        )
    if into_directory and (before is None or not before.manifest.cluster.is_same(cluster)):
        # In check mode a directory that would be created isn't there.
        before = newest_of(directory, cluster) if os.path.isdir(directory) else None
    held = _held(before) if before and before.manifest.cluster.is_same(cluster) else None
    decision = should_keep(
        held, taken.archive.state.fingerprint, skip_unchanged=request.skip_unchanged, force=request.force
    )
    if not decision.go and before and not is_intact(before):
        decision = DAMAGED
    meta = taken.archive.meta
    if not decision.go and before:
        confirmed = replace(before.manifest, confirmed_at=meta.taken_at or time.time())
        return decision, Entry(before.path, confirmed)
    name = archive_name(cluster, meta.taken_at or time.time(), meta.index)
    path = os.path.join(directory, name) if into_directory else request.dest
    consistency = Consistency(request.stale, taken.headers.last_contact_ms, taken.headers.known_leader)
    manifest = manifest_for(
        taken.archive, taken.digest, file=os.path.basename(path), cluster=cluster, consistency=consistency
    )
    return decision, Entry(path, manifest)
