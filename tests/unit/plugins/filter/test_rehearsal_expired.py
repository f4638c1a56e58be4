# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that names old reports."""

from __future__ import annotations

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_expired import rehearsal_expired

NAMES = [f"2026010{day}T000000Z.json" for day in range(1, 6)]


def test_the_oldest_are_named_and_no_more_than_asked_for() -> None:
    assert rehearsal_expired(NAMES, keep=2) == NAMES[:3]
    assert rehearsal_expired(NAMES, keep=2, most=2) == NAMES[:2]
    assert rehearsal_expired(NAMES, keep=0, most=2) == []
