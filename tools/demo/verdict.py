# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after: what is wrong, and what is not a restore's to bring back (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from lab.comparison import Row, compare
from lab.oracle import Observation

NAMES_SHOWN = 5
VALUES = "kv"
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


class Belonging(NamedTuple):
    """Something of agents: it comes and goes with them, so no restore brings it back, or keeps it."""

    what: str
    before: int
    after: int
    why: str


def of_agents(before: Observation, after: Observation, *, dead: Sequence[str], new: Sequence[str]) -> list[Belonging]:
    """Return what belonged to the ``dead`` servers and what belongs to the ``new`` ones, before and after."""
    services = [name for name in before.get("agent-services", {}) if not name.endswith("/consul")]
    locks = list(before.get("agent-locks", {}))
    asked = (
        (
            f"nodes of the dead servers: {listed(dead)}",
            "agent-nodes",
            dead,
            "came with the archive; Consul removes them within a minute, because no agent answers for them",
        ),
        (
            f"nodes of the new servers: {listed(new)}",
            "agent-nodes",
            new,
            "are in no archive; each registers itself within a minute",
        ),
        (
            f"services at agents that died: {listed([name.partition('/')[2] for name in services])}",
            "agent-services",
            services,
            "go with their node, and return when an agent runs that has them in its configuration",
        ),
        (
            "sessions of nodes that died",
            "agent-sessions",
            list(before.get("agent-sessions", {})),
            "end with their node",
        ),
        (
            f"locks that those sessions hold: {listed(locks)}",
            "agent-locks",
            locks,
            "are free when the session ends; the keys stay",
        ),
    )
    return [
        Belonging(what, _count(names, before.get(kind, {})), _count(names, after.get(kind, {})), why)
        for what, kind, names, why in asked
        if names
    ]


class Through(NamedTuple):
    """One type of things: how many there were, are after an upgrade, and are after the way back."""

    type: str
    before: int
    upgraded: int
    back: int
    verdict: str
    faults: list[str]


def through_upgrade(before: Observation, upgraded: Observation, back: Observation) -> list[Through]:
    """Return a row for each durable type.

    An upgrade may say more of a thing, and add its own, but takes nothing away and leaves every value as it is; after
    the way back everything is the same.
    """
    rows = []
    after = {row.type: row for row in compare(before, upgraded)}
    for row in compare(before, back):
        if not row.durable:
            continue
        new = after.get(row.type)
        missing, extra = (new.missing, new.extra) if new else ((), ())
        changed = new.different if new and row.type == VALUES else ()
        told = [
            (missing, "missing after the upgrade"),
            (changed, "different after the upgrade"),
            (row.missing, "missing after the way back"),
            (row.different, "different after the way back"),
            (row.extra, "not there before, after the way back"),
        ]
        faults = [f"{row.type}: {len(names)} {what} ({listed(names)})" for names, what in told if names]
        word = "LOST" if faults else f"the upgrade added {listed(extra)}" if extra else "all there"
        rows.append(Through(row.type, row.before, new.after if new else 0, row.after, word, faults))
    return rows


def listed(names: Collection[str]) -> str:
    """Return the first names, and how many there are more."""
    shown = ", ".join(list(names)[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else shown


def _count(names: Iterable[str], there: Collection[str]) -> int:
    return sum(name in there for name in names)


def _strangers(names: Iterable[str], servers: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name.partition("/")[0] not in servers)
