# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a record is called, by the rules of its type, so that people can be told which one is meant.

A name never holds a value or a secret: keys, nodes, policies go by their names, tokens by their accessors, and what is
only known by something secret by a placeholder. The fields and keys are those of Consul's own tables (agent/structs,
agent/consul/state/*_schema.go and proto/private/pbpeering of 1.22.7), and what archives of 1.8.7 and 1.22.7 hold.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .protobuf import value_of
from .stream import UNREADABLE

Fields = Mapping[bytes, Any]


class Name(NamedTuple):
    """``identity`` tells a record from all others of its type, and may be secret: it must not leave the process.

    ``label`` is what people are shown. Two records may have one label, never one identity.
    """

    identity: bytes
    label: bytes


def name_of(type_id: int, fields: Fields) -> Name | None:
    """Return the name of a decoded record; None when its type has no rule, or the record not the fields for it."""
    rule = _RULES.get(type_id)
    if rule is None:
        return None
    try:
        return rule(fields)
    except UNREADABLE:
        return None


def shown(label: bytes) -> str:
    """Return a label as text: every byte of it, whether or not it is UTF-8."""
    return label.decode("utf-8", "backslashreplace")


class FirstLabels:
    """Counts labels and keeps those that come first in order, ``limit`` of them at most."""

    def __init__(self, limit: int) -> None:
        self.count = 0
        self._limit = limit
        self._labels: list[bytes] = []
        self._last: bytes | None = None

    def add(self, label: bytes) -> None:
        """Count one label."""
        self.count += 1
        if not self._limit or (self._last is not None and label >= self._last):
            return
        self._labels.append(label)
        if len(self._labels) >= 2 * self._limit:
            self._cut()

    def result(self) -> list[str]:
        """Return the first ones in order."""
        self._cut()
        return [shown(label) for label in self._labels]

    def _cut(self) -> None:
        self._labels.sort()
        if len(self._labels) >= self._limit:
            del self._labels[self._limit :]
            self._last = self._labels[-1] if self._labels else None


def _text(value: Any) -> bytes:
    if not isinstance(value, bytes) or not value:
        raise ValueError("a name is missing")
    return value


def _name(*parts: bytes, label: bytes | None = None, scope: Fields | None = None) -> Name:
    """Build a name of parts that together are the identity; ``scope`` may hold Enterprise's namespace and partition."""
    identity, shown_as = b"\0".join(parts), parts[-1] if label is None else label
    for word in (b"Namespace", b"Partition"):
        value = (scope or {}).get(word)
        if isinstance(value, bytes) and value not in (b"", b"default"):
            identity += b"\0%s\0%s" % (word, value)
            shown_as += b" (%s %s)" % (word.lower(), value)
    return Name(identity, shown_as)


def _by(field: bytes) -> Callable[[Fields], Name]:
    return lambda fields: _name(_text(fields[field]), scope=fields)


def _only(label: bytes) -> Callable[[Fields], Name]:
    return lambda _fields: _name(label)


def _register(fields: Fields) -> Name:
    node, peer = _text(fields[b"Node"]), fields.get(b"PeerName") or b""
    service, check = fields.get(b"Service"), fields.get(b"Check")
    scope: Fields = fields
    if service:
        # Services without an id have their name for it, but not in the record.
        parts = [b"service", _text(service.get(b"ID") or service[b"Service"]), node]
        scope = service
    elif check:
        parts = [b"check", _text(check[b"CheckID"]), node]
        scope = check
    else:
        parts = [b"node", node]
    label = b"%s %s" % (parts[0], parts[1]) + (b" on " + node if len(parts) > 2 else b"")
    return _name(*parts, _bytes(peer), label=label + (b" of peer " + peer if peer else b""), scope=scope)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a name is not text")
    return value


def _session(fields: Fields) -> Name:
    identity = _text(fields[b"ID"])
    return _name(identity, label=b"%s on %s" % (identity, _text(fields[b"Node"])), scope=fields)


def _token(fields: Fields) -> Name:
    accessor = fields.get(b"AccessorID")
    if accessor:
        return _name(b"accessor", _text(accessor))
    # Only its secret tells it from others.
    return _name(b"secret", _text(fields[b"SecretID"]), label=b"a token without accessor")


def _legacy_token(fields: Fields) -> Name:
    # Its id is the secret itself.
    return _name(b"secret", _text(fields[b"ID"]), label=b"a legacy token")


def _coordinate(fields: Fields) -> Name:
    [update] = fields[b""]
    node, segment = _text(update[b"Node"]), _bytes(update.get(b"Segment") or b"")
    return _name(node, segment, label=node + (b" in segment " + segment if segment else b""), scope=update)


def _query(fields: Fields) -> Name:
    if fields.get(b"Name"):
        return _name(b"name", _text(fields[b"Name"]))
    return _name(b"id", _text(fields[b"ID"]))


def _intention(fields: Fields) -> Name:
    source, destination = (
        _scoped(fields.get(side + b"NS"), _text(fields[side + b"Name"])) for side in (b"Source", b"Destination")
    )
    return _name(source, destination, label=b"%s => %s" % (source, destination))


def _scoped(namespace: Any, name: bytes) -> bytes:
    return b"%s/%s" % (namespace, name) if namespace not in (None, b"", b"default") else name


def _config_entry(fields: Fields) -> Name:
    kind, entry = _text(fields[b"Kind"]), fields[b"Entry"]
    # Of some kinds there is one entry alone, which has no name: mesh.
    name = _text(entry.get(b"Name") or kind)
    return _name(kind, name, label=b"%s/%s" % (kind, name), scope=entry)


def _binding_rule(fields: Fields) -> Name:
    identity = _text(fields[b"ID"])
    return _name(identity, label=b"%s of auth method %s" % (identity, _text(fields[b"AuthMethod"])), scope=fields)


def _federation_state(fields: Fields) -> Name:
    return _name(_text(fields[b"State"][b"Datacenter"]))


def _virtual_ip(fields: Fields) -> Name:
    # Before peerings a service stood there by itself (restoreServiceVirtualIP in agent/consul/fsm).
    service = fields[b"Service"]
    peer = _bytes(service.get(b"Peer") or b"")
    service = service.get(b"ServiceName", service)
    name = _text(service[b"Name"])
    return _name(name, peer, label=name + (b" of peer " + peer if peer else b""), scope=service)


def _free_virtual_ip(fields: Fields) -> Name:
    if fields.get(b"IsCounter"):
        return _name(b"counter")
    address = ipaddress.ip_address(_text(fields[b"IP"]))
    return _name(str(getattr(address, "ipv4_mapped", None) or address).encode())


def _protobuf(*path: int, label: bytes = b"%s") -> Callable[[Fields], Name]:
    def rule(fields: Fields) -> Name:
        value = _text(value_of(fields[b""], *path))
        return _name(value, label=label % value)

    return rule


def _resource(fields: Fields) -> Name:
    identity = value_of(fields[b""], 1)
    kind = b".".join(_text(value_of(identity, 3, number)) for number in (1, 2, 3))
    name, tenancy = _text(value_of(identity, 2)), value_of(identity, 4)
    scope = {b"Partition": value_of(tenancy, 1), b"Namespace": value_of(tenancy, 2)}
    return _name(kind, name, label=b"%s/%s" % (kind, name), scope=scope)


_RULES: dict[int, Callable[[Fields], Name]] = {
    0: _register,
    2: _by(b"Key"),
    3: _session,
    4: _legacy_token,
    5: _by(b"Key"),
    6: _coordinate,
    7: _query,
    9: _only(b"configuration"),
    12: _intention,
    13: _by(b"ID"),
    # Servers of old made its id of the CA's private key itself (oldIDs in agent/connect/ca/provider_consul.go).
    14: lambda fields: _name(_text(fields[b"ID"]), label=b"provider state"),
    15: _only(b"configuration"),
    16: _by(b"Key"),
    17: _token,
    19: _by(b"Name"),
    22: _config_entry,
    23: _by(b"Name"),
    25: _binding_rule,
    27: _by(b"Name"),
    29: _only(b"chunks"),
    30: _federation_state,
    31: _by(b"Key"),
    32: _virtual_ip,
    33: _free_virtual_ip,
    # pbpeering: Peering.Name, PeeringTrustBundle.PeerName, PeeringSecrets.PeerID; pbresource: Resource.id.
    35: _protobuf(2),
    38: _protobuf(2),
    40: _protobuf(1, label=b"of peering %s"),
    42: _resource,
}
