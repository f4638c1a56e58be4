# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot is put in place, or the archive that is there is confirmed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.destination import Destination
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.publish import (
    confirm_existing,
    confirmed,
    foretold,
    publish,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import (
    LocalStore,
    Prepare,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import read_manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.new_archive import NewArchive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import (
    Entry,
    described_by_manifest,
)

from ..._storage.test_store import OURS, keep, manifest_of

NOW = 1_000_000.0
SNAPSHOT = manifest_of(b"data", taken_at=NOW - 10, index=42)


def placed(destination: Destination, prepare: Prepare | None = None) -> Entry:
    file = os.path.basename(destination.file) if destination.file else None
    with NewArchive(LocalStore.at(destination.directory), file=file, prepare=prepare) as archive:
        archive.restart("a name for buckets")
        archive.write(b"data")
        return publish(archive, destination, SNAPSHOT)


def test_into_a_directory_under_a_new_name(tmp_path: Path) -> None:
    destination = Destination(str(tmp_path), None, False)
    expected = foretold(destination, LocalStore.at(str(tmp_path)), SNAPSHOT)
    assert os.listdir(tmp_path) == []
    first, second = placed(destination), placed(destination)
    assert first.path == expected.path
    assert os.path.basename(first.path) == "dc1-19700112T134630Z-42.snap"
    assert len(os.listdir(tmp_path)) == 4
    for entry in (first, second):
        assert read_manifest(entry.path) == entry.manifest == replace(SNAPSHOT, file=os.path.basename(entry.path))


def test_at_a_path_in_place_of_what_is_there(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"old", manifest_of(b"old"))
    destination = Destination(str(tmp_path), path, False)
    assert foretold(destination, LocalStore.at(str(tmp_path)), SNAPSHOT) == Entry(path, SNAPSHOT)
    assert Path(path).read_bytes() == b"old"
    assert placed(destination) == Entry(path, SNAPSHOT)
    assert (Path(path).read_bytes(), read_manifest(path)) == (b"data", SNAPSHOT)


@pytest.mark.parametrize("into", ["file", "directory"])
def test_each_new_file_is_prepared_before_it_is_in_place(tmp_path: Path, into: str) -> None:
    seen = []

    def prepare(new: str, dest: str) -> None:
        seen.append((os.path.exists(new), os.path.exists(dest), dest))

    file = str(tmp_path / "a.snap") if into == "file" else None
    entry = placed(Destination(str(tmp_path), file, False), prepare)
    assert seen == [(True, False, entry.path), (True, False, f"{entry.path}.manifest.json")]


def test_a_confirmation_is_written_unless_in_check_mode(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    existing = Entry(path, manifest_of(b"data"))
    store = LocalStore.at(str(tmp_path))
    checked = confirm_existing(store, existing, SNAPSHOT, now=NOW, check=True)
    assert described_by_manifest(path) == existing
    assert len(os.listdir(tmp_path)) == 2
    assert checked.manifest.confirmed_at == NOW - 10
    assert confirm_existing(store, existing, SNAPSHOT, now=NOW, check=False) == checked
    assert described_by_manifest(path) == checked
    # It is a note of its own: the manifest is what it was.
    assert read_manifest(path) == manifest_of(b"data")


def test_without_a_leader_nothing_is_confirmed(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    existing = Entry(path, manifest_of(b"data"))
    leaderless = replace(SNAPSHOT, confirmed_by_leader=False)
    assert confirm_existing(LocalStore.at(str(tmp_path)), existing, leaderless, now=NOW, check=False) == existing
    assert described_by_manifest(path) == existing


@pytest.mark.parametrize(
    ("before", "taken_at", "after"),
    [
        ({"confirmed_at": NOW - 500}, NOW - 10, NOW - 10),
        # Neither back to an earlier time, nor ahead of now.
        ({"confirmed_at": NOW - 5}, NOW - 10, NOW - 5),
        ({"confirmed_at": NOW - 500}, NOW + 60, NOW),
        ({"confirmed_at": NOW + 9e9}, NOW - 10, NOW - 10),
        # The time of a save without a leader was not a confirmation.
        ({"confirmed_at": NOW - 5, "confirmed_by_leader": False}, NOW - 10, NOW - 10),
    ],
)
def test_the_time_of_a_confirmation(before: dict[str, object], taken_at: float, after: float) -> None:
    manifest = confirmed(replace(manifest_of(b"data"), **before), OURS, taken_at, NOW)  # type: ignore[arg-type]
    assert (manifest.confirmed_at, manifest.confirmed_by_leader) == (after, True)


def test_a_confirmation_names_the_cluster_as_it_is_today() -> None:
    known = ClusterIdentity("dc1", None, "1.21.0", ("s0", "s1"), "production")
    today = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"))
    manifest = confirmed(replace(manifest_of(b"data"), cluster=known), today, NOW, NOW)
    assert manifest.cluster == ClusterIdentity("dc1", "an-id", "1.21.0", ("s1", "s2"), "production")
    renamed = confirmed(manifest, today._replace(name="new"), NOW, NOW)
    assert renamed.cluster.name == "new"
