# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two sides of a restore before anything is sent: the archive, verified, and the cluster as it stands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from ._archive import read_archive
from ._client import Client
from ._cluster import ClusterFacts, may_snapshot, read_cluster, wait_until_ready
from ._errors import ApiError, ArchiveError, ClusterError, SnapshotError, TransportError
from ._files import Digest, Partial, Stamp, digest_of, read_pieces, stamp_of
from ._fingerprint import Fingerprint
from ._retry import with_retries
from ._store import FITS, manifest_beside
from ._take import Taken, take


@dataclass(frozen=True)
class Source:
    """The archive to restore, verified."""

    digest: Digest
    stamp: Stamp
    index: int
    fingerprint: Fingerprint


class Target(NamedTuple):
    """The cluster before anything was done to it; ``taken`` is its own state, None when it could not be read."""

    facts: ClusterFacts | None
    taken: Taken | None
    unknown: dict[str, str]

    @property
    def fingerprint(self) -> Fingerprint | None:
        """The fingerprint of what the cluster holds; None when it could not be read."""
        return self.taken.archive.state.fingerprint if self.taken else None

    @property
    def fresh(self) -> bool:
        """Whether the cluster is known to hold nothing that a user stored."""
        return self.taken is not None and not self.taken.archive.state.user_records


def read_source(src: str) -> Source:
    """Verify an archive, by its manifest where one fits and record by record where none does.

    :raises ArchiveError: it does not verify. :raises FileError: it can't be read.
    """
    stamp = stamp_of(src)
    digest = digest_of(src)
    beside = manifest_beside(src, digest)
    if beside.status == FITS and beside.manifest and beside.manifest.fingerprint:
        return Source(digest, stamp, beside.manifest.index, beside.manifest.fingerprint)
    archive = read_archive(read_pieces(src))
    return Source(digest, stamp, archive.meta.index, archive.state.fingerprint)


def read_target(
    client: Client,
    partial: Partial | None,
    *,
    datacenter: str | None,
    settling: float,
    report: Callable[[SnapshotError], None],
) -> Target:
    """Look at a cluster, its own state included, which is written to ``partial`` where there is one.

    :param settling: seconds to wait for a cluster that autopilot holds for unhealthy.
    :param report: gets the error of each try to read the state that is followed by another.
    :raises TransportError: the agent can't be reached.
    """
    unknown: dict[str, str] = {}
    try:
        permitted = may_snapshot(client, datacenter)
    except ApiError as error:
        permitted, unknown["token"] = False, error.as_text()
    if permitted is False:
        unknown["content"] = unknown.get("token", "the token may not read it")
    facts = _settled(client, datacenter, settling) if "token" not in unknown else None
    if facts is not None:
        unknown = {**facts.unknown, **unknown}
        if not facts.leader:
            unknown["content"] = "the cluster has no leader"
    if "content" in unknown:
        return Target(facts, None, unknown)
    try:
        # What a follower passes on from the leader is cut short now and then (seen on 1.22.7: 7 of 150).
        taken = with_retries(
            lambda: take(client, partial, datacenter=datacenter),
            retries=client.connection.retries,
            delay=client.connection.retry_delay,
            report=report,
        )
        return Target(facts, taken, unknown)
    except (ApiError, ArchiveError, TransportError) as error:
        return Target(facts, None, {**unknown, "content": error.as_text()})


def _settled(client: Client, datacenter: str | None, settling: float) -> ClusterFacts:
    facts = read_cluster(client, datacenter)
    if facts.healthy is False and settling:
        with contextlib.suppress(ClusterError):
            wait_until_ready(client, datacenter=datacenter, seconds=settling)
        facts = read_cluster(client, datacenter)
    return facts
