# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that are protobuf, as the decoder of Consul 1.22.7 takes them (pure).

Sources: ``proto/private/pbpeering/peering.proto``, ``proto-public/pbresource/resource.proto``. A field of an unknown
number, or of another wire type than its own, is skipped. Text has to be UTF-8, and messages within messages have to be
messages: a server ends with ``proto: cannot parse invalid wire-format data`` otherwise.
"""

from __future__ import annotations

from ..._model.record_types import RecordType
from ..records.protobuf import fields

_TEXT = "text"
_TEXTS_1_2, _TEXTS_1_2_3 = {1: _TEXT, 2: _TEXT}, {1: _TEXT, 2: _TEXT, 3: _TEXT}

_MESSAGES: dict[str, dict[int, str]] = {
    "Peering": {
        **dict.fromkeys((1, 2, 3, 7, 8, 9, 10, 18), _TEXT),
        **{4: "Timestamp", 5: "Pair", 13: "StreamStatus", 17: "RemoteInfo"},
    },
    "StreamStatus": {1: _TEXT, 2: _TEXT, 3: "Timestamp", 4: "Timestamp", 5: "Timestamp"},
    "RemoteInfo": {1: _TEXT, 2: _TEXT, 3: "Locality"},
    "Locality": _TEXTS_1_2,
    "PeeringTrustBundle": dict.fromkeys((1, 2, 3, 4, 5), _TEXT),
    "PeeringSecrets": {1: _TEXT, 2: "Establishment", 3: "Stream"},
    "Establishment": {1: _TEXT},
    "Stream": _TEXTS_1_2,
    "Resource": {1: "ID", 2: "ID", 3: _TEXT, 4: _TEXT, 5: "Pair", 6: "StatusPair", 7: "Any"},
    "ID": {1: _TEXT, 2: _TEXT, 3: "Type", 4: "Tenancy"},
    "Type": _TEXTS_1_2_3,
    "Tenancy": _TEXTS_1_2,
    "StatusPair": {1: _TEXT, 2: "Status"},
    "Status": {1: _TEXT, 2: "Condition", 3: "Timestamp"},
    "Condition": {1: _TEXT, 3: _TEXT, 4: _TEXT, 5: "Reference"},
    "Reference": {1: "Type", 2: "Tenancy", 3: _TEXT, 4: _TEXT},
    "Any": {1: _TEXT},
    "Pair": _TEXTS_1_2,
    "Timestamp": {},
}
_OF_TYPE: dict[int, str] = {
    RecordType.PEERING: "Peering",
    RecordType.PEERING_TRUST_BUNDLE: "PeeringTrustBundle",
    RecordType.PEERING_SECRET: "PeeringSecrets",
    RecordType.RESOURCE: "Resource",
}


def require_message(type_id: int, message: bytes) -> None:
    """Go through a record's message and all messages in it.

    :param type_id: one of those whose records are protobuf.
    :raises ValueError, KeyError, IndexError: a server can't decode it.
    """
    _go_through(message, _MESSAGES[_OF_TYPE[type_id]])


def _go_through(message: bytes, known: dict[int, str]) -> None:
    for field in fields(message):
        kind = known.get(field.number)
        if field.value is None or kind is None:
            continue
        if kind == _TEXT:
            # What is not UTF-8 ends as a ValueError.
            field.value.decode()
        else:
            _go_through(field.value, _MESSAGES[kind])
