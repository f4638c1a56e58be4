# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after: what is wrong, and what differs because it has to (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from lab.comparison import Row
from lab.oracle import Observation

NAMES_SHOWN = 5
# Record types of the consul command's own report that hold what users stored.
DURABLE_RECORDS = (
    "KVS",
    "PreparedQuery",
    "ConfigEntry",
    "Intention",
    "ConnectCA",
    "ConnectCAProviderState",
    "ConnectCAConfig",
    "ACLToken",
    "ACLPolicy",
    "ACLRole",
    "ACLBindingRule",
    "ACLAuthMethod",
    "Peering",
    "PeeringTrustBundle",
    "PeeringSecret",
    "PeeringSecrets",
)
# Sessions and locks are named by themselves, not by the node they hang on: they may go, and nothing else.
UNNAMED = ("agent-sessions", "agent-locks")


def faults(rows: Iterable[Row], servers: Collection[str]) -> list[str]:
    """Return what must not be: a durable thing that is not the same, or an agent's that is of none of ``servers``."""
    found = []
    for row in rows:
        missing, different, extra = row.missing, row.different, row.extra
        if row.type in UNNAMED:
            missing = ()
        elif not row.durable:
            missing, different, extra = (_strangers(names, servers) for names in (missing, different, extra))
        parts = [
            f"{len(names)} {word} ({listed(names)})"
            for word, names in (("missing", missing), ("different", different), ("not there before", extra))
            if names
        ]
        if parts:
            found.append(f"{row.type}: {', '.join(parts)}")
    return found


def record_faults(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """Return the durable record types that the consul command does not count alike."""
    return [
        f"{name} records in a snapshot: {before.get(name, 0)} before, {after.get(name, 0)} after"
        for name in DURABLE_RECORDS
        if before.get(name, 0) != after.get(name, 0)
    ]


@dataclass(frozen=True)
class Difference:
    """Something that differs, or is about to, and why that is no loss."""

    what: str
    names: tuple[str, ...]
    there: int
    why: str

    def as_text(self) -> str:
        """Return it as a sentence."""
        if self.there == len(self.names):
            state = "listed" if len(self.names) == 1 else "all listed"
        else:
            state = f"{self.there} of {len(self.names)} listed"
        return f"{self.what} ({listed(self.names)}): {state} now. {self.why}"


def differences(
    before: Observation, after: Observation, *, dead: Iterable[str], new: Iterable[str]
) -> list[Difference]:
    """Return what a restore does not bring back, because it is not Consul's to bring back."""
    gone, come = tuple(dead), tuple(new)

    def of_agents(kind: str) -> tuple[str, ...]:
        return tuple(sorted(before.get(kind, {})))

    services = tuple(name for name in of_agents("agent-services") if not name.endswith("/consul"))
    asked = (
        (
            "agent-nodes",
            "The dead servers' own nodes",
            gone,
            "They are in the archive; Consul removes them within a minute, since no agent answers for them.",
        ),
        (
            "agent-nodes",
            "The new servers' own nodes",
            come,
            "They are in no archive; each registers itself within a minute.",
        ),
        (
            "agent-services",
            "Services of agents that died",
            services,
            "They go with their nodes, and return when an agent that has them in its configuration runs.",
        ),
        (
            "agent-sessions",
            "Sessions of nodes that died",
            of_agents("agent-sessions"),
            "They end with their nodes.",
        ),
        (
            "agent-locks",
            "Locks that those sessions held",
            of_agents("agent-locks"),
            "They are free once the session has ended; the keys stay.",
        ),
    )
    return [
        Difference(what, names, sum(name in after.get(kind, {}) for name in names), why)
        for kind, what, names, why in asked
        if names
    ]


def listed(names: Collection[str]) -> str:
    """Return the first names, and how many there are more."""
    shown = ", ".join(list(names)[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown


def _strangers(names: Iterable[str], servers: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name.partition("/")[0] not in servers)
