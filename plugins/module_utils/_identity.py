# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster something is of."""

from __future__ import annotations

from typing import NamedTuple


class Cluster(NamedTuple):
    """A cluster's identity, and the version it ran; None where it could not be learned."""

    datacenter: str | None
    id: str | None
    consul_version: str | None
    servers: tuple[str, ...] = ()
    name: str | None = None

    def is_same(self, other: Cluster) -> bool:
        """Whether both are one cluster: datacenter and id are equal. Two whose id is unknown are told by datacenter."""
        return (self.datacenter, self.id) == (other.datacenter, other.id)

    def contradicts(self, other: Cluster) -> bool:
        """Whether both can't be one cluster: a datacenter or an id that is known of both is not the same."""
        pairs = ((self.datacenter, other.datacenter), (self.id, other.id))
        return any(one and two and one != two for one, two in pairs)

    def completed(self, other: Cluster) -> Cluster:
        """Return this identity with what it lacks taken from another look at the same cluster."""
        return Cluster(
            self.datacenter or other.datacenter,
            self.id or other.id,
            self.consul_version or other.consul_version,
            self.servers or other.servers,
            self.name or other.name,
        )

    def as_text(self) -> str:
        """Return ``dc1 (cluster f1a6…)`` for a message."""
        return f"{self.datacenter or 'unknown datacenter'} (cluster {self.id or 'without an id'})"
