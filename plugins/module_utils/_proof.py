# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster held against an archive: the proof after a restore, and before it whether there is anything to do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from ._archive import read_archive
from ._client import Client
from ._compare import prove
from ._errors import ArchiveError
from ._files import read_pieces
from ._fingerprint import Fingerprint, TypeDigest, differing_types
from ._resemblance import Compared, Learned
from ._take import take

_KEYS = "KVS"
_TOKENS = "ACLToken"
"""They go by themselves, too, when they expire."""
_MADE_BY_LEADERS = {
    *("ACLPolicy", "ACLToken", "Autopilot", "ConnectCA", "ConnectCAProviderState", "ConnectCAConfig"),
    *("ServiceVirtualIP", "FreeVirtualIP"),
}
"""Types of which a leader makes records by itself where there are none (``establishLeadership`` in agent/consul)."""
_LOOKS = 3
"""How often a snapshot is asked for, at most, until one arrives whole."""


class Look(NamedTuple):
    """What a cluster held: the comparison, and its fingerprint."""

    proof: dict[str, Any]
    fingerprint: Fingerprint


@dataclass
class Prover:
    """Compares clusters with one archive. ``across``: whether they are of different Consul versions."""

    src: str
    archive: Fingerprint
    datacenter: str | None
    across: bool
    _learned: Learned | None = None

    def look(self, client: Client) -> Look:
        """Take a snapshot and compare it.

        :raises SnapshotError: it can't be taken.
        """
        # What a follower passes on from the leader is cut short now and then (seen on 1.22.7: 7 of 150).
        for left in range(_LOOKS - 1, -1, -1):
            try:
                return self._look(client)
            except ArchiveError as error:
                if not left or not error.retryable:
                    raise
        raise AssertionError("the loop above returns or raises")

    def _look(self, client: Client) -> Look:
        if not self.across:
            cluster = self._taken(client, None)
            if not self.may_be_equal(cluster):
                return Look(self.proof_of(cluster), cluster)
        compared = Compared(self._learn())
        cluster = self._taken(client, compared)
        found = self.proof_of(cluster)
        if found["equal"]:
            return Look(found, cluster)
        differing = compared.differing(time.time()) | ({_KEYS} & set(found["differs"]))
        types = {name: {**one, "equal": name not in differing} for name, one in found["types"].items()}
        told = {"equal": not differing, "differs": sorted(differing), "types": types, "across_versions": self.across}
        return Look(told, cluster)

    def proof_of(self, cluster: Fingerprint) -> dict[str, Any]:
        """Return the comparison of the two fingerprints."""
        return {**prove(self.archive, cluster), "across_versions": False}

    def may_be_equal(self, cluster: Fingerprint) -> bool:
        """Whether two fingerprints that differ may stand for the same content, so that it is worth a closer look."""
        differing = differing_types(self.archive, cluster)
        if self.across:
            return _KEYS not in differing
        none = TypeDigest(0, 0)
        more = all(
            cluster.types.get(name, none).count > self.archive.types.get(name, none).count
            for name in differing
            if name != _TOKENS
        )
        return bool(differing) and more and set(differing) <= _MADE_BY_LEADERS

    def _taken(self, client: Client, observer: Compared | None) -> Fingerprint:
        return take(client, None, datacenter=self.datacenter, observer=observer).archive.state.fingerprint

    def _learn(self) -> Learned:
        if self._learned is None:
            learned = Learned(self.across)
            if read_archive(read_pieces(self.src), observer=learned).state.fingerprint != self.archive:
                raise ArchiveError("the archive has changed since it was verified", fault="changed", retryable=False)
            self._learned = learned
        return self._learned
