# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release of Consul can restore what: a table, read off Consul's own sources (pure).

A server that meets a record type, or a kind of config entry, that it has no restorer for dies, and dies again at every
start (observed on 1.8.7 and 1.22.7). Sources, each at the first release of its series, but for 1.8.7 and 1.22.7:
``agent/consul/fsm/snapshot_oss.go`` (later ``snapshot_ce.go``) and ``fsm.go`` for the types,
``agent/structs/config_entry.go``, ``MakeConfigEntry``, for the kinds. 1.20 and 1.21 were not read: they stand between
1.19 and 1.22, which are the same. A series that is left out brought and dropped nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from .record_types import FIRST_ENTERPRISE_TYPE, kind_of

Series = tuple[int, int]

_NUMBER = re.compile("[0-9]{1,9}")


class Change(NamedTuple):
    """What a series of releases learnt to restore, and what it forgot."""

    types: frozenset[int] = frozenset()
    kinds: frozenset[str] = frozenset()
    dropped: frozenset[int] = frozenset()


OLDEST: Series = (1, 8)
NEWEST: Series = (1, 22)
"""The last one whose sources were read as a whole."""

CHANGES: dict[Series, Change] = {
    OLDEST: Change(
        types=frozenset({0, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16, 17, 19, 22, 23, 25, 27, 29, 30}),
        kinds=frozenset(
            {
                *("service-defaults", "proxy-defaults", "service-router", "service-splitter", "service-resolver"),
                *("ingress-gateway", "terminating-gateway"),
            }
        ),
    ),
    (1, 9): Change(types=frozenset({31}), kinds=frozenset({"service-intentions"})),
    (1, 10): Change(kinds=frozenset({"mesh"})),
    (1, 11): Change(types=frozenset({32, 33}), kinds=frozenset({"exported-services"})),
    (1, 13): Change(types=frozenset({35, 38, 40})),
    (1, 15): Change(
        kinds=frozenset({"api-gateway", "bound-api-gateway", "http-route", "inline-certificate", "tcp-route"}),
        dropped=frozenset({4, 11}),
    ),
    (1, 16): Change(types=frozenset({42}), kinds=frozenset({"jwt-provider"})),
    (1, 19): Change(kinds=frozenset({"file-system-certificate"})),
}
ENTERPRISE_KINDS = frozenset({"control-plane-request-limit", "sameness-group"})
"""The community edition knows the second one and refuses it (``checkSamenessGroup`` in agent/consul/state)."""
ENTERPRISE_TYPES = {65: "Namespace", 69: "Partition"}

LATER: dict[int, Series] = {45: (2, 1)}
"""Types that came after NEWEST, with the first series that has them, as far as they are known (the same files)."""


def series_of(version: str) -> Series | None:
    """Return ``(1, 22)`` for ``1.22.7+ent``; None when it is no version."""
    numbers = build_of(version).partition("-")[0].split(".")
    if len(numbers) < 2 or not all(_NUMBER.fullmatch(number) for number in numbers):
        return None
    return int(numbers[0]), int(numbers[1])


def build_of(version: str) -> str:
    """Return ``1.22.7-rc1`` for ``1.22.7-rc1+ent``."""
    return version.partition("+")[0]


def is_enterprise(version: str) -> bool:
    """Whether a version, or the build that a member tells, is of Consul Enterprise: ``1.22.7+ent``."""
    build = version.partition(":")[0].partition("+")[2]
    return build.split(".")[0] == "ent"


def is_across(archive: str | None, targets: Collection[str]) -> bool:
    """Whether an archive is known to come from another version than any of the servers runs."""
    return archive is not None and any(build_of(archive) != build_of(target) for target in targets)


def unrestorable(
    types: Iterable[int], kinds: Iterable[str], *, archive: str | None, target: str, enterprise: bool
) -> list[str] | None:
    """Return the names of what a server can't restore; None where that can't be told.

    A version in the table: its set decides. A newer one is taken to restore all that the table names, because Consul
    keeps its numbers for good (``agent/structs/structs.go``), and what can't be named only from an archive of that very
    version. Of an older one nothing is known but that it restores what it wrote itself.

    :param types: record types that the archive holds. :param kinds: kinds of the config entries in it.
    :param archive: its version. :param target: the server's. :param enterprise: whether that is Consul Enterprise.
    """
    series, same = series_of(target), archive is not None and build_of(archive) == build_of(target)
    if series is None or series < OLDEST:
        return [] if same else None
    learnt, known_kinds = restorable(series)
    lenient = same and series > NEWEST

    def knows(one: int) -> bool:
        if one >= FIRST_ENTERPRISE_TYPE:
            return enterprise
        return one in learnt or (lenient and one not in LATER)

    def knows_kind(kind: str) -> bool:
        return kind in known_kinds or lenient or (enterprise and kind in ENTERPRISE_KINDS)

    missing = [_name_of(one) for one in sorted(types) if not knows(one)]
    return missing + [f"ConfigEntry {kind}" for kind in sorted(kinds) if not knows_kind(kind)]


def _name_of(type_id: int) -> str:
    # ``consul snapshot inspect`` of the community edition calls them Unknown(65); a person needs the name.
    name = ENTERPRISE_TYPES.get(type_id)
    return f"{name} ({type_id})" if name else kind_of(type_id).name


def restorable(series: Series) -> tuple[frozenset[int], frozenset[str]]:
    """Return the record types and the kinds of config entries that a series of releases can restore."""
    types: frozenset[int] = frozenset(one for one, since in LATER.items() if since <= series)
    kinds: frozenset[str] = frozenset()
    for since, change in sorted(CHANGES.items()):
        if since <= series:
            types, kinds = (types | change.types) - change.dropped, kinds | change.kinds
    return types, kinds
