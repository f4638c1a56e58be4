# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a store, as candidates: what counts, what holds, what is foreign."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.view import view_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore

from .shelf import NOW, put, request


def test_an_archive_that_does_not_match_its_manifest_is_ours_and_not_verified(tmp_path: Path) -> None:
    path = put(tmp_path, 1)
    Path(path).write_bytes(b"cut")
    view = view_of(LocalStore.at(str(tmp_path)), request(tmp_path, last=1), NOW)
    assert view.candidates[path].verified is False
    assert view.foreign == 0


def test_what_a_candidate_says(tmp_path: Path) -> None:
    path = put(tmp_path, 1, keys=7)
    candidate = view_of(LocalStore.at(str(tmp_path)), request(tmp_path, last=1), NOW).candidates[path]
    assert (candidate.group, candidate.raft_index, candidate.verified, candidate.held) == (
        "production",
        999,
        True,
        None,
    )
    assert dict(candidate.counts) == {"keys": 7, "tokens": 0}


def test_the_newest_note_counts(tmp_path: Path) -> None:
    path = put(tmp_path, 1)
    note = '{{"schema": "disaster_recovery.consul/hold", "version": 1, "reason": "{}", "until": {}}}'
    Path(f"{path}.hold-20260101T000000Z").write_text(note.format("old", "null"), encoding="utf-8")
    Path(f"{path}.hold-20260201T000000Z").write_text(note.format("new", '"2020-01-01T00:00:00Z"'), encoding="utf-8")
    candidate = view_of(LocalStore.at(str(tmp_path)), request(tmp_path, last=1), NOW).candidates[path]
    assert candidate.held is None
