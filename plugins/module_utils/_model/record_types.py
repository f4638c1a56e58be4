# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of records in a state, by their numbers in Consul's ``agent/structs/structs.go`` (pure)."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import NamedTuple


class RecordType(IntEnum):
    """The types that a server of the community edition saves or restores."""

    REGISTER = 0
    KVS = 2
    SESSION = 3
    ACL_LEGACY = 4
    TOMBSTONE = 5
    COORDINATES = 6
    PREPARED_QUERY = 7
    AUTOPILOT = 9
    INTENTION = 12
    CONNECT_CA = 13
    CONNECT_CA_PROVIDER_STATE = 14
    CONNECT_CA_CONFIG = 15
    INDEX = 16
    ACL_TOKEN = 17
    ACL_POLICY = 19
    CONFIG_ENTRY = 22
    ACL_ROLE = 23
    ACL_BINDING_RULE = 25
    ACL_AUTH_METHOD = 27
    CHUNKING_STATE = 29
    FEDERATION_STATE = 30
    SYSTEM_METADATA = 31
    SERVICE_VIRTUAL_IP = 32
    FREE_VIRTUAL_IP = 33
    PEERING = 35
    PEERING_TRUST_BUNDLE = 38
    PEERING_SECRET = 40
    RESOURCE = 42
    FEATURE_GATE = 45


FIRST_ENTERPRISE_TYPE = 64


class Kind(NamedTuple):
    """A record type: the name that ``consul snapshot inspect`` prints and whether users stored what it holds."""

    name: str
    durable: bool


KINDS: dict[int, Kind] = {
    RecordType.REGISTER: Kind("Register", True),
    RecordType.KVS: Kind("KVS", True),
    RecordType.SESSION: Kind("Session", False),
    RecordType.ACL_LEGACY: Kind("ACL", True),
    RecordType.TOMBSTONE: Kind("Tombstone", False),
    RecordType.COORDINATES: Kind("CoordinateBatchUpdate", False),
    RecordType.PREPARED_QUERY: Kind("PreparedQuery", True),
    RecordType.AUTOPILOT: Kind("Autopilot", True),
    RecordType.INTENTION: Kind("Intention", True),
    RecordType.CONNECT_CA: Kind("ConnectCA", True),
    RecordType.CONNECT_CA_PROVIDER_STATE: Kind("ConnectCAProviderState", True),
    RecordType.CONNECT_CA_CONFIG: Kind("ConnectCAConfig", True),
    RecordType.INDEX: Kind("Index", False),
    RecordType.ACL_TOKEN: Kind("ACLToken", True),
    RecordType.ACL_POLICY: Kind("ACLPolicy", True),
    RecordType.CONFIG_ENTRY: Kind("ConfigEntry", True),
    RecordType.ACL_ROLE: Kind("ACLRole", True),
    RecordType.ACL_BINDING_RULE: Kind("ACLBindingRule", True),
    RecordType.ACL_AUTH_METHOD: Kind("ACLAuthMethod", True),
    RecordType.CHUNKING_STATE: Kind("ChunkingState", False),
    RecordType.FEDERATION_STATE: Kind("FederationState", False),
    RecordType.SYSTEM_METADATA: Kind("SystemMetadata", False),
    RecordType.SERVICE_VIRTUAL_IP: Kind("ServiceVirtualIP", True),
    RecordType.FREE_VIRTUAL_IP: Kind("FreeVirtualIP", False),
    RecordType.PEERING: Kind("Peering", True),
    RecordType.PEERING_TRUST_BUNDLE: Kind("PeeringTrustBundle", True),
    RecordType.PEERING_SECRET: Kind("PeeringSecret", True),
    RecordType.RESOURCE: Kind("Resource", True),
    RecordType.FEATURE_GATE: Kind("FeatureGate", True),
}

_IDS = {kind.name: one for one, kind in KINDS.items()}
_UNKNOWN_NAME = re.compile(r"Unknown\((\d{1,3})\)")


def kind_of(type_id: int) -> Kind:
    """Return the kind of a record type; one without a name here is ``Unknown(N)`` and counts as durable."""
    return KINDS.get(type_id) or Kind(f"Unknown({type_id})", True)


def id_of(name: str) -> int | None:
    """Return the record type that ``kind_of`` gave this name; None when it gave it to none."""
    unknown = _UNKNOWN_NAME.fullmatch(name)
    return int(unknown.group(1)) if unknown else _IDS.get(name)


def is_durable(name: str) -> bool:
    """Return whether the record type of this name holds what users stored."""
    return all(kind.durable for kind in KINDS.values() if kind.name == name)
