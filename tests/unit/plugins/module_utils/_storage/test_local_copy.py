# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The private copy of an archive: when there is one, and what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import local_copy
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import source_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.local_copy import (
    Room,
    copy_in,
    room_for,
)


def test_a_plain_file_is_used_where_it_lies(tmp_path: Path) -> None:
    assert room_for(source_of(str(tmp_path / "a.snap")), None) is None
    with copy_in(None, "work_dir", check=False) as copy:
        assert copy is None


def test_a_sealed_file_needs_as_much_room_as_it_has_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.snap.age").write_bytes(b"12345")
    room = room_for(source_of(str(tmp_path / "a.snap.age")), str(tmp_path))
    assert room == Room(5, str(tmp_path))
    with copy_in(room, "work_dir", check=False) as copy:
        assert copy is not None
        copy.write(b"plain")
        assert [path.name for path in tmp_path.iterdir()] == ["a.snap.age"]


def test_check_mode_makes_none(tmp_path: Path) -> None:
    with copy_in(Room(5, str(tmp_path)), "work_dir", check=True) as copy:
        assert copy is None


@pytest.mark.parametrize("check", [False, True])
def test_too_little_room_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    def almost_full(_directory: str) -> int:
        return 99

    monkeypatch.setattr(local_copy, "free_bytes", almost_full)
    with pytest.raises(FileError, match=r"needs 100 bytes, and .* has 99 free") as raised:
        copy_in(Room(100, str(tmp_path)), "work_dir", check=check).__enter__()
    assert "work_dir" in raised.value.hint
    with copy_in(Room(99, str(tmp_path)), "work_dir", check=check):
        pass


def test_the_directory_has_to_be_there(tmp_path: Path) -> None:
    missing: Any = copy_in(Room(1, str(tmp_path / "absent")), "work_dir", check=False)
    with pytest.raises(FileError, match="absent"):
        missing.__enter__()
