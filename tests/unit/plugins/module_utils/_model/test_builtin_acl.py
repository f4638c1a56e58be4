# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ACL tokens stand in the servers' configuration."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.builtin_acl import (
    BUILTIN_POLICIES,
    comes_from_configuration,
)

MANAGEMENT, READ_ONLY = BUILTIN_POLICIES


@pytest.mark.parametrize(
    ("description", "policies", "expected"),
    [
        (b"Initial Management Token", [MANAGEMENT], True),
        # What 1.8 calls it.
        (b"Master Token", [MANAGEMENT], True),
        # A user may choose such a description, but not what such a token may do.
        (b"Master Token", [READ_ONLY], False),
        (b"Master Token", [MANAGEMENT, READ_ONLY], False),
        (b"Master Token", [], False),
        (b"master token", [MANAGEMENT], False),
        (b"Bootstrap Token (Global Management)", [MANAGEMENT], False),
        (None, [MANAGEMENT], False),
        (7, [None], False),
    ],
)
def test_tokens_of_the_configuration(description: Any, policies: list[Any], expected: bool) -> None:
    assert comes_from_configuration(description, policies) == expected
