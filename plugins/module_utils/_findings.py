# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an archive holds that won't restore well, found while it is read (pure).

Memory: the names of all nodes, as many as there are nodes; the labels of the services of the one node that is being
read; and LISTED names for each finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ._content import Content
from ._naming import FirstLabels, name_of
from ._observer import Observer
from ._records import REGISTER, kind_of
from ._times import from_go

INFO, WARNING, CRITICAL = "info", "warning", "critical"
LISTED = 20
"""Names that a finding lists at most."""

_SESSION, _CA, _CA_CONFIG, _TOKEN = 3, 13, 15, 17

# What each finding is called, how much it matters, and what it means. What servers do was seen on 1.8.7 and 1.22.7
# with archives that were changed in that one point; numbers are those of issues in github.com/hashicorp/consul.
MEANINGS: dict[str, tuple[str, str]] = {
    # Seen on 1.8.7: "check node … does not match node …" (#6991). 1.22.7 compares without regard to case (#12444).
    "node_names_differ_in_case": (
        CRITICAL,
        "Spellings of one node's name differ only in case. Consul takes them for one node; where a check is spelled "
        "otherwise than its node, old servers (1.8.7 among them) die while they restore this, and after each start.",
    ),
    # Seen on 1.22.7: "missing value for index 'accessor'" (#21368). 1.8.7 gives such a token an accessor.
    "token_without_accessor": (
        CRITICAL,
        "ACL tokens have no accessor. Newer servers (1.22.7 among them) die while they restore this, and after each "
        "start; old ones (1.8.7 among them) give such tokens one.",
    ),
    # persist and restore of the CA's configuration in 1.22.7, #4954, #5016; both versions fall back on their own.
    "ca_provider_empty": (
        WARNING,
        "The configuration of the Connect CA names no provider. Servers before 1.4.1 answer such a restore with an "
        'error (unknown CA provider ""); later ones take their own configuration in its place.',
    ),
    "ca_certificate_expired": (
        WARNING,
        "The active root certificate of the Connect CA is past its end. It will be restored, but what it signed is "
        "trusted by nobody until the CA is rotated.",
    ),
    # Seen on both: restored, and gone within seconds (reapExpiredACLTokens in agent/consul/acl_token_exp.go).
    "token_expired": (
        WARNING,
        "ACL tokens are past their expiry. They will be restored and then removed; whoever uses one needs another.",
    ),
    # Seen on both: the session stays as it is, and no node's end ends it.
    "session_without_node": (
        WARNING,
        "Sessions belong to nodes that are not in the archive. They will be restored, and as no agent can fail for "
        "them, their locks are held until the sessions expire or are destroyed.",
    ),
    "unnamed_records": (
        WARNING,
        "Some records are of a type or shape that this collection does not know. A server that doesn't know the type, "
        "either, dies while it restores this, and after each start.",
    ),
    # Seen on both: nodes with a serfHealth check go 20 to 60 seconds after a restore unless their agent is there.
    "services_of_agents": (
        INFO,
        "Services belong to agents. After a restore into another cluster they are removed within a minute, and come "
        "back when their agents join it.",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One of MEANINGS: it concerns ``count`` things, of which ``names`` lists the first in order."""

    name: str
    severity: str
    sentence: str
    count: int
    names: list[str]


class Findings(Observer):
    """Looks for them; times are judged at ``now``, in seconds since the epoch."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._found = {name: FirstLabels(LISTED) for name in MEANINGS}
        # Nodes of peers and of Enterprise's partitions are apart from others of their name.
        self._spelled: dict[tuple[Any, Any, str], bytes] = {}
        self._otherwise: dict[tuple[Any, Any, str], set[bytes]] = {}
        self._early_sessions: dict[str, tuple[int, bytes]] = {}
        self._services: list[bytes] = []
        self._unnamed: dict[bytes, int] = {}

    def record(self, type_id: int, content: Content) -> None:
        fields = content.fields
        name = name_of(type_id, fields) if fields is not None else None
        if fields is None or name is None:
            kind = kind_of(type_id).name.encode()
            self._unnamed[kind] = self._unnamed.get(kind, 0) + 1
        elif type_id == REGISTER:
            self._register(fields, name.label)
        elif type_id == _SESSION:
            self._session(fields[b"Node"])
        elif type_id == _TOKEN:
            self._token(fields, name.label)
        elif type_id == _CA and fields.get(b"Active") and self._is_past(fields.get(b"NotAfter")):
            self._found["ca_certificate_expired"].add(name.label)
        elif type_id == _CA_CONFIG and not fields.get(b"Provider"):
            self._found["ca_provider_empty"].add(name.label)

    def node_ends(self, agents: bool) -> None:
        for label in self._services if agents else ():
            self._found["services_of_agents"].add(label)
        self._services = []

    def result(self) -> list[Finding]:
        """Return what was found, the gravest first."""
        for key, others in self._otherwise.items():
            self._found["node_names_differ_in_case"].add(b", ".join(sorted({self._spelled[key], *others})))
        nodes = {folded for _peer, _partition, folded in self._spelled}
        gone = {folded: found for folded, found in self._early_sessions.items() if folded not in nodes}
        listed = {name: (labels.count, labels.result()) for name, labels in self._found.items()}
        listed["session_without_node"] = _counted((node, count) for count, node in gone.values())
        listed["unnamed_records"] = _counted(self._unnamed.items())
        return [
            Finding(name, severity, sentence, *listed[name])
            for name, (severity, sentence) in MEANINGS.items()
            if listed[name][0]
        ]

    def _register(self, fields: Mapping[bytes, Any], label: bytes) -> None:
        peer, partition = (fields.get(word) or None for word in (b"PeerName", b"Partition"))
        service, check = fields.get(b"Service"), fields.get(b"Check")
        for spelling in (fields[b"Node"], (check or {}).get(b"Node")):
            if spelling:
                key = (peer, partition, _folded(spelling))
                if self._spelled.setdefault(key, spelling) != spelling:
                    self._otherwise.setdefault(key, set()).add(spelling)
        if service and not peer and service.get(b"Service") != b"consul":
            self._services.append(label)

    def _session(self, node: bytes) -> None:
        # Nodes come before sessions in the stream, so that none but lost ones are kept here.
        folded = _folded(node)
        if (None, None, folded) not in self._spelled:
            count, first = self._early_sessions.get(folded, (0, node))
            self._early_sessions[folded] = (count + 1, first)

    def _token(self, fields: Mapping[bytes, Any], label: bytes) -> None:
        if not fields.get(b"AccessorID"):
            self._found["token_without_accessor"].add(label)
        if self._is_past(fields.get(b"ExpirationTime")):
            self._found["token_expired"].add(label)

    def _is_past(self, told: Any) -> bool:
        moment = from_go(told)
        return moment is not None and moment < self._now


def _folded(name: bytes) -> str:
    return name.decode("utf-8", "replace").lower()


def _counted(found: Iterable[tuple[bytes, int]]) -> tuple[int, list[str]]:
    names = FirstLabels(LISTED)
    total = 0
    for name, count in found:
        names.add(name)
        total += count
    return total, names.result()
