# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user stored, told apart from what Consul keeps beside it: the content of a record and where it comes from.

Content is a record without raft's bookkeeping and without what Consul derives from the record itself, with its maps in
one order (Go writes them in a random one). A record whose shape is not known is its own raw bytes: that can make an
answer less precise, never wrong.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..._model.builtin_acl import ANONYMOUS_ACCESSOR, BOOTSTRAP, BUILTIN_POLICIES, comes_from_configuration
from ..._model.record_types import RecordType, kind_of
from .protobuf import fields as message_fields
from .stream import UNREADABLE, pack, unpack, unpack_all

# Asked of each record: to look one up in the enumeration takes longer.
_ACL_POLICY = RecordType.ACL_POLICY
_ACL_TOKEN = RecordType.ACL_TOKEN
_CONFIG_ENTRY = RecordType.CONFIG_ENTRY
_KVS = RecordType.KVS
_REGISTER = RecordType.REGISTER

USER = "user"
BUILTIN = "builtin"
VOLATILE = "volatile"

# Types that a cluster fills by itself, at its first start or as services come and go: durable, but no sign that
# anybody stored anything in it.
_SELF_MADE = frozenset(
    {
        RecordType.AUTOPILOT,
        RecordType.CONNECT_CA,
        RecordType.CONNECT_CA_PROVIDER_STATE,
        RecordType.CONNECT_CA_CONFIG,
        RecordType.SERVICE_VIRTUAL_IP,
    }
)


_RAFT = (b"CreateIndex", b"ModifyIndex")
_RAFT_KV = (*_RAFT, b"LockIndex", b"Session")
_ENCODED = b"proxy-defaults"
"""These entries encode themselves: one more raw string, around the map that others stand as (``MarshalBinary``)."""
_HASHED = frozenset(
    {
        RecordType.INTENTION,
        RecordType.ACL_TOKEN,
        RecordType.ACL_POLICY,
        RecordType.ACL_ROLE,
        RecordType.CONFIG_ENTRY,
    }
)
_DERIVED = (*_RAFT, b"Hash")
"""The hash is one of the record's own other fields. A restore computes those of config entries anew, and gives one to
tokens that have none (``Restore.ConfigEntry`` in agent/consul/state/config_entry.go, ``restoreToken`` in
agent/consul/fsm), so that the hash of an API gateway or of a route changes while nothing in it does (on 1.22.7)."""


class Content(NamedTuple):
    """``digestible``: canonical bytes of the content. ``origin``: USER, BUILTIN or VOLATILE. ``fields``: the decoded
    record, or None where its shape is not known."""

    digestible: bytes
    origin: str
    fields: dict[bytes, Any] | None


def content_of(type_id: int, raw: bytes) -> Content:
    """Return the content of one record, ``raw`` being its msgpack value."""
    durable = kind_of(type_id).durable
    try:
        fields = _fields(type_id, raw)
        digestible = _canonical(type_id, raw, fields)
        origin = _origin(type_id, fields) if durable else VOLATILE
    except UNREADABLE:
        return Content(raw, USER if durable else VOLATILE, None)
    return Content(digestible, origin, fields)


def _ordered(pairs: list[tuple[Any, Any]]) -> Any:
    """Return a map in the order of its keys; one whose keys are maps as a list of pairs in the order of their bytes.

    Such a map is ``Services`` of a bound-api-gateway: its keys are service names, which are structs.

    :raises ValueError: a key stands there twice, which Consul never writes.
    """
    try:
        found = dict(pairs)
    except TypeError:
        packed = sorted((pack(key), key, value) for key, value in pairs)
        if len({key for key, _key, _value in packed}) != len(packed):
            raise ValueError("a map has a key twice") from None
        return [[key, value] for _packed, key, value in packed]
    if len(found) != len(pairs):
        raise ValueError("a map has a key twice")
    try:
        keys = sorted(found)
    except TypeError:
        keys = sorted(found, key=pack)
    # Consul's encoder sorts a struct's fields, so that most maps are in order already.
    return found if keys == list(found) else {key: found[key] for key in keys}


def _fields(type_id: int, raw: bytes) -> dict[bytes, Any]:
    if type_id == _CONFIG_ENTRY:
        # One raw string that holds two values: the kind, then the request around the entry.
        kind, request = unpack_all(unpack(raw), object_pairs_hook=_ordered)
        if (kind == _ENCODED) != isinstance(request.get(b"Entry"), bytes):
            raise ValueError("the entry is not encoded as its kind is")
        if kind == _ENCODED:
            request[b"Entry"] = unpack(request[b"Entry"], object_pairs_hook=_ordered)
        return {b"Kind": kind, **request}
    decoded = unpack(raw, object_pairs_hook=_ordered)
    return decoded if isinstance(decoded, dict) else {b"": decoded}


def _canonical(type_id: int, raw: bytes, fields: dict[bytes, Any]) -> bytes:
    if type_id in _MESSAGES:
        return _message_without_indexes(fields[b""], *_MESSAGES[type_id])
    if b"" in fields:
        return raw
    if type_id == _KVS:
        return pack_fields({name: fields[name] for name in fields if name not in _RAFT_KV})
    left_out = _DERIVED if type_id in _HASHED else _RAFT
    kept = {name: fields[name] for name in fields if name not in left_out}
    for nested in _nested(type_id):
        if isinstance(kept.get(nested), dict):
            kept[nested] = {name: value for name, value in kept[nested].items() if name not in left_out}
    return pack_fields(kept)


def pack_fields(fields: dict[bytes, Any]) -> bytes:
    """Encode a struct's fields one after another, without the header that counts them.

    For a KVS record these are exactly the bytes that Consul wrote for Flags, Key and Value, so that the content can
    be taken from the stream without being decoded.
    """
    return b"".join(pack(name) + pack(value) for name, value in fields.items())


def _nested(type_id: int) -> tuple[bytes, ...]:
    if type_id == _REGISTER:
        return (b"Service", b"Check")
    if type_id == _CONFIG_ENTRY:
        return (b"Entry",)
    return ()


def _origin(type_id: int, fields: dict[bytes, Any]) -> str:
    if type_id in _SELF_MADE:
        return BUILTIN
    if type_id == _ACL_POLICY:
        return BUILTIN if fields.get(b"ID") in BUILTIN_POLICIES else USER
    if type_id == _ACL_TOKEN:
        return _token_origin(fields)
    return USER


def _token_origin(token: dict[bytes, Any]) -> str:
    if token.get(b"AccessorID") == ANONYMOUS_ACCESSOR or token.get(b"Description") == BOOTSTRAP:
        return BUILTIN
    links = [link.get(b"ID") for link in token.get(b"Policies") or []]
    return VOLATILE if comes_from_configuration(token.get(b"Description"), links) else USER


# Messages of pbpeering: which fields are raft's indexes, and which one is a map, which protobuf writes in random order.
_MESSAGES: dict[int, tuple[tuple[int, ...], int | None]] = {
    RecordType.PEERING: ((11, 12), 5),
    RecordType.PEERING_TRUST_BUNDLE: ((6, 7), None),
}


def _message_without_indexes(message: bytes, indexes: tuple[int, ...], map_field: int | None) -> bytes:
    found = list(message_fields(message))
    kept = [field.whole for field in found if field.number not in (*indexes, map_field)]
    return b"".join(kept + sorted(field.whole for field in found if field.number == map_field))
