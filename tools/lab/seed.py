# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill a cluster with what real clusters hold, through plain HTTP."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from .cluster import Cluster
from .seeding import acl, catalog, kv, mesh

TOKENS = 15


@dataclass
class Seeded:
    """The names (never values) of what was stored, by type, and how long it took."""

    names: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """How many of each type."""
        return {kind: len(names) for kind, names in self.names.items()}


def seed(cluster: Cluster, *, keys: int = 1000, rng_seed: int = 1) -> Seeded:
    """Store keys, catalog entries, ACLs, config entries, intentions, queries, sessions and a peering.

    What the cluster has no use for (ACLs switched off, Connect switched off) or what its version lacks is left out.
    """
    began = time.monotonic()
    rng = random.Random(rng_seed)
    version = cluster.version
    names: dict[str, list[str]] = {}
    if cluster.acl:
        cluster.create_agent_token()
        names |= acl.seed_acl(cluster, version, TOKENS, rng, cluster.directory)
    names["kv"] = kv.seed_kv(cluster, version, keys, rng)
    names["nodes"] = catalog.seed_external(cluster)
    names["agent-services"] = catalog.seed_agent_services(cluster, connect=cluster.connect)
    names["prepared-queries"] = catalog.seed_prepared_queries(cluster)
    names["locks"] = catalog.seed_sessions(cluster)
    names["config-entries"] = mesh.seed_config_entries(cluster, version, connect=cluster.connect)
    if cluster.connect:
        names["intentions"] = mesh.seed_intentions(cluster, version)
        names["peerings"] = mesh.seed_peering(cluster, version)
    return Seeded({kind: items for kind, items in names.items() if items}, time.monotonic() - began)
