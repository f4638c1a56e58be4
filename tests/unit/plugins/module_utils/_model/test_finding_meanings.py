# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a finding's effect on a version of Consul, and of versions that nobody tried."""

from __future__ import annotations

import pytest
from support.documented import returns_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.finding_meanings import (
    CRITICAL,
    INFO,
    MEANINGS,
    NONE,
    SEEN,
    UNTESTED,
    WARNING,
    deadly,
    effect_on,
    severity_for,
)

EFFECTS = [
    # Harm was seen on 1.8.7, and none from 1.11.4 on.
    ("node_names_differ_in_case", "1.8.7", SEEN),
    ("node_names_differ_in_case", "1.8.7+ent", SEEN),
    ("node_names_differ_in_case", "1.7.0", UNTESTED),
    ("node_names_differ_in_case", "1.8.8", UNTESTED),
    ("node_names_differ_in_case", "1.11.4-rc1", UNTESTED),
    ("node_names_differ_in_case", "1.11.4", NONE),
    ("node_names_differ_in_case", "1.22.7", NONE),
    ("node_names_differ_in_case", "2.1.0", NONE),
    ("node_names_differ_in_case", None, UNTESTED),
    # Harm was seen on 1.22.7, and none on 1.8.7.
    ("token_without_accessor", "1.22.7", SEEN),
    ("token_without_accessor", "1.22.6", UNTESTED),
    ("token_without_accessor", "2.0.0", UNTESTED),
    ("token_without_accessor", "1.10.0", UNTESTED),
    ("token_without_accessor", "1.8.7", NONE),
    ("token_without_accessor", "1.4.0", NONE),
    # Harm was seen on both.
    ("session_ttl_invalid", "1.8.7", SEEN),
    ("session_ttl_invalid", "1.22.7", SEEN),
    ("session_ttl_invalid", "1.15.0", UNTESTED),
    # The version makes no difference.
    ("token_expired", "1.3.0", SEEN),
    ("token_expired", None, SEEN),
]


@pytest.mark.parametrize(("name", "version", "effect"), EFFECTS)
def test_effect(name: str, version: str | None, effect: str) -> None:
    assert effect_on(name, version) == effect


def test_severity() -> None:
    assert [severity_for("legacy_token", version) for version in (None, "1.22.7", "1.15.0", "1.8.7")] == [
        *(WARNING, WARNING, WARNING, INFO),
    ]
    assert severity_for("token_without_accessor", "1.8.7") == INFO
    assert severity_for("token_without_accessor", "1.22.6") == CRITICAL


def test_deadly() -> None:
    both = ["token_without_accessor", "node_names_differ_in_case", "token_expired", "of_the_future"]

    assert deadly(both, "1.22.7") == {"token_without_accessor": SEEN}
    assert deadly(both, "1.8.7") == {"node_names_differ_in_case": SEEN}
    assert deadly(both, None) == {"node_names_differ_in_case": UNTESTED, "token_without_accessor": UNTESTED}


def test_whatever_is_deadly_says_what_to_do() -> None:
    assert [name for name, meaning in MEANINGS.items() if meaning.severity == CRITICAL and not meaning.cure] == []


def test_the_documentation_lists_every_finding_in_its_order() -> None:
    listed = returns_of("snapshot_info")["findings"]["contains"]["name"]["choices"]
    assert [name for name in listed if name in MEANINGS] == list(MEANINGS)
    # It depends on the version that it is judged for, and so has no place in the table.
    assert set(listed) - set(MEANINGS) == {"unrestorable_records"}
