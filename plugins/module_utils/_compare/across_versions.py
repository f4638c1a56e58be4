# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster holds an archive's content although their fingerprints differ (pure).

What a leader makes by itself where it is missing is no difference: builtin policies and the anonymous token where ACLs
were off when the archive was taken, a CA where Connect was.

Nor is an ACL token that has expired since: servers remove those within seconds (``reapExpiredACLTokens`` in
agent/consul/acl_token_exp.go, observed on 1.8.7 and 1.22.7).

Between versions there is more: records are matched by their names, and have to mean the same (see ``record_meaning``).
Keys need none of this, because their digests are the same in all versions. What the archive has and the other version
has no field for is a loss, and is said to be one.

After a restore, what was written since is told apart (see ``written_since``).

The archive's records, but for its keys, are held in memory until the cluster's stream by.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .._model.losses import Loss
from .._model.record_types import RecordType, kind_of
from .._snapshot.records.canonical import BUILTIN, VOLATILE, Content
from .._snapshot.records.fingerprint import TypeDigest, record_digest
from .._snapshot.records.record_names import FirstLabels, name_of
from .._snapshot.records.stream import UNREADABLE, pack, unpack
from .._snapshot.records.visitor import Visitor
from .._times import from_go
from .record_meaning import Fields, agrees, is_converted, legacy_sources, lost_fields
from .written_since import LISTED, SESSION, TOMBSTONE, Changes, Keys, Resolver, Tables, is_users, modified

Key = tuple[int, bytes]


class _Durable(Visitor):
    """Gets the durable records, but for keys; those of a node when it is known that they are not an agent's."""

    def __init__(self) -> None:
        self._node: list[Content] = []

    def record(self, type_id: int, content: Content) -> None:
        if type_id == RecordType.REGISTER and content.fields is not None:
            self._node.append(content)
        elif type_id != RecordType.KVS and content.origin != VOLATILE:
            self._show(type_id, content)

    def node_ends(self, agents: bool) -> None:
        for content in () if agents else self._node:
            self._show(RecordType.REGISTER, content)
        self._node = []

    def _show(self, type_id: int, content: Content) -> None:
        try:
            self.take(type_id, content)
        except UNREADABLE:
            # It has not the shape that is counted on here: its bytes alone tell it from others.
            self.take(type_id, content._replace(fields=None))

    def take(self, type_id: int, content: Content) -> None:
        """Look at one of them."""
        raise NotImplementedError


class Baseline(_Durable):
    """The records of an archive: their content, or where versions are the same no more than its digest."""

    def __init__(self, across: bool) -> None:
        super().__init__()
        self.across = across
        self.records: dict[Key, bytes] = {}
        self.expiries: dict[Key, float] = {}
        """When ACL tokens expire that do, in seconds since the epoch."""

    def take(self, type_id: int, content: Content) -> None:
        end = (
            from_go(content.fields.get(b"ExpirationTime"))
            if type_id == RecordType.ACL_TOKEN and content.fields
            else None
        )
        if end is not None:
            self.expiries[_key(type_id, content)] = end
        whole = pack(dict(content.fields)) if self.across and content.fields is not None else b""
        self.records[_key(type_id, content)] = whole or record_digest(content.digestible)


class CrossVersionCheck(_Durable):
    """Compares a cluster's records, as they stream by, with those that were learned; used once.

    :param since: the index beyond which what differs was written after the restore; None where there was none.
    :param keys: whether keys are compared as well, which takes a while; only with ``since``.
    :param agents: names of living agents, in lower case: what they write of their nodes is nobody's content.
    """

    def __init__(
        self, baseline: Baseline, since: int | None = None, *, keys: bool = False, agents: Collection[str] = ()
    ) -> None:
        super().__init__()
        self._across = baseline.across
        self._unmatched = dict(baseline.records)
        self._expiries = baseline.expiries
        self._since = since
        self._agents = agents
        self._tables = Tables(since or 0)
        self._keys = Keys(since) if since is not None and keys else None
        self._changes = Changes()
        self._differing: set[int] = set()
        self._converted_sources: dict[bytes, Fields] = {}
        self._new_intentions: list[tuple[set[bytes], Content]] = []
        self._lost: dict[tuple[int, bytes], FirstLabels] = {}
        self._judged: set[int] | None = None
        self.guessed = False
        """Whether a record is taken to be deleted since on no better evidence than that its table was written to."""
        self.wants_records = self._keys is not None

    def record(self, type_id: int, content: Content) -> None:
        if self._since is not None:
            self._tables.look(type_id, content)
            if self._keys is not None and type_id in (RecordType.KVS, TOMBSTONE):
                self._keys.look(type_id, content)
            elif type_id == SESSION and self._is_later(type_id, content):
                self._changes.add(SESSION, "added", _label(type_id, content))
        super().record(type_id, content)

    def take(self, type_id: int, content: Content) -> None:
        sources = dict(legacy_sources(type_id, content.fields)) if self._across else {}
        raw = self._unmatched.pop(_key(type_id, content), None)
        self._converted_sources.update(sources)
        if raw is not None:
            if not (agrees(type_id, content, raw) if self._across else raw == record_digest(content.digestible)):
                self._differs(type_id, content, "changed", raw)
        elif sources:
            self._new_intentions.append((set(sources), content))
        elif content.origin != BUILTIN:
            self._differs(type_id, content, "added", b"")

    def _is_later(self, type_id: int, content: Content) -> bool:
        index = modified(type_id, content.fields)
        return self._since is not None and index is not None and index > self._since

    def _differs(self, type_id: int, content: Content, how: str, raw: bytes) -> None:
        if self._is_later(type_id, content) and is_users(type_id, content):
            if type_id == RecordType.REGISTER and _folded((content.fields or {}).get(b"Node")) in self._agents:
                return
            self._tables.by_user(type_id, content)
            self._changes.add(type_id, how, _label(type_id, content))
            return
        self._differing.add(type_id)
        if raw and self._across and content.fields is not None:
            for name in lost_fields(type_id, unpack(raw), content.fields):
                self._lost.setdefault((type_id, name), FirstLabels(LISTED)).add(_label(type_id, content))

    def _judge(self, now: float) -> set[int]:
        """Decide what the records mean that are left over, once the whole of the cluster was seen; done once."""
        if self._judged is None:
            self._judged = set(self._differing)
            converted = self._judge_unmatched(now, self._judged)
            self._judge_new_intentions(converted, self._judged)
            self.guessed = bool(self._unmatched)
        return self._judged

    def _judge_unmatched(self, now: float, differing: set[int]) -> set[bytes]:
        """Note the types of which records are missing, and return the ids of intentions that became config entries.

        Left unmatched are records that can have been deleted since.
        """
        converted, deleted = set(), {}
        for key, raw in self._unmatched.items():
            type_id, identity = key
            if self._expiries.get(key, now) < now:
                continue
            if type_id == RecordType.INTENTION and self._across:
                if is_converted(raw, self._converted_sources.get(identity)):
                    converted.add(identity)
                else:
                    differing.add(type_id)
            elif self._since is not None and self._tables.explains(type_id, identity):
                deleted[key] = raw
            else:
                differing.add(type_id)
        self._unmatched = deleted
        return converted

    def _judge_new_intentions(self, converted: set[bytes], differing: set[int]) -> None:
        """Judge the entries that hold intentions and have no record of their name in the archive."""
        for ids, content in self._new_intentions:
            if ids <= converted:
                continue
            if self._is_later(RecordType.CONFIG_ENTRY, content) and ids.isdisjoint(converted):
                self._changes.add(RecordType.CONFIG_ENTRY, "added", _label(RecordType.CONFIG_ENTRY, content))
            else:
                differing.add(RecordType.CONFIG_ENTRY)

    def differing(self, now: float) -> set[str]:
        """Return the names of the types of which anything is missing, is another, or is there without reason.

        :param now: the time, in seconds since the epoch, at which a token has expired or not.
        """
        return {kind_of(type_id).name for type_id in self._judge(now)}

    def resolver(self, now: float) -> Resolver | None:
        """Return what has to look at the archive once more before ``written_since`` is asked; None when nothing has."""
        self._judge(now)
        keys = frozenset({*self._keys.written, *self._keys.deleted}) if self._keys else frozenset()
        return Resolver(keys, frozenset(self._unmatched)) if keys or self._unmatched else None

    def written_since(self, archive: TypeDigest, resolver: Resolver | None) -> tuple[bool, dict[str, dict[str, Any]]]:
        """Return whether all that differs of keys was written since, and what was, by type; see ``Changes.result``.

        :param archive: what the archive's keys amount to.
        """
        for key in self._unmatched:
            label = resolver.labels.get(key, b"a record without a name") if resolver else b""
            self._changes.add(key[0], "removed", label)
        archived = resolver.digests if resolver else {}
        explained = self._keys is None or self._keys.settle(archive, archived, self._changes)
        return explained, self._changes.result()

    def losses(self) -> list[Loss]:
        """Return what the cluster's version has no place for, of what differs and was not written since."""
        return [
            Loss(kind_of(type_id).name, name.decode("utf-8", "replace"), labels.count, labels.result())
            for (type_id, name), labels in sorted(self._lost.items())
        ]


def _label(type_id: int, content: Content) -> bytes:
    name = name_of(type_id, content.fields) if content.fields is not None else None
    return name.label if name else b"a record without a name"


def _folded(name: Any) -> str:
    return name.decode("utf-8", "replace").lower() if isinstance(name, bytes) else ""


def _key(type_id: int, content: Content) -> Key:
    fields = content.fields
    if type_id == RecordType.INTENTION and fields is not None and isinstance(fields.get(b"ID"), bytes):
        return type_id, fields[b"ID"]
    if type_id == RecordType.CONNECT_CA_PROVIDER_STATE and fields is not None:
        # Its id is made in another way since 1.9; the leader writes it anew (agent/connect/ca/provider_consul.go).
        return type_id, record_digest(pack([fields.get(b"PrivateKey"), fields.get(b"RootCert")]))
    name = name_of(type_id, fields) if fields is not None else None
    return type_id, name.identity if name else record_digest(content.digestible)
