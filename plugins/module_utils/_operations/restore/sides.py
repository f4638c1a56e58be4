# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore is asked for, and the two sides that it brings together, as they were found (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from ..._consul.agents import Live
from ..._consul.cluster import ClusterFacts
from ..._errors import ArchiveError
from ..._snapshot.records.fingerprint import Fingerprint
from ..._snapshot.restore_facts import Agent
from ..._storage.archive_file import ArchiveFile
from ..._storage.archive_source import NO_SEALING, NO_STORE, Seen
from ..._storage.settings import SealingSettings, StoreSettings
from ..._system.atomic_files import Digest
from ..capture import Capture
from .guard_facts import EXACT, ArchiveFacts, TargetFacts


class RestoreRequest(NamedTuple):
    """What is to be restored, and what is accepted. ``wait_timeout`` in seconds. ``cluster``: the target's name.

    ``src`` and ``backup_dir``: paths or URLs; ``store`` says how to reach their stores. ``work_dir``: where an archive
    is copied to that is not a plain file of this host; None for the system's directory for temporary files.
    """

    src: str
    datacenter: str | None
    backup_dir: str | None
    accept_risks: tuple[str, ...]
    wait_timeout: float
    version_check: str = EXACT
    cluster: str | None = None
    store: StoreSettings = NO_STORE
    sealing: SealingSettings = NO_SEALING
    work_dir: str | None = None


@dataclass(frozen=True)
class Source:
    """The archive to restore, verified; ``agents`` are the nodes in it that belong to agents.

    ``digest``: of its plain bytes. ``cluster_name``: that of the cluster that it was saved for, where its manifest has
    one. ``file``: what was read.
    """

    digest: Digest
    seen: Seen
    index: int
    fingerprint: Fingerprint
    facts: ArchiveFacts
    agents: Mapping[str, Agent]
    cluster_name: str | None = None
    file: ArchiveFile | None = field(default=None, compare=False, repr=False)

    def open(self) -> BinaryIO:
        """Open the very bytes that were verified.

        :raises FileError: they were changed since.
        """
        return self._file.open()

    def plain(self) -> Iterator[bytes]:
        """Yield its plain bytes once more.

        :raises SnapshotError: they can't be read.
        """
        return self._file.plain()

    @property
    def _file(self) -> ArchiveFile:
        if self.file is None:
            raise ValueError("nothing was read")
        return self.file


class Verified(NamedTuple):
    """The archive, or why it does not verify: one of the two is there."""

    source: Source | None
    fault: ArchiveError | None = None


@dataclass(frozen=True)
class Target:
    """The cluster before anything was done to it.

    ``capture``: its own state; None when it could not be read. ``provided``: labels of the tokens that the user
    provided. ``unknown``: what could not be learned, with the reason.
    """

    cluster: ClusterFacts | None
    live: Live | None
    capture: Capture | None
    provided: tuple[str, ...]
    unknown: Mapping[str, str]

    @property
    def fingerprint(self) -> Fingerprint | None:
        """The fingerprint of what the cluster holds; None when it could not be read."""
        return self.capture.archive.state.fingerprint if self.capture else None

    @property
    def fresh(self) -> bool:
        """Whether the cluster is known to hold nothing that a user stored."""
        return self.capture is not None and not self.capture.archive.state.user_records

    @property
    def down(self) -> frozenset[str]:
        """The servers that autopilot reported as unhealthy, by name."""
        servers = self.cluster.servers if self.cluster else ()
        return frozenset(server.name for server in servers if server.healthy is False)

    @property
    def present(self) -> dict[str, str] | None:
        """Names and ids of the living members; None where they may not be seen."""
        return self.live.present if self.live else None

    @property
    def own_ids(self) -> frozenset[str]:
        """Node ids of the cluster's servers and of all members of its pool, alive or not."""
        servers = self.cluster.servers if self.cluster else ()
        members = (self.live.members if self.live else None) or ()
        return frozenset({server.id for server in servers} | {member.id for member in members})

    @property
    def facts(self) -> TargetFacts:
        """What the guards look at."""
        cluster, live = self.cluster, self.live
        state = self.capture.archive.state if self.capture else None
        return TargetFacts(
            permitted=False if "token" in self.unknown else cluster.permissions.snapshot if cluster else None,
            leader=cluster.leader if cluster else None,
            healthy=cluster.healthy if cluster else None,
            servers=tuple(server.name for server in cluster.servers) if cluster else (),
            unhealthy_servers=tuple(sorted(self.down)),
            user_records=state.user_records if state else None,
            datacenter=cluster.datacenter if cluster else None,
            versions=_versions(cluster) if cluster else (),
            enterprise=live.enterprise if live else False,
            living={**_living_servers(cluster), **(self.present or {})},
            acl=live.acl if live else None,
            provided=self.provided,
            surviving=live.kept if live else {},
            unknown=self.unknown,
            server_ids=frozenset(server.id for server in cluster.servers) if cluster else frozenset(),
            peerings=frozenset(peering.id for peering in state.peerings) if state else frozenset(),
        )


def _versions(cluster: ClusterFacts) -> tuple[str, ...]:
    return cluster.versions or tuple(filter(None, [cluster.version]))


def _living_servers(cluster: ClusterFacts | None) -> dict[str, str]:
    return {server.name: server.id for server in cluster.servers if server.healthy is not False} if cluster else {}
