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

from collections.abc import Iterable
from typing import NamedTuple

from .record_types import FIRST_ENTERPRISE_TYPE, RecordType, kind_of
from .versions import Series, build_of, series_of

_ACL_BOOTSTRAP = 11
"""The type of what 1.8 kept of ``consul acl bootstrap``: read until 1.14, and written by no version in this table."""


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
        types=frozenset(
            {
                *(
                    RecordType.REGISTER,
                    RecordType.KVS,
                    RecordType.SESSION,
                    RecordType.TOMBSTONE,
                    RecordType.COORDINATES,
                ),
                *(RecordType.PREPARED_QUERY, RecordType.AUTOPILOT, RecordType.INTENTION, RecordType.CONNECT_CA),
                *(RecordType.CONNECT_CA_PROVIDER_STATE, RecordType.CONNECT_CA_CONFIG, RecordType.INDEX),
                *(RecordType.ACL_LEGACY, _ACL_BOOTSTRAP, RecordType.ACL_TOKEN, RecordType.ACL_POLICY),
                *(RecordType.ACL_ROLE, RecordType.ACL_BINDING_RULE, RecordType.ACL_AUTH_METHOD),
                *(RecordType.CONFIG_ENTRY, RecordType.CHUNKING_STATE, RecordType.FEDERATION_STATE),
            }
        ),
        kinds=frozenset(
            {
                *("service-defaults", "proxy-defaults", "service-router", "service-splitter", "service-resolver"),
                *("ingress-gateway", "terminating-gateway"),
            }
        ),
    ),
    (1, 9): Change(types=frozenset({RecordType.SYSTEM_METADATA}), kinds=frozenset({"service-intentions"})),
    (1, 10): Change(kinds=frozenset({"mesh"})),
    (1, 11): Change(
        types=frozenset({RecordType.SERVICE_VIRTUAL_IP, RecordType.FREE_VIRTUAL_IP}),
        kinds=frozenset({"exported-services"}),
    ),
    (1, 13): Change(types=frozenset({RecordType.PEERING, RecordType.PEERING_TRUST_BUNDLE, RecordType.PEERING_SECRET})),
    (1, 15): Change(
        kinds=frozenset({"api-gateway", "bound-api-gateway", "http-route", "inline-certificate", "tcp-route"}),
        dropped=frozenset({RecordType.ACL_LEGACY, _ACL_BOOTSTRAP}),
    ),
    (1, 16): Change(types=frozenset({RecordType.RESOURCE}), kinds=frozenset({"jwt-provider"})),
    (1, 19): Change(kinds=frozenset({"file-system-certificate"})),
}
ENTERPRISE_KINDS = frozenset({"control-plane-request-limit", "sameness-group"})
"""The community edition knows the second one and refuses it (``checkSamenessGroup`` in agent/consul/state)."""
ENTERPRISE_TYPES = {65: "Namespace", 69: "Partition"}

LATER: dict[int, Series] = {RecordType.FEATURE_GATE: (2, 1)}
"""Types that came after NEWEST, with the first series that has them, as far as they are known (the same files)."""


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
