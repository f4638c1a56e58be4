# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a save ended, as the module shows it."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.decision import Decision
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.result import (
    described,
    result_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.run import Saved
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import Entry
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

from ..._storage.test_store import manifest_of

BEFORE = Entry("/b/old.snap", manifest_of(b"old", taken_at=0))


def test_a_plain_archive() -> None:
    entry = Entry("/b/a.snap", manifest_of(b"data", taken_at=60, index=7))
    result = result_of(Saved(Decision(True, "why"), entry, BEFORE, None, created=("/b",)))
    assert (result["dest"], result["manifest"], result["signature"]) == ("/b/a.snap", "/b/a.snap.manifest.json", None)
    assert (result["changed"], result["written"], result["reason"]) == (True, True, "why")
    assert (result["sealed"], result["sealed_with"], result["locked_until"]) == (False, None, None)
    assert (result["index"], result["size"], result["confirmed_at"]) == (7, 4, "1970-01-01T00:01:00Z")
    assert result["diff"] == {"before": described(BEFORE), "after": described(entry)}
    assert "findings" not in result


def test_a_sealed_and_locked_one_in_a_bucket() -> None:
    manifest = replace(manifest_of(b"data"), sealed=Digest(200, "ab" * 32))
    entry = Entry("s3://b/x.snap.age", manifest, signed=True)
    result = result_of(Saved(Decision(True, "why"), entry, None, None, sealed_with="age", locked_until=86_400.0))
    assert (result["sealed"], result["sealed_with"]) == (True, "age")
    assert result["signature"] == "s3://b/x.snap.age.manifest.json.sig"
    assert result["locked_until"] == "1970-01-02T00:00:00Z"
    # What Consul handed out, not what lies in the store.
    assert (result["size"], result["sha256"]) == (4, manifest.sha256)
    assert result["diff"] == {"before": {}, "after": described(entry)}


def test_an_unchanged_one_shows_no_difference() -> None:
    result = result_of(Saved(Decision(False, "why"), BEFORE, BEFORE, None))
    assert (result["changed"], result["written"]) == (False, False)
    assert result["diff"]["before"] == result["diff"]["after"] == described(BEFORE)
