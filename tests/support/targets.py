# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of a restore without a server: a source of some records, and a healthy cluster that holds some."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.agents import Live, Member
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Headers
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.cluster import (
    ClusterFacts,
    Permissions,
    ServerFacts,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.capture import Capture
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guard_facts import (
    ArchiveFacts,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.sides import Source, Target
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.restore_facts import Agent
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest, Stamp
from support.states import Record, archive_around, state_of

SERVER = ServerFacts("server-1", "id-1", "127.0.0.1:8300", True, True, True, "1.22.7")
CLUSTER = ClusterFacts(
    version="1.22.7",
    datacenter="dc1",
    cluster_id="an-id",
    leader="127.0.0.1:8300",
    servers=(SERVER,),
    healthy=True,
    failure_tolerance=0,
    datacenters=("dc1",),
    applied_index=10,
    permissions=Permissions(True, True, True),
    unknown={},
)
LIVE = Live((Member("server-1", "id-1", True),), False, True, {})


def source_of(records: Iterable[Record], *, index: int = 100, **changes: Any) -> Source:
    """Return a verified archive of some records; ``changes`` are those of its facts, ``agents`` are its agents."""
    archive = read_archive([archive_around(state_of(records), index=index)])
    agents: dict[str, Agent] = changes.pop("agents", {})
    name = changes.pop("cluster_name", None)
    facts: dict[str, Any] = {
        "origin": archive.state.origin._replace(datacenter="dc1", consul_version="1.22.7"),
        "types": archive.state.type_ids,
        "config_kinds": frozenset(),
        "agents": {name: agent.id for name, agent in agents.items() if agent.alive},
        "holds_tokens": True,
        "tokens": frozenset({"token"}),
        "expired": frozenset(),
    }
    digest, stamp = Digest(1, "00" * 32), Stamp(1, 2, 3, 4)
    fingerprint = archive.state.fingerprint
    return Source(digest, stamp, index, fingerprint, ArchiveFacts(**{**facts, **changes}), agents, name)


def target_of(records: Iterable[Record] | None, *, index: int = 50, **changes: Any) -> Target:
    """Return a cluster that holds some records; None: its state could not be read."""
    content = None
    if records is not None:
        archive = read_archive([archive_around(state_of(records), index=index)])
        content = Capture(Headers(index, 0, True), archive, Digest(1, "11" * 32))
    seen: dict[str, Any] = {"cluster": CLUSTER, "live": LIVE, "provided": ("token",), "unknown": {}}
    return Target(capture=content, **{**seen, **changes})
