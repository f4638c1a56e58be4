# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a SAS token ends, by its own word."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.sas import expiry_of


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("sv=1&se=2026-11-26T10%3A00%3A00Z&sig=x", 1795687200.0),
        ("?se=2026-11-26T10:00:00Z", 1795687200.0),
        ("se=2026-11-26T10:00Z", 1795687200.0),
        ("se=2026-11-26", 1795651200.0),
        ("se=tomorrow", None),
        ("si=policy&sig=x", None),
        ("", None),
        (None, None),
    ],
)
def test_expiry(token: str | None, expected: float | None) -> None:
    assert expiry_of(token) == expected
