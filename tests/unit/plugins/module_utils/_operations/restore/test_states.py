# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a cluster after a restore."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import RestoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.states import (
    STATES,
    may_have_changed,
)


@pytest.mark.parametrize(
    ("state", "changed"), [("nothing_sent", False), ("rejected", False), ("replaced", True), ("unknown", True)]
)
def test_only_what_was_replaced_or_is_not_known_may_have_changed(state: str, changed: bool) -> None:
    assert may_have_changed(state) is changed


def test_every_state_has_a_sentence_and_is_explained_by_the_error() -> None:
    assert set(STATES) == {"nothing_sent", "rejected", "replaced", "unknown"}
    assert [state for state in STATES if state not in (RestoreError.__doc__ or "")] == []
