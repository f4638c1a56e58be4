# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a state: counts and sizes per type, the fingerprint, and what the state says about its own origin."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from .._model.identity import ClusterIdentity
from .._model.record_types import RecordType, kind_of
from .checks.findings import Finding, Findings
from .checks.peerings import Peering
from .records.canonical import USER, VOLATILE, Content, content_of
from .records.fingerprint import DigestSum, Fingerprint, record_digest
from .records.kv_prefixes import KvPrefixes, PrefixStats
from .records.kv_records import read_kv_run
from .records.stream import UNREADABLE, Frame, RecordSplitter
from .records.visitor import Visitor

# The members under names of their own: the enumeration is slow to ask, and there are many records.
_CONFIG_ENTRY = RecordType.CONFIG_ENTRY
_KVS = RecordType.KVS
_REGISTER = RecordType.REGISTER

Value = TypeVar("Value")

CONNECT_CA, CONNECT_CA_CONFIG = RecordType.CONNECT_CA, RecordType.CONNECT_CA_CONFIG
FEDERATION_STATE = RecordType.FEDERATION_STATE

_NUMBER = re.compile("[0-9]{1,9}")
_PARTS = 8
"""Of a version, so many are looked at."""

_SET_BY_AGENTS = b"consul-network-segment"
"""Part of the metadata of every node that an agent registered, empty in most."""


@dataclass(frozen=True)
class TypeStats:
    """``count`` records of one type that take ``size`` bytes of the state, type bytes included."""

    count: int
    size: int


class State(NamedTuple):
    """What a state holds. ``user_records``: per type, how many records a user stored (a fresh cluster: none at all).

    ``origin`` is what the records say of the cluster they come from.
    """

    last_index: int
    records: Mapping[str, TypeStats]
    type_ids: frozenset[int]
    fingerprint: Fingerprint
    user_records: Mapping[str, int]
    origin: ClusterIdentity
    kv_prefixes: list[PrefixStats]
    config_kinds: frozenset[str]
    """The kinds of the config entries."""
    findings: tuple[Finding, ...] = ()
    """What won't restore well, the gravest first."""
    peerings: tuple[Peering, ...] = ()
    visited: Any = None
    """What a portable visitor has found."""


class StateReader:
    """Takes a state's bytes in pieces of any size and says in the end what was in it; ``visitor`` looks on.

    ``now``, in seconds since the epoch: what had ended by then has expired.
    """

    def __init__(self, kv_prefixes: KvPrefixes | None = None, visitor: Visitor | None = None, now: float = 0.0) -> None:
        one_by_one = visitor is not None and visitor.wants_records
        self._splitter = RecordSplitter(None if one_by_one else self._kv_run)
        self._kv_prefixes = kv_prefixes
        self._visitor = visitor
        self._findings = Findings(now)
        self._visit_keys = visitor.keys if visitor is not None and visitor.wants_keys else None
        self._stats: dict[int, list[int]] = {}
        self._durable: dict[int, DigestSum] = {}
        self._users: dict[int, int] = {}
        self._node = _NodeGroup()
        self._origin = _OriginFinder()
        self._config_kinds: set[str] = set()

    def feed(self, piece: bytes) -> None:
        """Read on.

        :raises ArchiveError: see ``RecordSplitter.feed``.
        """
        self._take(self._splitter.feed(piece))

    def finish(self) -> State:
        """Say that the state ends here and return what it holds.

        :raises ArchiveError: see ``RecordSplitter.finish``.
        """
        self._take(self._splitter.finish())
        self._close_node()
        fingerprint = Fingerprint({kind_of(one).name: total.result() for one, total in self._durable.items()})
        return State(
            last_index=self._splitter.last_index or 0,
            records={name: TypeStats(*stats) for name, stats in self._by_name(self._stats)},
            type_ids=frozenset(self._stats),
            fingerprint=fingerprint,
            user_records=dict(self._by_name(self._users)),
            origin=self._origin.result(),
            kv_prefixes=self._kv_prefixes.result() if self._kv_prefixes else [],
            config_kinds=frozenset(self._config_kinds),
            findings=tuple(self._findings.result()),
            peerings=self._findings.peerings(),
            visited=self._visitor.found() if self._visitor is not None and self._visitor.portable else None,
        )

    @staticmethod
    def _by_name(values: Mapping[int, Value]) -> list[tuple[str, Value]]:
        return sorted((kind_of(one).name, value) for one, value in values.items() if value)

    def _take(self, frames: Iterator[Frame]) -> None:
        for frame in frames:
            self._count(frame.type_id, 1, frame.size)
            if frame.digest is None:
                content = content_of(frame.type_id, frame.raw)
            else:
                # Too long to be looked into: it is known by its bytes alone.
                durable = kind_of(frame.type_id).durable
                content = Content(frame.digest, USER if durable else VOLATILE, None)
            self._general(frame, content)

    def _kv_run(self, buffer: bytes, position: int) -> int:
        prefixes, observe = self._kv_prefixes, self._visit_keys
        digests: list[bytes] = []
        keys: list[tuple[bytes, int]] = []
        end = read_kv_run(buffer, position, digests, None if prefixes is None and observe is None else keys)
        if digests:
            self._count(_KVS, len(digests), end - position)
            self._users[_KVS] = self._users.get(_KVS, 0) + len(digests)
            self._sum_of(_KVS).add(digests)
            if prefixes is not None:
                for key, size in keys:
                    prefixes.add(key, size)
            if observe is not None:
                observe(keys, digests)
        return end

    def _count(self, type_id: int, count: int, size: int) -> None:
        if not self._stats:
            # The header counts as a part of the first record, as it does for ``consul snapshot inspect``.
            size += self._splitter.header_size
        stats = self._stats.setdefault(type_id, [0, 0])
        stats[0] += count
        stats[1] += size

    def _sum_of(self, type_id: int) -> DigestSum:
        return self._durable.setdefault(type_id, DigestSum())

    def _general(self, frame: Frame, content: Content) -> None:
        type_id, size = frame.type_id, frame.size
        fields = content.fields
        if fields is not None:
            self._origin.look(type_id, fields)
            if type_id == _CONFIG_ENTRY:
                self._config_kinds.add(_text(fields.get(b"Kind")) or "")
            key = fields.get(b"Key")
            if type_id == _KVS and self._kv_prefixes is not None and isinstance(key, bytes):
                self._kv_prefixes.add(key, size)
        if type_id == _REGISTER and fields is not None:
            if self._node.name != _node_name(fields):
                self._close_node()
            self._node.add(fields, record_digest(content.digestible))
        elif content.origin != VOLATILE:
            self._sum_of(type_id).add([record_digest(content.digestible)])
            if content.origin == USER:
                self._users[type_id] = self._users.get(type_id, 0) + 1
        self._findings.take(type_id, content, self._stats[type_id][0], looked_into=frame.digest is None)
        if self._visitor is not None:
            show(self._visitor, type_id, content)

    def _close_node(self) -> None:
        if self._node.digests.count:
            self._findings.node_ends(self._node.belongs_to_agent)
            if self._visitor is not None:
                self._visitor.node_ends(self._node.belongs_to_agent)
        if self._node.digests.count and not self._node.belongs_to_agent:
            self._sum_of(_REGISTER).merge(self._node.digests)
            self._users[_REGISTER] = self._users.get(_REGISTER, 0) + self._node.digests.count
        self._node = _NodeGroup()


def show(visitor: Visitor, type_id: int, content: Content) -> None:
    """Show a record to a visitor, by its bytes alone where it has not the shape that the visitor counts on.

    Records are read before it is known whether the archive is damaged, so any of them may hold anything.
    """
    try:
        visitor.record(type_id, content)
    except UNREADABLE:
        if content.fields is None:
            raise
        visitor.record(type_id, content._replace(fields=None))


def _node_name(register: Mapping[bytes, Any]) -> tuple[Any, Any]:
    return register.get(b"PeerName"), register.get(b"Node")


class _NodeGroup:
    """The Register records of one node, which stand together in the stream (persistNodes in Consul's fsm).

    Whether they are a user's shows only when the last one is read: a node with a ``serfHealth`` check is its agent's,
    a node with the ``consul`` service a server's, and one imported from a peer is the peer's. After a restore an agent
    registers its node by itself, up to a minute before the leader adds the check (seen on 1.8.7 and 1.22.7).
    """

    def __init__(self) -> None:
        self.name: tuple[Any, Any] | None = None
        self.digests = DigestSum()
        self.belongs_to_agent = False

    def add(self, register: Mapping[bytes, Any], digest: bytes) -> None:
        self.name = _node_name(register)
        self.digests.add([digest])
        check, service, meta = register.get(b"Check"), register.get(b"Service"), register.get(b"NodeMeta")
        has_agent = isinstance(check, dict) and check.get(b"CheckID") == b"serfHealth"
        is_server = isinstance(service, dict) and service.get(b"Service") == b"consul"
        by_agent = isinstance(meta, dict) and _SET_BY_AGENTS in meta
        if register.get(b"PeerName") or has_agent or is_server or by_agent:
            self.belongs_to_agent = True


class _OriginFinder:
    """Collects what records say about the cluster they come from."""

    def __init__(self) -> None:
        self._datacenter: str | None = None
        self._federation: set[str] = set()
        self._cluster_id: str | None = None
        self._versions: set[str] = set()

    def look(self, type_id: int, fields: Mapping[bytes, Any]) -> None:
        if type_id == _REGISTER:
            self._register(fields)
        elif type_id == FEDERATION_STATE:
            state = fields.get(b"State")
            name = _text(state.get(b"Datacenter")) if isinstance(state, dict) else None
            self._federation.update([name] if name else [])
        elif type_id == CONNECT_CA_CONFIG:
            self._cluster_id = _text(fields.get(b"ClusterID")) or self._cluster_id
        elif type_id == CONNECT_CA and fields.get(b"Active"):
            self._cluster_id = self._cluster_id or _text(fields.get(b"ExternalTrustDomain"))

    def _register(self, fields: Mapping[bytes, Any]) -> None:
        if fields.get(b"PeerName"):
            return
        self._datacenter = self._datacenter or _text(fields.get(b"Datacenter"))
        service = fields.get(b"Service")
        if isinstance(service, dict) and service.get(b"Service") == b"consul":
            meta = service.get(b"Meta")
            version = _text(meta.get(b"version")) if isinstance(meta, dict) else None
            self._versions.update([version] if version else [])

    def result(self) -> ClusterIdentity:
        only = next(iter(self._federation)) if len(self._federation) == 1 else None
        # Servers of two versions: the newest decides, because it may have written what an older one can't read.
        version = max(self._versions, key=version_key, default=None)
        return ClusterIdentity(self._datacenter or only, self._cluster_id, version)


def version_key(version: str) -> tuple[tuple[int, ...], bool]:
    """Return a key that orders Consul versions: ``1.22.7`` after ``1.8.7``, a release after its own candidates."""
    release, _sign, rest = version.partition("+")[0].partition("-")
    numbers = tuple(int(part) for part in release.split(".")[:_PARTS] if _NUMBER.fullmatch(part))
    return numbers, not rest


def _text(value: Any) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) and value else None
