# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a save is to go, and what counts as an archive that lies there."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import DestinationError, FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.save.destination import (
    Destination,
    archives_at,
    destination_of,
    existing_archive,
    require_room,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import encode_manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import Entry

from ..._storage.test_store import manifest_of

ARCHIVE = archive_around(state_of([kv("a", b"b")]), index=42)


def test_a_directory_or_a_file(tmp_path: Path) -> None:
    place = str(tmp_path)
    assert destination_of(place, create_directory=False) == Destination(place, None, False)
    assert destination_of(f"{place}/", create_directory=True) == Destination(place, None, False)
    assert destination_of(f"{place}/a.snap", create_directory=True) == Destination(place, f"{place}/a.snap", False)
    assert destination_of("/", create_directory=False) == Destination("/", None, False)


def test_a_file_of_this_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert destination_of("a.snap", create_directory=False) == Destination(".", "a.snap", False)


def test_a_directory_that_is_to_be_created(tmp_path: Path) -> None:
    above = f"{tmp_path}/new/below"
    assert destination_of(f"{above}/", create_directory=True) == Destination(above, None, True)
    assert destination_of(f"{above}/a.snap", create_directory=True) == Destination(above, f"{above}/a.snap", True)
    assert os.listdir(tmp_path) == []
    for dest in (f"{above}/", f"{above}/a.snap"):
        with pytest.raises(FileError, match="can't use the directory"):
            destination_of(dest, create_directory=False)
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="Not a directory"):
        destination_of(f"{tmp_path}/file/below/", create_directory=True)


def archive_at(path: Path, data: bytes = ARCHIVE, *, described: bool) -> str:
    path.write_bytes(data)
    if described:
        Path(manifest_path(str(path))).write_bytes(encode_manifest(manifest_of(data, index=7)))
    return str(path)


def test_an_existing_archive_is_known_by_its_manifest_or_by_itself(tmp_path: Path) -> None:
    described = existing_archive(archive_at(tmp_path / "a.snap", described=True))
    alone = existing_archive(archive_at(tmp_path / "b.snap", described=False))
    assert described is not None
    assert alone is not None
    assert (described.manifest.index, alone.manifest.index) == (7, 42)
    assert alone.manifest.size == len(ARCHIVE)
    assert existing_archive(str(tmp_path / "absent")) is None


@pytest.mark.parametrize("data", [b"", ARCHIVE[:-20], ARCHIVE + b"x"], ids=["empty", "cut", "longer"])
def test_a_damaged_archive_is_none(tmp_path: Path, data: bytes) -> None:
    assert existing_archive(archive_at(tmp_path / "a.snap", data, described=False)) is None


def test_another_file_is_not_overwritten(tmp_path: Path) -> None:
    path = archive_at(tmp_path / "notes", b"precious notes", described=False)
    with pytest.raises(DestinationError, match="not a Consul snapshot archive") as caught:
        existing_archive(path)
    assert "force: true" in caught.value.hint


def test_what_lies_at_a_destination(tmp_path: Path) -> None:
    described = archive_at(tmp_path / "a.snap", described=True)
    alone = archive_at(tmp_path / "b.snap", described=False)
    notes = archive_at(tmp_path / "notes", b"precious notes", described=False)

    place = str(tmp_path)

    def paths(file: str | None, force: bool, absent: bool = False) -> list[str]:
        return [
            entry.path for entry in archives_at(Destination(place, file, absent), LocalStore.at(place), force=force)
        ]

    assert paths(None, False) == paths(None, True) == [described]
    assert paths(described, False) == paths(described, True) == [described]
    assert (paths(alone, False), paths(alone, True)) == ([alone], [])
    assert paths(notes, True) == []
    with pytest.raises(DestinationError):
        paths(notes, False)
    assert paths(None, False, absent=True) == []


def test_room_for_another_one(tmp_path: Path) -> None:
    require_room(str(tmp_path), Entry("a.snap", manifest_of(b"data")))
    huge = replace(manifest_of(b"data"), size=1 << 62)
    with pytest.raises(FileError, match="bytes left") as caught:
        require_room(str(tmp_path), Entry("a.snap", huge))
    assert caught.value.facts == {"path": str(tmp_path)}
