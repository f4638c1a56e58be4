# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a record that one version wrote means the same as what another version wrote (pure).

A newer Consul writes the same things in another way: fields that are new stand there with their zero values, builtin
policies get new rules, legacy intentions become config entries. So each field that the older record has must mean the
same in the newer one; fields that only the newer one has are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._model.record_types import RecordType
from .._snapshot.records.canonical import BUILTIN, Content
from .._snapshot.records.fingerprint import record_digest
from .._snapshot.records.stream import UNREADABLE, unpack

Fields = Mapping[bytes, Any]

_BOOKKEEPING = (b"CreateIndex", b"ModifyIndex", b"LockIndex", b"Hash")
_ZERO_TIME = b"\x01" + bytes(12) + b"\xff\xff"


def agrees(type_id: int, content: Content, raw: bytes) -> bool:
    """Whether a record means the same as the one of its name that was learned.

    :param raw: the older record's fields, packed; its digest where it has none.
    """
    try:
        return _has_the_fields(type_id, content, raw)
    except UNREADABLE:
        return False


def _has_the_fields(type_id: int, content: Content, raw: bytes) -> bool:
    if content.fields is None or raw == record_digest(content.digestible):
        # Named by its digest, so it is the same.
        return True
    if type_id == RecordType.ACL_POLICY and content.origin == BUILTIN:
        # The leader writes their rules anew (writeBuiltinACLPolicy in agent/consul/leader.go).
        return True
    old = unpack(raw)
    if type_id == RecordType.CONNECT_CA_PROVIDER_STATE:
        old.pop(b"ID", None)
    if type_id == RecordType.ACL_TOKEN and not _legacy_rights(old, content.fields):
        # What is left of a legacy token's type says nothing beside the policies that it has.
        old.pop(b"Type", None)
    return means_the_same(old, content.fields)


def _legacy_rights(old: Fields, new: Fields) -> bool:
    """Whether a token's rights come from its legacy type or rules, which newer versions don't know (1.22.7 is one)."""
    return bool(old.get(b"Rules")) or (old.get(b"Type") == b"management" and not new.get(b"Policies"))


def lost_fields(type_id: int, old: Fields, new: Fields) -> list[bytes]:
    """Return the names of the fields that have a meaning in the older record and no place in the newer one."""
    if type_id == RecordType.ACL_TOKEN and old.get(b"Rules") and b"Rules" not in new:
        return [b"Rules"]
    return [name for name, value in old.items() if name not in new and name not in _BOOKKEEPING and not _is_zero(value)]


def means_the_same(old: Any, new: Any) -> bool:
    """Whether what one version wrote is in what another one wrote."""
    if _is_zero(old):
        return _is_zero(new)
    if isinstance(old, dict):
        return isinstance(new, dict) and all(
            means_the_same(value, new.get(name)) for name, value in old.items() if name not in _BOOKKEEPING
        )
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(means_the_same, old, new))
    return bool(old == new)


def _is_zero(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_zero(inner) for name, inner in value.items() if name not in _BOOKKEEPING)
    return not value or value == _ZERO_TIME


def legacy_sources(type_id: int, fields: Fields | None) -> Iterator[tuple[bytes, Fields]]:
    """Yield the sources that a legacy intention became, by its id (``Intention.LegacyID`` in agent/structs)."""
    if type_id != RecordType.CONFIG_ENTRY or fields is None or fields.get(b"Kind") != b"service-intentions":
        return
    for source in fields[b"Entry"].get(b"Sources") or []:
        if isinstance(source.get(b"LegacyID"), bytes) and source[b"LegacyID"]:
            yield source[b"LegacyID"], {**source, b"Destination": fields[b"Entry"].get(b"Name")}


def is_converted(raw: bytes, source: Fields | None) -> bool:
    """Whether a legacy intention, packed, became this source of a config entry; None: there is none with its id."""
    try:
        return source is not None and _says_the_same(unpack(raw), source)
    except UNREADABLE:
        return False


def _says_the_same(intention: Fields, source: Fields) -> bool:
    pairs = ((b"SourceName", b"Name"), (b"DestinationName", b"Destination"), (b"Meta", b"LegacyMeta"))
    same = all(means_the_same(intention.get(old), source.get(new)) for old, new in pairs)
    return same and all(means_the_same(intention.get(name), source.get(name)) for name in (b"Action", b"Description"))
