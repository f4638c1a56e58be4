# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive holds that won't restore well, found in the one pass in which it is read (pure).

Keys are not looked at, so this costs a state of keys nothing.

Memory: the names of all nodes, as many as there are nodes, and numbers for other records that are not keys, _NUMBERS
at most; the services of the one node that is being read; what
``references`` and ``peerings`` keep; and LISTED names for each finding.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..._errors import printable
from ..._model.compatibility import unrestorable
from ..._model.finding_meanings import CRITICAL, INFO, MEANINGS, SEEN, WARNING, effect_on, severity_for
from ..._model.record_types import RecordType, kind_of
from ..._model.versions import is_enterprise
from ..._times import from_go
from ..records.canonical import Content
from ..records.record_names import FirstLabels, Name, name_of
from .conformance import fault_of, fault_of_long
from .peerings import PEERING, PEERING_SECRET, Peering, Peerings
from .references import AUTH_METHOD, BINDING_RULE, POLICY, ROLE, TOKEN, References

# Asked of each record: to look one up in the enumeration takes longer.
_CONNECT_CA = RecordType.CONNECT_CA
_CONNECT_CA_CONFIG = RecordType.CONNECT_CA_CONFIG
_KVS = RecordType.KVS
_REGISTER = RecordType.REGISTER
_SESSION = RecordType.SESSION

_NUMBERS = 1 << 18
"""Names that are remembered, so that one that comes again is known, at most."""

LISTED = 20
"""Names that a finding lists at most."""

_FREQUENT = frozenset({_KVS, _REGISTER})
_ACL = frozenset({TOKEN, POLICY, ROLE, BINDING_RULE, AUTH_METHOD})

# What Go's time.ParseDuration takes, and no TTL at all.
_DURATION = re.compile(rb"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\xc2\xb5s|\xce\xbcs|ms|s|m|h))+)?")
_BUILTIN_POLICIES = {
    b"global-management": b"00000000-0000-0000-0000-000000000001",
    b"builtin/global-read-only": b"00000000-0000-0000-0000-000000000002",
}
_BUILTIN_PROVIDER = b"consul"


@dataclass(frozen=True)
class Finding:
    """One of MEANINGS: it concerns ``count`` things, of which ``names`` lists the first in order.

    ``effect``: what is known of it for the version it was judged for (``_model/finding_meanings``); None when for none.
    """

    name: str
    severity: str
    sentence: str
    count: int
    names: list[str]
    effect: str | None = None


class Findings:
    """Looks for them; times are judged at ``now``, in seconds since the epoch."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._found = {name: FirstLabels(LISTED) for name in MEANINGS}
        # Nodes of peers and of Enterprise's partitions are apart from others of their name.
        self._spelled: dict[tuple[Any, Any, str], bytes] = {}
        self._otherwise: dict[tuple[Any, Any, str], set[bytes]] = {}
        self._early_sessions: dict[str, tuple[int, bytes]] = {}
        self._node: tuple[Any, Any, str] | None = None
        self._node_services: set[tuple[Any, str]] = set()
        self._services: list[Mapping[bytes, Any]] = []
        self._unnamed: dict[bytes, int] = {}
        self._references = References()
        self._builtin_names: dict[bytes, bool] = {}
        self._peerings = Peerings()
        self._named: set[int] = set()

    def take(self, type_id: int, content: Content, ordinal: int, *, first: bytes | None = None) -> None:
        """Look at a record.

        :param ordinal: counts those of its type, from one on.
        :param first: the first bytes of a record that is too long to be looked into; None for all others.
        """
        fault = fault_of(type_id, content) if first is None else fault_of_long(type_id, first)
        if fault is not None:
            self._found["unreadable_record"].add(f"{kind_of(type_id).name} {ordinal:,}: {fault}".encode())
        try:
            self._look(type_id, content.fields)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            # Fields are there, and hold something else than Consul writes there.
            self._count_unnamed(type_id)

    def _look(self, type_id: int, fields: Mapping[bytes, Any] | None) -> None:
        if fields is not None and type_id in _FREQUENT:
            # Named only where there is something to say.
            if type_id == _REGISTER:
                self._register(fields)
            return
        name = name_of(type_id, fields) if fields is not None else None
        if fields is None or name is None:
            self._count_unnamed(type_id)
            return
        self._name(type_id, name)
        if type_id in _ACL:
            self._references.record(type_id, fields, name.label)
            if type_id == TOKEN:
                self._token(fields, name.label)
            elif type_id == POLICY:
                self._policy(fields)
        elif type_id == _SESSION:
            self._session(fields, name.label)
        elif type_id == _CONNECT_CA:
            if fields.get(b"Active") and self._is_past(fields.get(b"NotAfter")):
                self._found["ca_certificate_expired"].add(name.label)
        elif type_id == _CONNECT_CA_CONFIG:
            self._ca_config(fields, name.label)
        elif type_id in (PEERING, PEERING_SECRET):
            self._peerings.record(type_id, fields[b""])

    def _name(self, type_id: int, name: Name) -> None:
        # A number of 64 bits stands for the name, which may be a secret.
        number = hash((type_id, name.identity))
        if number in self._named:
            self._found["doubled_record"].add(b"%s %s" % (kind_of(type_id).name.encode(), name.label))
        elif len(self._named) < _NUMBERS:
            self._named.add(number)

    def node_ends(self, agents: bool) -> None:
        for fields in self._services if agents else ():
            self._found["services_of_agents"].add(_label(fields))
        self._services = []

    def result(self) -> list[Finding]:
        """Return what was found, the gravest first, judged for no version."""
        for key, others in self._otherwise.items():
            self._found["node_names_differ_in_case"].add(b", ".join(sorted({self._spelled[key], *others})))
        nodes = {folded for _peer, _partition, folded in self._spelled}
        gone = {folded: found for folded, found in self._early_sessions.items() if folded not in nodes}
        listed = {name: (labels.count, labels.result()) for name, labels in self._found.items()}
        listed["session_without_node"] = _counted((node, count) for count, node in gone.values())
        listed["unnamed_records"] = _counted(self._unnamed.items())
        missing: dict[str, list[tuple[bytes, int]]] = {}
        for name, label, count in self._references.missing():
            missing.setdefault(name, []).append((label, count))
        listed.update({name: _counted(found) for name, found in missing.items()})
        taken = [name for name, is_there in self._builtin_names.items() if not is_there]
        listed["builtin_policy_name_taken"] = _counted((name, 1) for name in taken)
        listed["peering_dials"] = _counted((one.name.encode(), 1) for one in self.peerings() if one.dials)
        return [
            Finding(name, meaning.severity, meaning.sentence, *listed[name])
            for name, meaning in MEANINGS.items()
            if listed[name][0]
        ]

    def peerings(self) -> tuple[Peering, ...]:
        """Return the peerings, by name."""
        return self._peerings.result()

    def _count_unnamed(self, type_id: int) -> None:
        kind = kind_of(type_id).name.encode()
        self._unnamed[kind] = self._unnamed.get(kind, 0) + 1

    def _register(self, fields: Mapping[bytes, Any]) -> None:
        get, node = fields.get, fields[b"Node"]
        peer, service = get(b"PeerName") or None, get(b"Service")
        key = (peer, get(b"Partition") or None, _folded(node))
        if key != self._node:
            if not node:
                raise ValueError("a node without a name")
            self._node, self._node_services = key, set()
            self._spell(key, node)
        elif self._spelled[key] != node:
            self._spell(key, node)
        if service:
            identity = service.get(b"ID") or service[b"Service"]
            self._node_services.add((service.get(b"Namespace") or None, _folded(identity)))
            if not peer and service.get(b"Service") != b"consul":
                self._services.append(fields)
        # Consul writes one check a record. Those of the list are for requests, and a server takes them all the same.
        for check in (get(b"Check"), *(get(b"Checks") or ())):
            if check:
                self._check(fields, check, key, node)

    def _check(
        self, fields: Mapping[bytes, Any], check: Mapping[bytes, Any], key: tuple[Any, Any, str], node: bytes
    ) -> None:
        spelling, service = check[b"Node"], check.get(b"ServiceID")
        if spelling != node:
            if _folded(spelling) == key[2]:
                self._spell(key, spelling)
            else:
                self._found["check_of_another_node"].add(_label(fields))
        if service and (check.get(b"Namespace") or None, _folded(service)) not in self._node_services:
            self._found["check_without_service"].add(_label(fields))
        if not check[b"CheckID"]:
            raise ValueError("a check without an id")

    def _spell(self, key: tuple[Any, Any, str], spelling: Any) -> None:
        if self._spelled.setdefault(key, spelling) != spelling:
            self._otherwise.setdefault(key, set()).add(spelling)

    def _session(self, fields: Mapping[bytes, Any], label: bytes) -> None:
        if not _DURATION.fullmatch(fields.get(b"TTL") or b""):
            self._found["session_ttl_invalid"].add(label)
        # Nodes come before sessions in the stream, so that none but lost ones are kept here.
        node = fields[b"Node"]
        folded = _folded(node)
        if (None, None, folded) not in self._spelled:
            count, first = self._early_sessions.get(folded, (0, node))
            self._early_sessions[folded] = (count + 1, first)

    def _token(self, fields: Mapping[bytes, Any], label: bytes) -> None:
        if not fields.get(b"AccessorID"):
            self._found["token_without_accessor"].add(label)
        if fields.get(b"Rules") and not fields.get(b"Policies"):
            self._found["legacy_token"].add(label)
        if self._is_past(fields.get(b"ExpirationTime")):
            self._found["token_expired"].add(label)

    def _policy(self, fields: Mapping[bytes, Any]) -> None:
        name, identity = fields[b"Name"], fields[b"ID"]
        for builtin, its_id in _BUILTIN_POLICIES.items():
            if identity == its_id:
                # Whatever it is called now: a builtin policy may be renamed.
                self._builtin_names[builtin] = True
            elif name == builtin and fields.get(b"Namespace") in (None, b"", b"default"):
                self._builtin_names.setdefault(builtin, False)

    def _ca_config(self, fields: Mapping[bytes, Any], label: bytes) -> None:
        provider = fields.get(b"Provider")
        if not provider:
            self._found["ca_provider_empty"].add(label)
        elif not isinstance(provider, bytes):
            raise TypeError("a provider's name is not text")
        elif provider != _BUILTIN_PROVIDER:
            self._found["ca_provider_external"].add(provider)

    def _is_past(self, told: Any) -> bool:
        moment = from_go(told)
        return moment is not None and moment < self._now


def judged_for(findings: Iterable[Finding], version: str | None) -> list[Finding]:
    """Return findings with their severity for a version, the gravest first; None: for no version in particular."""
    order = (CRITICAL, WARNING, INFO)
    for_it = [
        replace(one, severity=severity_for(one.name, version), effect=effect_on(one.name, version) if version else None)
        for one in findings
    ]
    return sorted(for_it, key=lambda one: order.index(one.severity))


def with_unreadable(
    findings: Iterable[Finding],
    version: str,
    *,
    types: Collection[int],
    config_kinds: Collection[str],
    archive_version: str | None,
) -> list[Finding]:
    """Return findings judged for a version, with those records as one that a server of it can't read.

    :param types: of records in the archive. :param config_kinds: kinds of its config entries.
    :param archive_version: the version that it comes from.
    """
    found = judged_for(findings, version)
    missing = unrestorable(
        types, config_kinds, archive=archive_version, target=version, enterprise=is_enterprise(version)
    )
    if not missing:
        return found
    sentence = (
        f"Consul {version} can't read some of the records. It crashes while it restores the archive, and again at "
        "each start."
    )
    return [Finding("unrestorable_records", CRITICAL, sentence, len(missing), missing[:LISTED], SEEN), *found]


def as_results(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as a module's result shows them."""
    return [asdict(finding) for finding in findings]


def warnings_of(findings: Collection[Finding]) -> list[str]:
    """Return a line for each finding that somebody should know of before it is needed."""
    return [
        f"{one.severity}: {one.sentence} {one.name}: {one.count} ({printable(_listed(one))})"
        for one in findings
        if one.severity != INFO
    ]


def _listed(finding: Finding, limit: int = 5) -> str:
    shown = ", ".join(finding.names[:limit])
    return f"{shown} and {finding.count - limit} more" if finding.count > limit else shown


def _label(register: Mapping[bytes, Any]) -> bytes:
    name = name_of(_REGISTER, register)
    if name is None:
        raise ValueError("a record without a name")
    return name.label


def _folded(name: bytes) -> str:
    return name.decode("utf-8", "replace").lower()


def _counted(found: Iterable[tuple[bytes, int]]) -> tuple[int, list[str]]:
    names = FirstLabels(LISTED)
    total = 0
    for name, count in found:
        names.add(name)
        total += count
    return total, names.result()
