# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server can take a record into its tables: what is known of Consul 1.22.7 (pure).

A server that can't decode a record, or misses in it what one of its tables is ordered by, ends while it restores the
snapshot, and again at each start. The archive is whole then: no checksum shows it. So each record is held against the
definitions of ``schema`` and against what the tables require (``agent/consul/state/*_schema.go``, and
``ensureRegistrationTxn`` in catalog.go; each rule was seen to end the state machine of 1.22.7).

What Consul itself ignores is no reason: fields that the definitions don't have, types that they don't describe.
An answer names fields, never values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..._model.record_types import RecordType
from ..records.canonical import Content
from ..records.protobuf import value_of
from .messages import require_message
from .schema_checks import check_of_kind, check_of_struct, check_of_type

# Asked of each record: to look one up in the enumeration takes longer.
_CONFIG_ENTRY = RecordType.CONFIG_ENTRY
_COORDINATES = RecordType.COORDINATES
_PREPARED_QUERY = RecordType.PREPARED_QUERY
_REGISTER = RecordType.REGISTER
_SERVICE_VIRTUAL_IP = RecordType.SERVICE_VIRTUAL_IP

WHOLE = "the whole record"
_NAME, _UUID, _UUID_OR_NONE = "a name", "a UUID", "a UUID or nothing"
_UUID_TEXT = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_REQUIRED: dict[int, dict[str, str]] = {
    RecordType.REGISTER: {"Node": _NAME, "ID": _UUID_OR_NONE},
    RecordType.KVS: {"Key": _NAME, "Session": _UUID_OR_NONE},
    RecordType.SESSION: {
        "ID": _NAME,
        "Node": _NAME,
        "Checks[]": _NAME,
        "NodeChecks[]": _NAME,
        "ServiceChecks[].ID": _NAME,
    },
    RecordType.TOMBSTONE: {"Key": _NAME},
    RecordType.PREPARED_QUERY: {"ID": _UUID, "Session": _UUID_OR_NONE},
    RecordType.INTENTION: {"ID": _UUID},
    RecordType.CONNECT_CA: {"ID": _NAME},
    RecordType.CONNECT_CA_PROVIDER_STATE: {"ID": _NAME},
    RecordType.INDEX: {"Key": _NAME},
    RecordType.ACL_TOKEN: {"AccessorID": _UUID_OR_NONE, "SecretID": _NAME, "Policies[].ID": _UUID, "Roles[].ID": _UUID},
    RecordType.ACL_POLICY: {"ID": _UUID, "Name": _NAME},
    RecordType.ACL_ROLE: {"ID": _UUID, "Name": _NAME, "Policies[].ID": _UUID},
    RecordType.ACL_BINDING_RULE: {"ID": _UUID, "AuthMethod": _NAME},
    RecordType.ACL_AUTH_METHOD: {"Name": _NAME},
    RecordType.FEDERATION_STATE: {"State.Datacenter": _NAME},
    RecordType.SYSTEM_METADATA: {"Key": _NAME},
}
"""What a record's fields must hold, by type: the tables are ordered by them. An accessor that is missing is a finding
of its own, because older servers give such a token one."""
_OF_ENTRIES = {"service-intentions": {"Sources[].LegacyID": _UUID_OR_NONE}}
_WITHOUT_NAME = frozenset({"mesh"})
"""Kinds of which there is one entry alone: Consul gives it its name."""
_ENCODED = "proxy-defaults"
"""The kind whose entry is a text that holds it: ``UnmarshalBinary`` of ProxyConfigEntry."""

_MESSAGES: dict[int, dict[tuple[int, ...], str]] = {
    RecordType.PEERING: {(1,): _UUID, (2,): _NAME},
    RecordType.PEERING_TRUST_BUNDLE: {(2,): _NAME},
    RecordType.PEERING_SECRET: {(1,): _UUID, (2, 1): _UUID_OR_NONE, (3, 1): _UUID_OR_NONE, (3, 2): _UUID_OR_NONE},
    RecordType.RESOURCE: {(1,): _NAME},
}
"""The same for records that are protobuf, by the path of field numbers (pbpeering, pbresource)."""

# The first bytes of msgpack's values, for records that are not held as a whole.
_MAP = frozenset({*range(0x80, 0x90), 0xDE, 0xDF})
_LIST = frozenset({*range(0x90, 0xA0), 0xDC, 0xDD})
_TEXT = frozenset({*range(0xA0, 0xC0), 0xC4, 0xC5, 0xC6, 0xD9, 0xDA, 0xDB})

# ValidateServiceMetadata in agent/structs/structs.go; gateways and proxies may have more pairs and longer values.
_META_KEY = re.compile(rb"[a-zA-Z0-9_-]{1,128}")


def fault_of(type_id: int, content: Content) -> str | None:
    """Return the path of the field that a server can't take, such as ``Policies[].ID``; None where all is well."""
    try:
        fault = _fault_of(type_id, content)
    except (TypeError, AttributeError, KeyError, IndexError, ValueError, RecursionError):
        # A shape that none of the rules below thought of.
        fault = WHOLE
    return fault.lstrip(".") or WHOLE if fault else None


def fault_of_long(type_id: int, first: bytes) -> str | None:
    """Return WHOLE when a record that is too long to be looked into is nothing that a server decodes for its type.

    Consul 1.22.7 ended with ``codec.decoder: Only encoded map or array can be decoded into a struct``, and for peerings
    with ``object missing primary index``. Go writes the fields of a message in the order of their numbers, so that one
    with an identity begins with it.

    :param first: its first bytes: a text's header of five, as one of more than 64 KiB has it, and what comes next.
    """
    if type_id in _MESSAGES:
        identity = min(path[0] for path in _MESSAGES[type_id])
        begins = {number << 3 | 2 for number in range(1, identity + 1)}
        return None if first[0] in _TEXT and first[-1] in begins else WHOLE
    wanted = _TEXT if type_id == _CONFIG_ENTRY else _LIST if type_id == _COORDINATES else _MAP
    known = wanted is not _MAP or check_of_type(type_id) is not None or type_id == _SERVICE_VIRTUAL_IP
    return WHOLE if known and first[0] not in wanted else None


def _fault_of(type_id: int, content: Content) -> str | None:
    fields = content.fields
    if type_id in _MESSAGES:
        return _fault_of_message(type_id, None if fields is None else fields.get(b""))
    if type_id == _CONFIG_ENTRY:
        return _fault_of_entry(fields)
    check = check_of_type(type_id)
    if check is None and type_id != _SERVICE_VIRTUAL_IP:
        return None
    if fields is None:
        return WHOLE
    value = fields.get(b"", fields)
    fault = (check(value) if check else "") or _missing(fields, _REQUIRED.get(type_id, {}))
    return fault or (_register(fields) if type_id == _REGISTER else _special(type_id, value))


def _register(fields: Mapping[bytes, Any]) -> str:
    # Whether a check's node and service are there is for ``findings`` to say: that depends on other records.
    peer, service = fields.get(b"PeerName") or b"", fields.get(b"Service")
    if service is not None:
        if service.get(b"PeerName") and service[b"PeerName"] != peer:
            return "Service.PeerName"
        if any(not _META_KEY.fullmatch(key) for key in service.get(b"Meta") or ()):
            return "Service.Meta"
    listed = [("Checks[]", check) for check in fields.get(b"Checks") or ()]
    for path, check in [("Check", fields.get(b"Check")), *listed]:
        if check is not None:
            if check.get(b"PeerName") and check[b"PeerName"] != peer:
                return f"{path}.PeerName"
            for name in (b"CheckID", b"Node"):
                if not check.get(name):
                    return f"{path}.{name.decode()}"
    return ""


def _fault_of_message(type_id: int, message: Any) -> str | None:
    if not isinstance(message, bytes):
        return WHOLE
    try:
        require_message(type_id, message)
        for path, wanted in _MESSAGES[type_id].items():
            if not _holds(value_of(message, *path), wanted):
                return f"field {'.'.join(map(str, path))}"
    except (ValueError, KeyError, IndexError):
        return WHOLE
    return None


def _fault_of_entry(fields: Mapping[bytes, Any] | None) -> str | None:
    if fields is None:
        return WHOLE
    kind = fields.get(b"Kind")
    if not isinstance(kind, bytes):
        return "Kind"
    name = kind.decode("utf-8", "replace")
    request = check_of_struct("ConfigEntryRequest")(fields)
    if request:
        return request
    check, entry = check_of_kind(name), fields.get(b"Entry", {})
    if check is None:
        # The guard for record types judges kinds that a server doesn't know.
        return None
    fault = ".Entry" if not isinstance(entry, dict) else check(entry) and f".Entry{check(entry)}"
    if not fault:
        required = {} if name in _WITHOUT_NAME else {"Name": _NAME}
        missing = _missing(entry, {**required, **_OF_ENTRIES.get(name, {})})
        fault = missing and f".Entry{missing}"
    if not fault and name == _ENCODED and isinstance((entry.get(b"Config") or {}).get(b"protocol"), (list, dict)):
        fault = ".Entry.Config.protocol"
    return fault


def _special(type_id: int, value: Any) -> str:
    if type_id == _PREPARED_QUERY:
        # Few clusters have any; Ansible would compile all this anew for each save.
        from .query_templates import fault_of_template

        return fault_of_template(value)
    if type_id == _COORDINATES:
        good = all(update is not None and update.get(b"Node") and update.get(b"Coord") is not None for update in value)
        return "" if good else "[].Node"
    if type_id == _SERVICE_VIRTUAL_IP:
        fault = check_of_struct("ServiceVirtualIP")(value)
        if fault:
            return fault
        # Before peerings the service stood there by itself (``restoreServiceVirtualIP`` in agent/consul/fsm).
        service = value.get(b"Service") or {}
        return "" if (service.get(b"ServiceName") or service).get(b"Name") else ".Service"
    return ""


def _missing(fields: Mapping[bytes, Any], required: Mapping[str, str]) -> str:
    for path, wanted in required.items():
        if not _reaches(fields, _steps(path), wanted):
            return f".{path}"
    return ""


def _reaches(value: Any, steps: tuple[tuple[bytes, bool], ...], wanted: str) -> bool:
    """Whether what stands at a path is what is wanted; every element of a list has to be."""
    if not steps:
        return _holds(value, wanted)
    (name, listed), rest = steps[0], steps[1:]
    below = (value or {}).get(name)
    if listed:
        return all(_reaches(one, rest, wanted) for one in below or ())
    return _reaches(below, rest, wanted)


@cache
def _steps(path: str) -> tuple[tuple[bytes, bool], ...]:
    """Return ``((b"Policies", True), (b"ID", False))`` for ``Policies[].ID``; true stands for a list."""
    return tuple((step.removesuffix("[]").encode(), step.endswith("[]")) for step in path.split("."))


def _holds(value: Any, wanted: str) -> bool:
    if wanted == _NAME:
        return bool(value)
    return (wanted == _UUID_OR_NONE and not value) or (
        isinstance(value, bytes) and _UUID_TEXT.fullmatch(value) is not None
    )
