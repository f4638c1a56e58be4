# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was written to a cluster after a raft index, told apart from what a restore failed to bring back (pure).

A restore is applied at an index above the archive's and above the cluster's own, and everything that is written later
has a higher ``ModifyIndex``. A key that was deleted leaves a tombstone with its index. Other records leave no trace of
their own; there the table's row in the Index records tells when it was last written (observed on 1.8.7 and 1.22.7).

Keys are not held in memory: the digests of those that were not written since, and of the archive's records of those
that were, must add up to the archive's. Memory: the names of keys that were written since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .._model.record_types import RecordType, kind_of
from .._snapshot.records.canonical import USER, Content
from .._snapshot.records.fingerprint import DigestSum, TypeDigest, record_digest
from .._snapshot.records.protobuf import fields as message_fields
from .._snapshot.records.record_names import FirstLabels, name_of
from .._snapshot.records.visitor import Visitor

LISTED = 10
"""Names that are listed for each type, at most."""

SESSION, TOMBSTONE, INDEX = RecordType.SESSION, RecordType.TOMBSTONE, RecordType.INDEX
_TABLES: dict[int, str] = {
    RecordType.PREPARED_QUERY: "prepared-queries",
    RecordType.INTENTION: "connect-intentions",
    RecordType.ACL_TOKEN: "acl-tokens",
    RecordType.ACL_POLICY: "acl-policies",
    RecordType.CONFIG_ENTRY: "config-entries",
    RecordType.ACL_ROLE: "acl-roles",
    RecordType.ACL_BINDING_RULE: "acl-binding-rules",
    RecordType.ACL_AUTH_METHOD: "acl-auth-methods",
    RecordType.SERVICE_VIRTUAL_IP: "service-virtual-ips",
}
"""Names of the tables' rows among the Index records; types that are not in it are never taken to be deleted."""
_CATALOG = {b"node": "nodes", b"service": "services", b"check": "checks"}
_INDEX_FIELDS: dict[int, int] = {RecordType.PEERING: 12, RecordType.PEERING_TRUST_BUNDLE: 7}
"""The number of the field ModifyIndex of pbpeering.Peering and pbpeering.PeeringTrustBundle."""


@dataclass
class Change:
    """How many records of a type were added, changed and removed since, and the names of the first ones."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    names: list[str] = field(default_factory=list)


class Changes:
    """Collects them by type."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[str, int]] = {}
        self._names: dict[int, FirstLabels] = {}

    def add(self, type_id: int, what: str, label: bytes) -> None:
        """Note a record that was ``added``, ``changed`` or ``removed``."""
        counts = self._counts.setdefault(type_id, {"added": 0, "changed": 0, "removed": 0})
        counts[what] += 1
        self._names.setdefault(type_id, FirstLabels(LISTED)).add(label)

    def has(self, type_id: int) -> bool:
        """Whether anything was noted of a type."""
        return type_id in self._counts

    def result(self) -> dict[str, dict[str, Any]]:
        """Return ``{type: {added, changed, removed, names}}``."""
        found = {
            kind_of(one).name: asdict(Change(**counts, names=self._names[one].result()))
            for one, counts in self._counts.items()
        }
        return dict(sorted(found.items()))


def modified(type_id: int, fields: Mapping[bytes, Any] | None) -> int | None:
    """Return the index at which a record, or the node that its content repeats, was last written; None: it has none."""
    if fields is None:
        return None
    found = [_own(type_id, fields)]
    if type_id == RecordType.REGISTER:
        found.append(_number(fields))
    return max((one for one in found if one is not None), default=None)


def _own(type_id: int, fields: Mapping[bytes, Any]) -> int | None:
    if type_id in _INDEX_FIELDS:
        return _of_message(fields.get(b""), _INDEX_FIELDS[type_id])
    if type_id == RecordType.CONFIG_ENTRY:
        return _number(fields.get(b"Entry"))
    if type_id == RecordType.REGISTER:
        return _number(fields.get(b"Service") or fields.get(b"Check") or fields)
    return _number(fields)


def _number(fields: Any) -> int | None:
    value = fields.get(b"ModifyIndex") if isinstance(fields, Mapping) else None
    return value if isinstance(value, int) else None


def _of_message(message: Any, number: int) -> int | None:
    try:
        [whole] = [one.whole for one in message_fields(message) if one.number == number]
    except (ValueError, KeyError, IndexError, TypeError):
        return None
    # The field's tag takes one byte; a varint has seven bits a byte, the lowest first.
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(whole[1:11]))


class Tables:
    """When each table was last written, and whether a deletion is what explains it."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._rows: dict[str, int] = {}
        self._newest: dict[str, int] = {}
        self._by_users: set[str] = set()

    def look(self, type_id: int, content: Content) -> None:
        """Look at any record of the cluster, whoever wrote it."""
        fields = content.fields
        if fields is None:
            return
        if type_id == INDEX:
            key, value = fields.get(b"Key"), fields.get(b"Value")
            if isinstance(key, bytes) and isinstance(value, int):
                self._rows[key.decode("utf-8", "replace")] = value
            return
        table, index = self._table(type_id, _sort(fields)), _own(type_id, fields)
        if table is not None and index is not None:
            self._newest[table] = max(index, self._newest.get(table, 0))

    def by_user(self, type_id: int, content: Content) -> None:
        """Note that a user wrote this record since."""
        table = self._table(type_id, _sort(content.fields or {}))
        if table is not None:
            self._by_users.add(table)

    def explains(self, type_id: int, identity: bytes) -> bool:
        """Whether a record that is missing can have been deleted since: a write to its table that no record accounts
        for, or users that write to that table."""
        table = self._table(type_id, identity.partition(b"\0")[0])
        if table is None or self._rows.get(table, 0) <= self._since:
            return False
        return self._rows[table] > self._newest.get(table, 0) or table in self._by_users

    @staticmethod
    def _table(type_id: int, sort: bytes) -> str | None:
        return _CATALOG.get(sort) if type_id == RecordType.REGISTER else _TABLES.get(type_id)


def _sort(fields: Mapping[bytes, Any]) -> bytes:
    return b"service" if fields.get(b"Service") else b"check" if fields.get(b"Check") else b"node"


class Keys:
    """The cluster's keys: a sum of those that were not written since, the names of those that were."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._old = DigestSum()
        self.written: dict[bytes, bytes] = {}
        self.deleted: set[bytes] = set()

    def look(self, type_id: int, content: Content) -> None:
        """Look at a KVS or Tombstone record."""
        fields = content.fields or {}
        key, index = fields.get(b"Key"), _number(fields)
        later = index is not None and index > self._since
        if type_id == TOMBSTONE:
            if later and isinstance(key, bytes):
                self.deleted.add(key)
        elif later and isinstance(key, bytes):
            self.written[key] = record_digest(content.digestible)
        else:
            self._old.add([record_digest(content.digestible)])

    def settle(self, archive: TypeDigest, held: Mapping[bytes, bytes], changes: Changes) -> bool:
        """Note what was written since and return whether that is all that differs.

        :param archive: what the archive's keys amount to.
        :param held: digests of the archive's records of the keys that were written or deleted since.
        """
        for key, digest in self.written.items():
            if key not in held:
                changes.add(RecordType.KVS, "added", key)
            elif held[key] != digest:
                changes.add(RecordType.KVS, "changed", key)
        for key in self.deleted:
            if key in held and key not in self.written:
                changes.add(RecordType.KVS, "removed", key)
        total = DigestSum()
        total.merge(self._old)
        total.add(list(held.values()))
        return total.result() == archive


class Resolver(Visitor):
    """Reads the archive once more: the digests of some keys, and the names of some other records."""

    wants_keys = True

    def __init__(self, keys: frozenset[bytes], records: frozenset[tuple[int, bytes]]) -> None:
        self._keys = keys
        self._records = records
        self.digests: dict[bytes, bytes] = {}
        self.labels: dict[tuple[int, bytes], bytes] = {}

    def record(self, type_id: int, content: Content) -> None:
        name = name_of(type_id, content.fields) if content.fields is not None else None
        if name is None:
            return
        if type_id == RecordType.KVS:
            self.keys([(name.label, 0)], [record_digest(content.digestible)])
        elif (type_id, name.identity) in self._records:
            self.labels[type_id, name.identity] = name.label

    def keys(self, keys: list[tuple[bytes, int]], digests: list[bytes]) -> None:
        for (key, _size), digest in zip(keys, digests):
            if key in self._keys:
                self.digests[key] = digest


def is_users(type_id: int, content: Content) -> bool:
    """Whether what changes of a record after a restore is users' work, and not the leader's at its start."""
    return content.origin == USER or type_id in (RecordType.ACL_TOKEN, RecordType.SERVICE_VIRTUAL_IP)
