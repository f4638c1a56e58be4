# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pruning a directory, from the list to the removal."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, RetentionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.run import prune

from . import shelf
from .shelf import DAY, NOW, put, request


def run(asked: shelf.PruneRequest, *, check: bool = False) -> tuple[bool, Journal, list[str]]:
    """Prune, and return whether anything changed, the journal and the warnings."""
    warnings: list[str] = []
    journal = Journal(warnings.append)
    return prune(asked, journal, NOW, check=check), journal, warnings


def both(*days: int) -> set[str]:
    """Return the names of archives and of their manifests."""
    return {name for day in days for name in (f"d{day}.snap", f"d{day}.snap.manifest.json")}


def test_what_no_rule_keeps_goes_with_its_manifest(tmp_path: Path) -> None:
    for day in range(6):
        put(tmp_path, day)
    changed, journal, warnings = run(request(tmp_path, last=3))
    assert (changed, warnings) == (True, [])
    assert shelf.left(tmp_path) == both(0, 1, 2)
    assert journal.shown["removed"] == [str(tmp_path / f"d{day}.snap") for day in (5, 4, 3)]
    assert (journal.shown["kept"], journal.shown["foreign"]) == (3, 0)


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    for day in range(6):
        put(tmp_path, day)
    run(request(tmp_path, last=3))
    changed, journal, _warnings = run(request(tmp_path, last=3))
    assert (changed, journal.shown["removed"], journal.shown["freed_bytes"]) == (False, [], 0)


def test_check_mode_says_the_same_and_removes_nothing(tmp_path: Path) -> None:
    for day in range(6):
        put(tmp_path, day)
    _changed, checked, _warnings = run(request(tmp_path, last=3), check=True)
    assert shelf.left(tmp_path) == both(*range(6))
    _changed, done, _warnings = run(request(tmp_path, last=3))
    assert {**checked.shown, "duration": 0} == {**done.shown, "duration": 0}


def test_every_archive_is_listed_with_its_reasons(tmp_path: Path) -> None:
    for day in range(3):
        put(tmp_path, day)
    _changed, journal, _warnings = run(request(tmp_path, last=2))
    assert [(one["path"], one["keep"], one["reasons"]) for one in journal.shown["archives"]] == [
        (str(tmp_path / "d0.snap"), True, ["the newest verified", "last 2"]),
        (str(tmp_path / "d1.snap"), True, ["last 2"]),
        (str(tmp_path / "d2.snap"), False, []),
    ]


def test_what_lies_beside_goes_too(tmp_path: Path) -> None:
    put(tmp_path, 0)
    path = put(tmp_path, 1)
    for suffix in (".manifest.json.sig", ".confirmed-20260101T000000Z", ".hold-20260101T000000Z"):
        Path(path + suffix).write_bytes(
            b'{"schema": "disaster_recovery.consul/hold", "version": 1, "reason": "x", "until": "2026-01-01T00:00:00Z"}'
        )
    run(request(tmp_path, last=1))
    assert shelf.left(tmp_path) == both(0)


def test_freed_bytes_are_those_of_all_that_went(tmp_path: Path) -> None:
    put(tmp_path, 0)
    put(tmp_path, 1)
    size = sum((tmp_path / name).stat().st_size for name in both(1))
    _changed, journal, _warnings = run(request(tmp_path, last=1))
    assert journal.shown["freed_bytes"] == size


def test_foreign_files_are_neither_counted_nor_touched(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day)
    foreign = {"other.snap", "notes.txt", "x.manifest.json", "d9.snap.confirmed-20260101T000000Z", "link.snap"}
    for name in foreign - {"link.snap"}:
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / "link.snap").symlink_to(tmp_path / "d3.snap")
    (tmp_path / "below").mkdir()
    put(tmp_path / "below", 300)
    _changed, journal, _warnings = run(request(tmp_path, last=2))
    assert shelf.left(tmp_path) == both(0, 1) | foreign | {"below"}
    assert shelf.left(tmp_path / "below") == both(300)
    assert (journal.shown["foreign"], journal.shown["leftovers"]) == (2, [])


def test_a_hold_keeps_its_archive(tmp_path: Path) -> None:
    for day in range(4):
        path = put(tmp_path, day)
    Path(path + ".hold-20260101T000000Z").write_bytes(b"damaged")
    _changed, journal, _warnings = run(request(tmp_path, last=2))
    assert shelf.left(tmp_path) == both(0, 1, 3) | {"d3.snap.hold-20260101T000000Z"}
    assert journal.shown["archives"][3]["reasons"] == ["held: a note that can't be read"]


def test_a_damaged_newest_archive_does_not_stand_for_the_others(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day)
    # As long as before: only its bytes tell.
    (tmp_path / "d0.snap").write_bytes(b"archive of day X")
    _changed, journal, _warnings = run(request(tmp_path, last=1))
    assert shelf.left(tmp_path) == both(0, 1)
    assert journal.shown["archives"][0]["reasons"] == ["newer than the newest verified"]


def test_with_all_damaged_nothing_goes(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day)
        (tmp_path / f"d{day}.snap").write_bytes(b"archive of day X")
    changed, _journal, _warnings = run(request(tmp_path, last=1))
    assert not changed
    assert shelf.left(tmp_path) == both(*range(4))


def test_more_than_allowed_removes_nothing_of_any_cluster(tmp_path: Path) -> None:
    for day in range(6):
        put(tmp_path, day)
        put(tmp_path, day, cluster="staging", name=f"s{day}.snap", server="s2")
    before = shelf.left(tmp_path)
    journal = Journal()
    with pytest.raises(RetentionError, match="of the cluster production 5 of 6 archives would go, and max_remove is 4"):
        prune(request(tmp_path, last=1, max_remove=4), journal, NOW, check=False)
    assert shelf.left(tmp_path) == before
    assert journal.shown["removed"] == []


def test_one_cluster_alone(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day)
        put(tmp_path, day, cluster="staging", name=f"s{day}.snap", server="s2")
    _changed, journal, _warnings = run(request(tmp_path, last=1, cluster="staging"))
    assert journal.shown["removed"] == [str(tmp_path / f"s{day}.snap") for day in (3, 2, 1)]
    assert {one["cluster"] for one in journal.shown["archives"]} == {"staging"}


def test_two_clusters_under_one_name_each_keep_their_newest(tmp_path: Path) -> None:
    for day in range(0, 8, 2):
        put(tmp_path, day)
        put(tmp_path, day + 1, server="s9")
    run(request(tmp_path, last=1))
    run(request(tmp_path, last=1))
    assert shelf.left(tmp_path) == both(0, 1)


def test_a_cluster_that_lost_its_content_is_left_alone_with_a_warning(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day, keys=1 if day == 0 else 9)
    changed, _journal, warnings = run(request(tmp_path, last=1))
    assert not changed
    assert warnings == [
        "no archive of the cluster production is removed: the newest archive has 1 of the 9 keys that the one before "
        "it has. Find out what happened to it, or raise max_shrink."
    ]


def test_what_a_rehearsal_has_proven_stays(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day)
    proven = hashlib.sha256(b"archive of day 2").hexdigest()
    run(request(tmp_path, last=1, rehearsed=frozenset({proven})))
    assert shelf.left(tmp_path) == both(0, 2)


def test_an_empty_policy_removes_nothing_at_all(tmp_path: Path) -> None:
    for day in range(4):
        put(tmp_path, day)
    (tmp_path / "d3.snap").unlink()
    shelf.age(str(tmp_path / "d3.snap.manifest.json"), DAY)
    changed, journal, _warnings = run(request(tmp_path))
    assert (changed, journal.shown["kept"]) == (False, 3)
    assert "d3.snap.manifest.json" in shelf.left(tmp_path)


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't look into"):
        run(request(tmp_path / "absent", last=1))
