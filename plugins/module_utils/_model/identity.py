# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster something is of, and what may be called after it."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from .._errors import printable

NAME_LIMIT = 64
"""Characters of a name that ``name_for_file`` returns, at most."""

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_DIGITS = 8
_SERVERS_SHOWN = 5


class ClusterIdentity(NamedTuple):
    """A cluster's identity, and the version it ran; None, and no servers, where it could not be learned.

    ``id`` is that of Connect's CA: a clone that was restored from an archive has it as well. ``servers`` are the ids of
    raft's configuration, sorted; a clone has others. ``name`` is what users call the cluster.
    """

    datacenter: str | None
    id: str | None
    consul_version: str | None
    servers: tuple[str, ...] = ()
    name: str | None = None

    def is_same(self, other: ClusterIdentity) -> bool:
        """Whether both are certainly one cluster, whatever they are called: they share a server and contradict in
        nothing. Nothing is certain where the servers of one are not known."""
        return not self.contradicts(other) and not set(self.servers).isdisjoint(other.servers)

    def contradicts(self, other: ClusterIdentity) -> bool:
        """Whether both can't be one cluster at one time: a datacenter or an id that is known of both is not the same,
        or they share no server."""
        pairs = ((self.datacenter, other.datacenter), (self.id, other.id))
        if any(one and two and one != two for one, two in pairs):
            return True
        return bool(self.servers and other.servers) and set(self.servers).isdisjoint(other.servers)

    def completed(self, other: ClusterIdentity) -> ClusterIdentity:
        """Return this identity with what it lacks taken from another look at the same cluster."""
        return ClusterIdentity(
            self.datacenter or other.datacenter,
            self.id or other.id,
            self.consul_version or other.consul_version,
            self.servers or other.servers,
            self.name or other.name,
        )

    def as_origin(self) -> dict[str, object]:
        """Return ``{datacenter, id, consul_version}``: what records tell."""
        return {"datacenter": self.datacenter, "id": self.id, "consul_version": self.consul_version}

    def as_json(self) -> dict[str, object]:
        """Return ``{name, datacenter, id, consul_version, servers}``, as manifests and results hold it."""
        return {**self._asdict(), "servers": list(self.servers)}

    def as_text(self) -> str:
        """Return ``production, dc1 (cluster f1a6…, servers 0b5e3a1c…, 77a0b2f1…)`` for a message."""
        place = ", ".join(printable(one) for one in (self.name, self.datacenter or "unknown datacenter") if one)
        identity = printable(self.id) if self.id else "without an id"
        shown = [printable(one, 9) for one in self.servers[:_SERVERS_SHOWN]]
        servers = f", servers {', '.join(shown)}" if shown else ""
        return f"{place} (cluster {identity}{servers})"


def name_for_file(text: str | None) -> str:
    """Return a name for a file or a directory that says ``text`` as far as that is safe.

    Only ``[A-Za-z0-9_-]`` is in it; it is never empty, does not begin with a dash, and has NAME_LIMIT characters at
    most. Texts that are not such names by themselves get a part of their checksum, so that two stay two.
    """
    text = text or "unknown"
    if len(text) <= NAME_LIMIT and not _UNFIT.search(text) and not text.startswith("-"):
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    kept = _UNFIT.sub("_", text).strip("_-")[: NAME_LIMIT - _DIGITS - 1]
    return f"{kept or 'unnamed'}-{digest}"
