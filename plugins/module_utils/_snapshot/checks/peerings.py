# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peerings in a state, and which of them a server dials as soon as it has restored them (pure).

Numbers of fields are those of ``proto/private/pbpeering/peering.proto``; what decides whether a leader dials is
``syncPeeringsAndBlock`` in ``agent/consul/leader_peering.go``.
"""

from __future__ import annotations

from typing import NamedTuple

from ..._model.record_types import RecordType
from ..records.protobuf import fields, value_of

PEERING, PEERING_SECRET = RecordType.PEERING, RecordType.PEERING_SECRET

_ID, _NAME, _DELETED_AT, _STATE, _ADDRESSES, _MANUAL_ADDRESSES = 1, 2, 4, 6, 10, 18
_SECRET_OF, _STREAM, _ACTIVE_SECRET = 1, 3, 1
_STATES = ("UNDEFINED", "PENDING", "ESTABLISHING", "ACTIVE", "FAILING", "DELETING", "TERMINATED")
_AT_AN_END = ("DELETING", "TERMINATED")


class Peering(NamedTuple):
    """A peering: its id, its local name, its state as Consul names it, and whether a restored server dials the peer."""

    id: str
    name: str
    state: str
    dials: bool


class Peerings:
    """Collects the peerings of a state, with their secrets matched to them; secrets themselves are not kept."""

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[str, str, bool]] = {}
        self._with_secret: set[bytes] = set()

    def record(self, type_id: int, message: bytes) -> None:
        """Look at a record of type PEERING or PEERING_SECRET.

        :raises ValueError, KeyError, IndexError, TypeError: this is no such record.
        """
        if type_id == PEERING_SECRET:
            if value_of(message, _STREAM, _ACTIVE_SECRET):
                self._with_secret.add(value_of(message, _SECRET_OF))
            return
        identity, name, state, deleted, addresses = b"", b"", 0, False, False
        for field in fields(message):
            if field.number == _ID:
                identity = field.value or b""
            elif field.number == _NAME:
                name = field.value or b""
            elif field.number == _DELETED_AT:
                # The epoch itself, an empty message, stands for "not deleted".
                deleted = bool(field.value)
            elif field.number == _STATE:
                # A tag of one byte, and an enumeration's small number.
                state = field.whole[1]
            elif field.number in (_ADDRESSES, _MANUAL_ADDRESSES):
                addresses = True
        named = _STATES[state] if state < len(_STATES) else str(state)
        may_dial = addresses and not deleted and named not in _AT_AN_END
        self._found[identity] = (name.decode("utf-8", "replace"), named, may_dial)

    def result(self) -> tuple[Peering, ...]:
        """Return what was found, by name."""
        found = (
            Peering(identity.decode("utf-8", "replace"), name, state, may_dial and identity in self._with_secret)
            for identity, (name, state, may_dial) in self._found.items()
        )
        return tuple(sorted(found, key=lambda peering: (peering.name, peering.id)))
