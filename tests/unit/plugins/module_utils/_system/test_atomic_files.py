# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local files: directories whose file system does not sync them, and advice that fits what was being done."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import (
    AtomicFile,
    open_archive,
    remove_leftovers,
    require_directory,
    stamp_of,
    sync_directory,
    write_private,
)


@pytest.mark.parametrize("directory", ["/proc", "/sys"])
def test_a_file_system_that_does_not_sync_directories_is_no_failure(directory: str) -> None:
    # These answer EINVAL, as CIFS and some FUSE file systems do.
    if not Path(directory).is_dir():
        pytest.skip("not here")
    sync_directory(directory)


def test_a_directory_that_is_not_there_is_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        sync_directory(str(tmp_path / "missing"))


def test_a_source_is_not_to_be_created(tmp_path: Path) -> None:
    for read in (open_archive, stamp_of):
        with pytest.raises(FileError, match="No such file") as caught:
            read(str(tmp_path / "missing"))
        assert caught.value.hint == "Correct the path."
    with pytest.raises(FileError) as caught:
        open_archive(str(tmp_path))
    assert "directory" in caught.value.hint


def test_a_place_for_archives_is(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        require_directory(str(tmp_path / "missing"))
    assert "Create it" in caught.value.hint


def test_what_is_not_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    pipe, door = tmp_path / "pipe", tmp_path / "door"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(door))
        for path in (pipe, door, Path("/dev/null")):
            with pytest.raises(FileError) as caught:
                open_archive(str(path))
            assert str(path) in caught.value.message


def test_a_link_in_the_place_of_a_file_is_replaced_and_hands_nothing_on(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "a.manifest.json"
    target.write_bytes(b"precious")
    target.chmod(0o666)
    link.symlink_to(target)
    write_private(str(link), b"new", like=str(link))
    assert not link.is_symlink()
    assert link.read_bytes() == b"new"
    assert link.stat().st_mode & 0o777 == 0o600
    assert target.read_bytes() == b"precious"


def test_leftovers_that_somebody_else_laid_out_lead_nowhere(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    (tmp_path / ".snapshot-x.partial").symlink_to(target)
    os.mkfifo(tmp_path / ".snapshot-y.partial")
    remove_leftovers(str(tmp_path))
    assert target.read_bytes() == b"precious"


def test_a_new_file_is_no_leftover_in_any_moment(tmp_path: Path) -> None:
    # Two that clear up all the time, as saves into one directory do when they begin.
    done = threading.Event()

    def clear_up() -> None:
        while not done.is_set():
            remove_leftovers(str(tmp_path))

    clearing = [threading.Thread(target=clear_up) for _number in range(2)]
    for one in clearing:
        one.start()
    try:
        for number in range(500):
            with AtomicFile(str(tmp_path)) as partial:
                partial.write(b"x")
                partial.publish(str(tmp_path / f"{number:03}"))
    finally:
        done.set()
        for one in clearing:
            one.join()
    assert len(os.listdir(tmp_path)) == 500


def test_a_new_file_is_private_from_its_first_byte_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with AtomicFile(str(tmp_path)) as partial:
            assert Path(partial.path).stat().st_mode & 0o777 == 0o600
            partial.write(b"x")
            partial.publish(str(tmp_path / "x"))
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_what_is_wrong_with_a_file_can_be_shown_on_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        open_archive(str(tmp_path / "\x1b[2J\n\u202e.snap"))
    assert caught.value.as_text().isprintable()
    assert r"\x1b[2J\n\u202e.snap" in caught.value.as_text()
