# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether to restore, and why, in words (pure)."""

from __future__ import annotations

from ..._snapshot.records.fingerprint import Fingerprint
from ..decision import Decision, difference_in_words

EQUIVALENT = Decision(
    False, "the cluster already holds equivalent content; only records that servers create themselves differ"
)
"""Stands in for a decision to restore, when a closer look shows that there is nothing to do."""


def should_restore(archive: Fingerprint, target: Fingerprint | None, *, fresh: bool | None) -> Decision:
    """Decide whether the target has to be restored. ``target`` is None when its state could not be read."""
    if target is None:
        return Decision(True, "the cluster's own content could not be read")
    difference = difference_in_words(archive, target)
    if not difference:
        return Decision(False, "the cluster already holds the archive's content")
    if fresh:
        return Decision(True, "the cluster is fresh")
    return Decision(True, f"the cluster's content is not the archive's: {difference}")
