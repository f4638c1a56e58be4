# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What another version has no field for, as a sentence."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.losses import (
    Loss,
    described,
    of_legacy_tokens,
)

RULES = Loss("ACLToken", "Rules", 1, ["a1"])
MANY = Loss("ConfigEntry", "Extra", 7, ["kind/a", "kind/b", "kind/c", "kind/d"])


def test_each_loss_is_named_with_its_records() -> None:
    text = described([RULES, MANY])

    assert "Rules of 1 ACLToken" in text
    assert "(a1)" in text
    assert "Extra of 7 ConfigEntry" in text
    assert "kind/a, kind/b, kind/c and 4 more" in text
    assert "kind/d" not in text
    assert described([]) == ""


def test_names_are_shown_as_a_terminal_may_see_them() -> None:
    assert "\x1b" not in described([Loss("ACLToken", "Rules", 1, ["a\x1b[31m"])])


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([], False),
        ([MANY], False),
        ([MANY, RULES], True),
        ([Loss("ACLToken", "Type", 1, ["a"])], True),
        ([Loss("ACLPolicy", "Rules", 1, ["a"])], False),
    ],
)
def test_losses_of_legacy_tokens(losses: list[Loss], expected: bool) -> None:
    assert of_legacy_tokens(losses) == expected
