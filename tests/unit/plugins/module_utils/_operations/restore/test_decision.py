# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether to restore, and the words for it."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.decision import Decision
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.decision import (
    should_restore,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)


def fingerprint(**types: int) -> Fingerprint:
    """Return a fingerprint with one record of each type."""
    return Fingerprint({name: TypeDigest(1, digest) for name, digest in types.items()})


SAME = fingerprint(KVS=1, ACLToken=2)
RESTORE = [
    ("unreadable", None, None, Decision(True, "the cluster's own content could not be read")),
    ("equal", SAME, False, Decision(False, "the cluster already holds the archive's content")),
    ("equal and fresh", SAME, True, Decision(False, "the cluster already holds the archive's content")),
    ("fresh", fingerprint(Autopilot=1), True, Decision(True, "the cluster is fresh")),
    (
        "other content",
        fingerprint(KVS=5, ACLToken=2),
        False,
        Decision(True, "the cluster's content is not the archive's: KVS"),
    ),
]


@pytest.mark.parametrize(("target", "fresh", "decision"), [row[1:] for row in RESTORE], ids=[row[0] for row in RESTORE])
def test_should_restore(target: Fingerprint | None, fresh: bool | None, decision: Decision) -> None:
    assert should_restore(SAME, target, fresh=fresh) == decision
