# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guards of a restore look at, and what one of them answers (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ..._model.identity import ClusterIdentity
from ..._snapshot.checks.peerings import Peering

EXACT, MINOR, OFF = "exact", "minor", "off"
VERSION_CHECKS = (EXACT, MINOR, OFF)


@dataclass(frozen=True)
class SigningFacts:
    """Who vouches for an archive. ``required``: the user named who may sign. ``fault``: why none of them does."""

    required: bool = False
    signer: str | None = None
    fault: str = ""


@dataclass(frozen=True)
class ArchiveFacts:
    """What is known of an archive that verifies.

    ``agents``: ids of the nodes that an agent stands for, by name, as far as their agent was alive. ``holds_tokens``:
    whether there are ACL tokens in it at all. ``tokens`` and ``expired``: labels of the provided tokens that it holds.
    ``findings``: what won't restore well, as ``{name: count}`` (see ``_model/finding_meanings``).
    ``peerings``: all of them. ``servers``: raft ids of the servers that its cluster had.
    """

    origin: ClusterIdentity
    types: frozenset[int]
    config_kinds: frozenset[str]
    agents: Mapping[str, str]
    holds_tokens: bool
    tokens: frozenset[str]
    expired: frozenset[str]
    findings: Mapping[str, int] = field(default_factory=dict)
    peerings: tuple[Peering, ...] = ()
    servers: frozenset[str] = frozenset()
    signing: SigningFacts = SigningFacts()

    @property
    def active_peerings(self) -> tuple[Peering, ...]:
        """The peerings whose peers a server dials as soon as it has restored the archive."""
        return tuple(peering for peering in self.peerings if peering.dials)


@dataclass(frozen=True)
class TargetFacts:
    """What is known of the cluster. None: it could not be learned; ``unknown`` says why, by name of the fact.

    ``servers``: their names. ``versions``: those of the servers, each once. ``user_records``: per type, how many
    records a user stored. ``living``: ids of the living agents by name. ``provided``: labels of the tokens that the
    user provided, in their order; ``surviving``: why one of them outlives any restore, by label. ``server_ids``: raft
    ids of its servers. ``peerings``: ids of the peerings that it holds.
    """

    permitted: bool | None
    leader: str | None
    healthy: bool | None
    servers: tuple[str, ...]
    unhealthy_servers: tuple[str, ...]
    user_records: Mapping[str, int] | None
    datacenter: str | None
    versions: tuple[str, ...]
    enterprise: bool
    living: Mapping[str, str]
    acl: bool | None
    provided: tuple[str, ...]
    surviving: Mapping[str, str]
    unknown: Mapping[str, str]
    server_ids: frozenset[str] = frozenset()
    peerings: frozenset[str] = frozenset()


def is_origin(archive: ArchiveFacts, target: TargetFacts) -> bool:
    """Whether the cluster is known to be the one that the archive was taken from: they have servers in common."""
    return bool(archive.servers & target.server_ids)


def own_peerings(archive: ArchiveFacts, target: TargetFacts) -> dict[str, str]:
    """Return the names, by id, of those peerings in an archive that the cluster dials, and dialled before (pure)."""
    dialled = {peering.id: peering.name for peering in archive.active_peerings}
    return {one: name for one, name in dialled.items() if is_origin(archive, target) or one in target.peerings}


@dataclass(frozen=True)
class RestoreFacts:
    """All that the guards look at.

    ``archive``: None when it does not verify, and ``archive_fault`` says why. ``unchanged``: whether the target holds
    the archive's content already, so that nothing would be sent.
    """

    archive_fault: str | None
    archive: ArchiveFacts | None
    target: TargetFacts
    unchanged: bool
    backup_dir: str | None
    version_check: str


class Verdict(NamedTuple):
    """``ok`` None: not checked. ``final``: no risk that could be accepted changes it. ``remedy``: the end of the
    sentence that names the risk. ``warn``: it passed, and the user has to know of something all the same."""

    ok: bool | None
    detail: str
    final: bool = False
    remedy: str = ""
    warn: bool = False
