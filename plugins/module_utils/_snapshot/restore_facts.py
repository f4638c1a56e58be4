# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore has to know of an archive's records: agents' nodes, and whether certain tokens are among them.

``RestoreFactsVisitor`` collects it while an archive is read. ``read_head`` gets it from an archive that was verified
earlier: Consul writes Register and ACLToken records before the keys (``agent/consul/fsm/snapshot_ce.go``,
``persistCE``), so it is read in no time even where the state is large. How many of both there are is known then:
reading stops when all were seen, wherever they stand.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .._errors import ArchiveError
from .._model.record_types import RecordType, kind_of
from .._times import from_go
from .gzip_tar import gunzip, members
from .meta import parse_meta
from .reader import META, STATE, read_small
from .records.canonical import Content
from .records.stream import UNREADABLE, Frame, RecordSplitter, unpack
from .records.visitor import Visitor

SERVERS_SERVICE = "consul"

SERF_HEALTH = b"serfHealth"

# Under a name of its own: the enumeration is slow to ask.
_REGISTER = RecordType.REGISTER
_TYPES = frozenset({_REGISTER, RecordType.ACL_TOKEN})


@dataclass
class Agent:
    """A node that belongs to an agent: its id, whether its own check is not critical, and its services by name."""

    id: str
    alive: bool = False
    services: set[str] = field(default_factory=set)


def is_server(agent: Agent) -> bool:
    """Whether a node is one of a Consul server: those alone have the service ``consul``."""
    return SERVERS_SERVICE in agent.services


class Head(NamedTuple):
    """``tokens``: the labels of those secrets that are in the archive; ``expired``: of those whose
    time was over. ``servers``: raft ids of the cluster's servers, as ``meta.json`` has them."""

    agents: Mapping[str, Agent]
    tokens: frozenset[str]
    expired: frozenset[str]
    servers: frozenset[str]


def read_head(pieces: Iterable[bytes], *, counts: Mapping[str, int], secrets: Mapping[str, str], now: float) -> Head:
    """Read as much of an archive as it takes, which was verified before.

    :param counts: how many records of each type there are, by name.
    :param secrets: tokens to look for, by a label. They are compared and never kept.
    :raises ArchiveError: it can't be read.
    """
    collector, servers = _Collector(secrets, now), _Servers()
    left = sum(counts.get(kind_of(one).name, 0) for one in _TYPES)
    for frame in _frames(pieces, servers.meta):
        if frame.type_id in _TYPES:
            collector.take(frame.type_id, frame.raw)
            left -= 1
        # Where there are none of both, one record has to be read to have come by meta.json.
        if left <= 0:
            break
    return collector.result(servers.ids)


class RestoreFactsVisitor(Visitor):
    """Collects the same while the records are read for the first time; ``found`` returns a Head without ``servers``."""

    portable = True

    def __init__(self, secrets: Mapping[str, str], now: float) -> None:
        self._collector = _Collector(secrets, now)

    def record(self, type_id: int, content: Content) -> None:
        if type_id in _TYPES:
            if content.fields is None:
                # Its shape is not one that has a canonical form, so this is what stands in the stream.
                self._collector.take(type_id, content.digestible)
            else:
                self._collector.look(type_id, content.fields)

    def found(self) -> Head:
        return self._collector.result(frozenset())


def _frames(pieces: Iterable[bytes], meta: Callable[[bytes], None]) -> Iterator[Frame]:
    for member in members(gunzip(pieces)):
        if member.name != STATE:
            text = read_small(member)
            if member.name == META:
                meta(text)
            continue
        splitter = RecordSplitter()
        for piece in member.pieces:
            yield from splitter.feed(piece)
        yield from splitter.finish()
        return
    raise ArchiveError("the archive does not contain state.bin", fault="truncated")


class _Servers:
    """The servers that meta.json names."""

    def __init__(self) -> None:
        self.ids: frozenset[str] = frozenset()

    def meta(self, text: bytes) -> None:
        """Look at meta.json, which Consul writes first."""
        # One that can't be read names no server; whether the archive verifies is decided elsewhere.
        with contextlib.suppress(ArchiveError):
            self.ids = frozenset(server.id for server in parse_meta(text).servers)


class _Collector:
    """Collects what the guards ask for; a record of a shape that we don't know tells nothing."""

    def __init__(self, secrets: Mapping[str, str], now: float) -> None:
        self._secrets = {label: secret.encode() for label, secret in secrets.items()}
        self._now = now
        self._nodes: dict[str, Agent] = {}
        self._with_agent: set[str] = set()
        self._tokens: set[str] = set()
        self._expired: set[str] = set()

    def take(self, type_id: int, raw: bytes) -> None:
        """Look at a record as it stands in the stream."""
        try:
            fields = unpack(raw)
        except UNREADABLE:
            return
        self.look(type_id, fields)

    def look(self, type_id: int, fields: Any) -> None:
        """Look at a decoded record."""
        with contextlib.suppress(*UNREADABLE):
            (self._register if type_id == _REGISTER else self._token)(fields)

    def _register(self, fields: Mapping[bytes, Any]) -> None:
        if fields.get(b"PeerName"):
            return
        name = fields[b"Node"].decode("utf-8", "replace")
        node = self._nodes.setdefault(name, Agent((fields.get(b"ID") or b"").decode("utf-8", "replace")))
        service, check = fields.get(b"Service"), fields.get(b"Check")
        if isinstance(service, dict):
            node.services.add(service[b"Service"].decode("utf-8", "replace"))
        if isinstance(check, dict) and check.get(b"CheckID") == SERF_HEALTH:
            self._with_agent.add(name)
            node.alive = check.get(b"Status") != b"critical"

    def _token(self, fields: Mapping[bytes, Any]) -> None:
        found = fields[b"SecretID"]
        for label, secret in self._secrets.items():
            if hmac.compare_digest(found, secret):
                end = from_go(fields.get(b"ExpirationTime"))
                (self._expired if end is not None and end <= self._now else self._tokens).add(label)

    def result(self, servers: frozenset[str]) -> Head:
        """Return what was collected."""
        agents = {name: self._nodes[name] for name in sorted(self._with_agent)}
        return Head(agents, frozenset(self._tokens), frozenset(self._expired), servers)
