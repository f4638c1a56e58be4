# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a cluster's content after a restore, whether it ended well or not (pure)."""

from __future__ import annotations

NOTHING_SENT, REJECTED, REPLACED, UNKNOWN = "nothing_sent", "rejected", "replaced", "unknown"
STATES = {
    NOTHING_SENT: "Nothing was sent",
    REJECTED: "The cluster still holds its old state",
    REPLACED: "The cluster holds the archive's state all the same",
    UNKNOWN: "What the cluster holds now is not known. Look at it before you do anything else",
}
"""Each state with the sentence that a message has for it."""


def may_have_changed(state: str) -> bool:
    """Whether the cluster's content was replaced, or may have been."""
    return state in (REPLACED, UNKNOWN)
