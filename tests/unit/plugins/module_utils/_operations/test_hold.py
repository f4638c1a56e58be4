# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holding an archive in a directory, and taking the hold back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.hold import HoldRequest, hold
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.hold import Hold, decode_hold
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location

from .prune.shelf import NOW, put


def asked(path: str, wanted: Hold | None, *, legal_hold: bool = False) -> HoldRequest:
    """Return a request to hold an archive, or to hold it no longer."""
    return HoldRequest(parse_location(path, "path"), wanted, legal_hold)


def notes(directory: Path) -> list[Hold]:
    """Return the notes that lie in a directory."""
    return [decode_hold(path.read_bytes()) for path in sorted(directory.glob("*.hold-*"))]


def test_hold_hold_again_take_back(tmp_path: Path) -> None:
    path, wanted = put(tmp_path, 1), Hold("migration")
    checked = hold(asked(path, wanted), NOW, check=True)
    assert notes(tmp_path) == []
    assert hold(asked(path, wanted), NOW, check=False) == checked
    assert (checked.changed, checked.before, checked.after, checked.legal_hold) == (True, None, "migration", None)
    assert notes(tmp_path) == [wanted]
    assert hold(asked(path, wanted), NOW, check=False).changed is False
    released = hold(asked(path, None), NOW, check=False)
    assert (released.changed, released.before, released.after) == (True, "migration", None)
    assert notes(tmp_path) == []
    assert hold(asked(path, None), NOW, check=False).changed is False


def test_another_reason_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = put(tmp_path, 1)
    hold(asked(path, Hold("one")), NOW, check=False)
    # In the same second: the name of the new note is another one.
    assert hold(asked(path, Hold("two", NOW + 90)), NOW, check=False).changed is True
    assert notes(tmp_path) == [Hold("two", NOW + 90)]


def test_a_note_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    hold(asked(put(tmp_path, 1), Hold("one")), NOW, check=False)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.glob("*.hold-*")] == [0o600]


def test_a_note_that_has_run_out_is_replaced(tmp_path: Path) -> None:
    path = put(tmp_path, 1)
    hold(asked(path, Hold("one", NOW + 5)), NOW, check=False)
    again = hold(asked(path, Hold("one", NOW + 90)), NOW + 10, check=False)
    assert (again.changed, again.before) == (True, None)
    assert notes(tmp_path) == [Hold("one", NOW + 90)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.snap", None, "there is nothing of that name"),
        ("foreign.snap", b"x", "it has no manifest"),
    ],
)
def test_only_archives_of_ours_are_held(tmp_path: Path, name: str, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=reason):
        hold(asked(str(tmp_path / name), Hold("x")), NOW, check=False)
    assert notes(tmp_path) == []


def test_an_archive_with_a_damaged_manifest(tmp_path: Path) -> None:
    path = put(tmp_path, 1)
    Path(path + ".manifest.json").write_bytes(b"{}")
    with pytest.raises(FileError, match="its manifest can't be understood"):
        hold(asked(path, Hold("x")), NOW, check=False)


def test_a_directory_has_no_legal_holds(tmp_path: Path) -> None:
    path = put(tmp_path, 1)
    with pytest.raises(StoreError, match="no legal holds"):
        hold(asked(path, Hold("x"), legal_hold=True), NOW, check=False)
    assert notes(tmp_path) == []
