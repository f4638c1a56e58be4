# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record types: Consul's numbers for them, and the names that `consul snapshot inspect` prints."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.record_types import (
    FIRST_ENTERPRISE_TYPE,
    KINDS,
    RecordType,
    id_of,
    is_durable,
    kind_of,
)


def test_every_type_has_a_name_of_its_own() -> None:
    assert set(KINDS) == set(RecordType)
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
    assert all(type_id < FIRST_ENTERPRISE_TYPE for type_id in KINDS)


# structs.go keeps these numbers for good; the names are those of the CLI.
@pytest.mark.parametrize(
    ("type_id", "name", "durable"),
    [
        (0, "Register", True),
        (2, "KVS", True),
        (3, "Session", False),
        (5, "Tombstone", False),
        (16, "Index", False),
        (17, "ACLToken", True),
        (22, "ConfigEntry", True),
        (30, "FederationState", False),
        (40, "PeeringSecret", True),
        # What nobody knows may be what somebody stored.
        (1, "Unknown(1)", True),
        (99, "Unknown(99)", True),
        (255, "Unknown(255)", True),
    ],
)
def test_kinds_by_number_and_back(type_id: int, name: str, durable: bool) -> None:
    assert kind_of(type_id) == (name, durable)
    assert id_of(name) == type_id
    assert is_durable(name) == durable


@pytest.mark.parametrize("name", ["", "kvs", "Unknown", "Unknown(x)", "Unknown(1234)", "Unknown(9) "])
def test_a_name_that_no_type_has(name: str) -> None:
    assert id_of(name) is None
