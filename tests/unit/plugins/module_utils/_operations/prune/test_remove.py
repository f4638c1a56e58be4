# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removing archives: in which order, and what a killed run leaves for the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.remove import (
    ORPHANED_AFTER,
    remove_orphans,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.run import prune
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.view import view_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore

from . import shelf
from .shelf import NOW, put, request


def orphan(directory: Path, seconds: float) -> Path:
    """Leave a manifest whose archive is gone, and that is so old."""
    path = put(directory, 5)
    Path(path).unlink()
    shelf.age(path + ".manifest.json", seconds)
    return Path(path + ".manifest.json")


def test_the_archive_goes_first_and_its_manifest_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, 0)
    path = put(tmp_path, 1)
    Path(path + ".manifest.json.sig").touch()
    Path(path + ".confirmed-20260101T000000Z").touch()
    gone: list[str] = []
    remove = LocalStore.remove

    def noted(store: LocalStore, name: str) -> None:
        gone.append(name)
        remove(store, name)

    monkeypatch.setattr(LocalStore, "remove", noted)
    prune(request(tmp_path, last=1), Journal(), NOW, check=False)
    assert gone[0] == "d1.snap"
    assert gone[-1] == "d1.snap.manifest.json"
    assert len(gone) == 4


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    put(tmp_path, 0)
    left = orphan(tmp_path, ORPHANED_AFTER + 1)
    (tmp_path / "d5.snap.manifest.json.sig").touch()
    (tmp_path / "d5.snap.confirmed-20260101T000000Z").touch()
    journal = Journal()
    assert prune(request(tmp_path, last=1), journal, NOW, check=False) is True
    assert journal.shown["leftovers"] == [str(left)]
    assert shelf.left(tmp_path) == {"d0.snap", "d0.snap.manifest.json"}


def test_check_mode_names_it_and_leaves_it(tmp_path: Path) -> None:
    left = orphan(tmp_path, ORPHANED_AFTER + 1)
    journal = Journal()
    assert prune(request(tmp_path, last=1), journal, NOW, check=True) is True
    assert journal.shown["leftovers"] == [str(left)]
    assert left.exists()


def test_a_manifest_that_was_just_written_may_be_waiting_for_its_archive(tmp_path: Path) -> None:
    left = orphan(tmp_path, ORPHANED_AFTER - 1)
    assert prune(request(tmp_path, last=1), Journal(), NOW, check=False) is False
    assert left.exists()


def test_an_archive_that_came_meanwhile_keeps_its_manifest(tmp_path: Path) -> None:
    left = orphan(tmp_path, ORPHANED_AFTER + 1)
    asked = request(tmp_path, last=1)
    store = LocalStore.at(str(tmp_path))
    view = view_of(store, asked, NOW)
    put(tmp_path, 5)
    assert remove_orphans(store, asked, view, Journal(), NOW, check=False) == 0
    assert left.exists()


def test_a_manifest_of_another_cluster_is_left_alone(tmp_path: Path) -> None:
    left = orphan(tmp_path, ORPHANED_AFTER + 1)
    assert prune(request(tmp_path, last=1, cluster="staging"), Journal(), NOW, check=False) is False
    assert left.exists()


def test_a_failure_shows_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(4):
        put(tmp_path, day)
    remove = LocalStore.remove

    def refused(store: LocalStore, name: str) -> None:
        if name.startswith("d2"):
            raise FileError("no")
        remove(store, name)

    monkeypatch.setattr(LocalStore, "remove", refused)
    journal = Journal()
    with pytest.raises(FileError):
        prune(request(tmp_path, last=1), journal, NOW, check=False)
    assert journal.shown["removed"] == [str(tmp_path / "d3.snap")]
    assert {"d2.snap", "d2.snap.manifest.json"} <= shelf.left(tmp_path)
