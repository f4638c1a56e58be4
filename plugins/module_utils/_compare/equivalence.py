# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster holds an archive's content: by fingerprints first, record by record where these can't tell (pure).

Where the states come from is for the caller: ``Reference.read`` and ``read_cluster`` read them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from .._model.losses import Loss
from .._snapshot.records.fingerprint import Fingerprint, TypeDigest, differing_types
from .._snapshot.records.visitor import Visitor
from .across_versions import Baseline, CrossVersionCheck
from .fingerprints import prove
from .passes import Read, compare_and_resolve
from .written_since import Resolver

_KEYS = "KVS"
_TOKENS = "ACLToken"
"""They go by themselves, too, when they expire."""
_MADE_BY_LEADERS = {
    *("ACLPolicy", "ACLToken", "Autopilot", "ConnectCA", "ConnectCAProviderState", "ConnectCAConfig"),
    *("ServiceVirtualIP", "FreeVirtualIP"),
}
"""Types of which a leader makes records by itself where there are none (``establishLeadership`` in agent/consul)."""
_NOTHING = TypeDigest(0, 0)


class ReadCluster(Protocol):
    """Reads a cluster's state while a visitor, if there is one, looks on."""

    def __call__(self, visitor: Visitor | None) -> Fingerprint:
        """Return its fingerprint."""


class Comparison(NamedTuple):
    """What a cluster held.

    ``proof``: ``{equal, differs, types, across_versions}``, and ``written_since`` where that was asked for.
    ``losses``: fields that its version does not know. ``guessed``: it is equal only if records that are missing were
    deleted since, and of that nothing tells but that their tables were written to.
    """

    proof: dict[str, Any]
    fingerprint: Fingerprint
    losses: tuple[Loss, ...] = ()
    guessed: bool = False

    @property
    def equal(self) -> bool:
        """Whether the cluster holds the content that it was compared with."""
        return bool(self.proof["equal"])


@dataclass
class Reference:
    """The content that clusters are compared with.

    ``read``: reads its records; None for a fresh cluster's, which holds nothing but what leaders make by themselves.
    ``across``: whether it comes from another Consul version. ``since``: a raft index beyond which differences were
    written later and are told apart; None where nothing was restored. ``agents``: names of living agents, in lower
    case, which write to the catalog by themselves.
    """

    fingerprint: Fingerprint
    read: Read | None = None
    across: bool = False
    since: int | None = None
    agents: frozenset[str] = frozenset()
    _baseline: Baseline | None = field(default=None, init=False, repr=False, compare=False)

    def compared_with(self, cluster: Fingerprint) -> dict[str, Any]:
        """Return the comparison of the two fingerprints."""
        return {**prove(self.fingerprint, cluster), "across_versions": False}

    def may_equal(self, cluster: Fingerprint) -> bool:
        """Whether two fingerprints that differ may stand for the same content, so that it is worth a closer look."""
        differing = differing_types(self.fingerprint, cluster)
        if self.across:
            return _KEYS not in differing
        only_more = all(
            cluster.types.get(name, _NOTHING).count > self.fingerprint.types.get(name, _NOTHING).count
            for name in differing
            if name != _TOKENS
        )
        return bool(differing) and only_more and set(differing) <= _MADE_BY_LEADERS

    def since_index(self, index: int, agents: frozenset[str]) -> Reference:
        """Return the same content for clusters that it was restored into: ``index`` and ``agents`` as above."""
        reference = replace(self, since=index, agents=agents)
        reference._baseline = self._baseline
        return reference

    def baseline(self) -> Baseline:
        """Return its records, which are read once."""
        if self._baseline is None:
            learned = Baseline(self.across)
            self.reread(learned)
            self._baseline = learned
        return self._baseline

    def reread(self, visitor: Visitor) -> None:
        """Show its records to a visitor."""
        if self.read is not None:
            self.read(visitor)


def compare(
    reference: Reference,
    read_cluster: ReadCluster,
    *,
    known: Fingerprint | None = None,
    clock: Callable[[], float] = time.time,
) -> Comparison:
    """Compare a cluster's content with a reference.

    The cluster is read up to three times: for its fingerprint, for its records, and for its keys as well.

    :param known: needs no closer look where the cluster holds exactly that.
    :param clock: tells the time, in seconds since the epoch, at which a token has expired or not.
    """
    keys = False
    if not reference.across:
        cluster = read_cluster(None)
        proof = reference.compared_with(cluster)
        settled = cluster == known or (reference.since is None and not reference.may_equal(cluster))
        if proof["equal"] or settled:
            return _comparison(reference, proof, cluster)
        keys = reference.since is not None and _KEYS in proof["differs"]
    comparison = _by_records(reference, read_cluster, clock, keys=keys)
    if reference.since is not None and not keys and _KEYS in comparison.proof["differs"]:
        return _by_records(reference, read_cluster, clock, keys=True)
    return comparison


def _by_records(
    reference: Reference, read_cluster: ReadCluster, clock: Callable[[], float], *, keys: bool
) -> Comparison:
    check = CrossVersionCheck(reference.baseline(), reference.since, keys=keys, agents=reference.agents)

    def resolver_of(cluster: Fingerprint) -> Resolver | None:
        equal = cluster == reference.fingerprint
        return check.resolver(clock()) if reference.since is not None and not equal else None

    cluster, resolver = compare_and_resolve(
        check, read_first=reference.reread, read_second=read_cluster, resolver_of=resolver_of
    )
    proof = reference.compared_with(cluster)
    if proof["equal"]:
        return _comparison(reference, proof, cluster)
    differing, keys_explained = check.differing(clock()), False
    written: dict[str, Any] = {}
    if reference.since is not None:
        archived_keys = reference.fingerprint.types.get(_KEYS, _NOTHING)
        keys_explained, written = check.written_since(archived_keys, resolver)
    if not (keys and keys_explained):
        differing |= {_KEYS} & set(proof["differs"])
    proof = {
        "equal": not differing,
        "differs": sorted(differing),
        "types": {name: {**counts, "equal": name not in differing} for name, counts in proof["types"].items()},
        "across_versions": reference.across,
    }
    losses = tuple(check.losses())
    return _comparison(reference, proof, cluster, written)._replace(losses=losses, guessed=check.guessed)


def _comparison(
    reference: Reference, proof: dict[str, Any], cluster: Fingerprint, written: dict[str, Any] | None = None
) -> Comparison:
    if reference.since is not None:
        proof = {**proof, "written_since": written or {}}
    return Comparison(proof, cluster)
