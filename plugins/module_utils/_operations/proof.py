# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster held against an archive: the proof after a restore, and before it whether there is anything to do."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from .._compare.across_versions import Baseline, CrossVersionCheck
from .._compare.fingerprints import prove
from .._consul.client import Client
from .._errors import ArchiveError
from .._model.losses import Loss
from .._snapshot.reader import read_archive
from .._snapshot.records.fingerprint import Fingerprint, TypeDigest, differing_types
from .._snapshot.records.visitor import Visitor
from .._system.atomic_files import read_pieces
from .capture import capture

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
    """What a cluster held: the comparison, and its fingerprint.

    ``losses``: what its version has no place for. ``guessed``: whether it is equal only if records that are missing
    were deleted since, of which nothing tells but that their tables were written to.
    """

    proof: dict[str, Any]
    fingerprint: Fingerprint
    losses: tuple[Loss, ...] = ()
    guessed: bool = False


@dataclass
class Prover:
    """Compares clusters with one archive. ``across``: whether they are of different Consul versions.

    ``src``: None for the state of a fresh cluster, which holds nothing but what leaders make by themselves. ``since``:
    a raft index, where what was written later is to be told apart; ``proof`` has ``written_since`` then. ``agents``:
    names of living agents, in lower case, which write to the catalog by themselves.
    """

    src: str | None
    archive: Fingerprint
    datacenter: str | None
    across: bool
    since: int | None = None
    agents: frozenset[str] = frozenset()
    _learned: Baseline | None = None

    def look(self, client: Client, *, known: Fingerprint | None = None) -> Look:
        """Take a snapshot and compare it.

        :param known: what needs no closer look where the cluster turns out to hold exactly that.
        :raises SnapshotError: it can't be taken.
        """
        # What a follower passes on from the leader is cut short now and then (seen on 1.22.7: 7 of 150).
        for left in range(_LOOKS - 1, -1, -1):
            try:
                return self._look(client, known)
            except ArchiveError as error:
                if not left or not error.retryable:
                    raise
        raise AssertionError("the loop above returns or raises")

    def _look(self, client: Client, known: Fingerprint | None) -> Look:
        keys = False
        if not self.across:
            cluster = self._taken(client, None)
            found = self.proof_of(cluster)
            enough = cluster == known or (self.since is None and not self.may_be_equal(cluster))
            if found["equal"] or enough:
                return Look(self._told(found), cluster)
            keys = _KEYS in found["differs"]
        look = self._closely(client, keys=keys and self.since is not None)
        if self.since is not None and not keys and _KEYS in look.proof["differs"]:
            look = self._closely(client, keys=True)
        return look

    def _closely(self, client: Client, *, keys: bool) -> Look:
        compared = CrossVersionCheck(self._learn(), self.since, keys=keys, agents=self.agents)
        cluster = self._taken(client, compared)
        found = self.proof_of(cluster)
        if found["equal"]:
            return Look(self._told(found), cluster)
        now = time.time()
        differing, explained = compared.differing(now), False
        written: dict[str, Any] = {}
        if self.since is not None:
            resolver = compared.resolver(now)
            if resolver is not None and self.src is not None:
                self._read(self.src, resolver)
            nothing = TypeDigest(0, 0)
            explained, written = compared.written_since(self.archive.types.get(_KEYS, nothing), resolver)
        if not (keys and explained):
            differing |= {_KEYS} & set(found["differs"])
        types = {name: {**one, "equal": name not in differing} for name, one in found["types"].items()}
        told = {"equal": not differing, "differs": sorted(differing), "types": types, "across_versions": self.across}
        return Look(self._told(told, written), cluster, tuple(compared.losses()), compared.guessed)

    def _told(self, found: dict[str, Any], written: dict[str, Any] | None = None) -> dict[str, Any]:
        return found if self.since is None else {**found, "written_since": written or {}}

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

    def _taken(self, client: Client, visitor: CrossVersionCheck | None) -> Fingerprint:
        return capture(client, None, datacenter=self.datacenter, visitor=visitor).archive.state.fingerprint

    def _learn(self) -> Baseline:
        if self._learned is None:
            learned = Baseline(self.across)
            if self.src is not None:
                self._read(self.src, learned)
            self._learned = learned
        return self._learned

    def _read(self, src: str, visitor: Visitor) -> None:
        if read_archive(read_pieces(src), visitor=visitor).state.fingerprint != self.archive:
            raise ArchiveError("the archive has changed since it was verified", fault="changed", retryable=False)
