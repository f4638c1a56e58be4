# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which release restores what."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.compatibility import unrestorable

NAMESPACE, PARTITION, OTHER = 65, 69, 99


def missing(types: set[int], kinds: set[str], *, target: str = "1.22.7", enterprise: bool = False) -> list[str] | None:
    return unrestorable(types, kinds, archive="1.22.7", target=target, enterprise=enterprise)


def test_what_a_release_learnt_it_restores() -> None:
    assert missing({0, 2, 17, 42}, {"mesh", "http-route"}) == []
    assert missing({42}, {"http-route"}, target="1.8.7") == ["Resource", "ConfigEntry http-route"]


# checkSamenessGroup of the community edition: "sameness-groups are an enterprise-only feature", and the server dies.
@pytest.mark.parametrize("kind", ["sameness-group", "control-plane-request-limit"])
def test_what_only_enterprise_restores(kind: str) -> None:
    assert missing(set(), {kind}) == [f"ConfigEntry {kind}"]
    assert missing(set(), {kind}, enterprise=True) == []


def test_types_of_enterprise_are_told_by_name() -> None:
    assert missing({NAMESPACE, PARTITION, OTHER}, set()) == ["Namespace (65)", "Partition (69)", "Unknown(99)"]
    assert missing({NAMESPACE, PARTITION, OTHER}, set(), enterprise=True) == []
