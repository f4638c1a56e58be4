# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose work a file can be: owners, bits, links, and the directories on the way."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._system import private_paths
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.private_paths import is_ours_alone


@pytest.fixture
def file(tmp_path: Path) -> Path:
    directory = tmp_path / "archives"
    directory.mkdir(mode=0o755)
    path = directory / "a.snap"
    path.write_bytes(b"")
    path.chmod(0o644)
    return path


def test_a_file_that_others_may_only_read_is_ours(file: Path) -> None:
    assert is_ours_alone(str(file))


def test_a_relative_path_is_followed_from_here(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert is_ours_alone("a.snap")
    assert is_ours_alone("../archives/./a.snap")


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_not(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert not is_ours_alone(str(file))


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_directory_that_others_may_write_to_makes_nothing_in_it_ours(file: Path, mode: int) -> None:
    file.parent.chmod(mode)
    assert not is_ours_alone(str(file))


@pytest.mark.parametrize(("mode", "ours"), [(0o777, False), (0o1777, True)], ids=["for all", "for all, and sticky"])
def test_a_directory_further_above(file: Path, mode: int, ours: bool) -> None:
    file.parent.parent.chmod(mode)
    assert is_ours_alone(str(file)) == ours


def test_links_are_followed_and_lie_somewhere_themselves(file: Path, tmp_path: Path) -> None:
    private, shared = tmp_path / "private", tmp_path / "shared"
    private.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o777)
    (private / "link").symlink_to(file)
    assert is_ours_alone(str(private / "link"))
    assert is_ours_alone(str(private / ".." / "archives" / "a.snap"))
    # Who may write to the directory in between could let the second link lead anywhere.
    (shared / "archives").symlink_to(file.parent)
    (private / "archives").symlink_to("../shared/archives")
    assert not is_ours_alone(str(private / "archives" / "a.snap"))
    (private / "ring").symlink_to("ring")
    assert not is_ours_alone(str(private / "ring"))


def test_what_is_not_there_is_nobodys(tmp_path: Path) -> None:
    assert not is_ours_alone(str(tmp_path / "absent"))
    assert not is_ours_alone(str(tmp_path / "absent" / "a.snap"))


@pytest.mark.parametrize("stranger", ["a.snap", "archives"])
def test_what_belongs_to_somebody_else_is_theirs(file: Path, monkeypatch: pytest.MonkeyPatch, stranger: str) -> None:
    really = os.lstat

    def as_of_somebody_else(path: Any) -> Any:
        found = really(path)
        if os.path.basename(path) != stranger:
            return found
        return SimpleNamespace(st_uid=os.geteuid() + 4711, st_mode=found.st_mode)

    monkeypatch.setattr(private_paths.os, "lstat", as_of_somebody_else)
    assert not is_ours_alone(str(file))
