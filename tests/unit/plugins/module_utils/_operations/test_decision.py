# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A difference in words: by name, in order, and fit for a terminal."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.decision import (
    difference_in_words,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)

ONE = {"KVS": TypeDigest(1, 1), "ACLToken": TypeDigest(1, 2)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"KVS": TypeDigest(1, 9)}, "KVS"),
        ({"KVS": TypeDigest(2, 1), "Register": TypeDigest(1, 5)}, "KVS, Register"),
        ({"\x1b[2J": TypeDigest(1, 3)}, "\\x1b[2J"),
    ],
)
def test_the_types_that_differ(changes: dict[str, TypeDigest], words: str) -> None:
    assert difference_in_words(Fingerprint(ONE), Fingerprint({**ONE, **changes})) == words
    assert difference_in_words(Fingerprint({**ONE, **changes}), Fingerprint(ONE)) == words
