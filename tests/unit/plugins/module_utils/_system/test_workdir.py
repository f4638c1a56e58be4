# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.launch import identity_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.workdir import (
    NOTE,
    WorkDir,
    clear_leftovers,
)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="throwaway servers are for Linux")


def abandoned(parent: Path) -> Path:
    """Return a directory whose maker is gone: another process made it and did not clean up."""
    with WorkDir(str(parent)) as room:
        left = Path(room.path + "x")
        left.mkdir(mode=0o700)
    return left


def test_one_is_private_and_goes(tmp_path: Path) -> None:
    with WorkDir(str(tmp_path)) as room:
        path = Path(room.path)
        assert path.stat().st_mode & 0o777 == 0o700
        file = Path(room.write("a", "text"))
        assert (file.read_text(), file.stat().st_mode & 0o777) == ("text", 0o600)
        (path / "deep").mkdir()
        assert clear_leftovers(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_one_that_fails_goes_too(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), WorkDir(str(tmp_path)):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_gone_already_is_no_fault(tmp_path: Path) -> None:
    with WorkDir(str(tmp_path)) as room:
        os.rmdir(room.path)


def test_one_that_is_kept_is_no_leftover(tmp_path: Path) -> None:
    with WorkDir(str(tmp_path)) as room:
        kept = room.keep()
    assert clear_leftovers(str(tmp_path)) == []
    assert [str(path) for path in tmp_path.iterdir()] == [kept]


def test_what_is_left_is_cleared(tmp_path: Path) -> None:
    left = abandoned(tmp_path)
    (left / "data").mkdir()
    (tmp_path / "another").mkdir()
    assert clear_leftovers(str(tmp_path)) == [str(left)]
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_a_process_is_ended_only_when_it_is_the_one(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = identity_of(process.pid)
        assert identity is not None
        pid, start, boot = identity.split()
        (abandoned(tmp_path) / NOTE).write_text(f"{pid} {int(start) + 1} {boot}")
        assert len(clear_leftovers(str(tmp_path))) == 1
        assert process.poll() is None
        (abandoned(tmp_path) / NOTE).write_text(identity)
        assert len(clear_leftovers(str(tmp_path))) == 1
        assert process.wait(10) == -9


def test_identities() -> None:
    assert identity_of(os.getpid()) == identity_of(os.getpid())
    assert identity_of(os.getpid()) != identity_of(os.getppid())
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        # It waits for us to take note of its end.
        assert identity_of(process.pid) is None
    assert identity_of(process.pid) is None


def test_a_directory_that_is_open_to_others_is_not_looked_into(tmp_path: Path) -> None:
    left = abandoned(tmp_path)
    left.chmod(0o750)
    assert clear_leftovers(str(tmp_path)) == []


def test_short_paths(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 110)
    deep.mkdir()
    with WorkDir(str(deep)) as room:
        short = room.short("a.sock")
        assert len(short) < 108
        room.write("a.sock", "x")
        assert Path(short).read_text() == "x"


def test_where_nothing_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="create a directory"):
        WorkDir(str(tmp_path / "nowhere"))
    with pytest.raises(FileError, match="look into"):
        clear_leftovers(str(tmp_path / "nowhere"))
