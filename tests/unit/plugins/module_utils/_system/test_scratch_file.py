# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file without a name: nothing is to be seen of it, and it can be read as often as it takes."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system import scratch_file
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.scratch_file import ScratchFile


@pytest.fixture(params=[False, True], ids=["nameless from the beginning", "where file systems have no such files"])
def older(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    really = os.open

    def refused(path: str, flags: int, *more: Any, **others: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "")
        return really(path, flags, *more, **others)

    if request.param:
        monkeypatch.setattr(scratch_file.os, "open", refused)
    return bool(request.param)


@pytest.mark.usefixtures("older")
def test_it_has_no_name_and_is_read_as_often_as_it_takes(tmp_path: Path) -> None:
    with ScratchFile(str(tmp_path)) as file:
        file.write(b"a secret")
        file.write(b" of the archive")
        assert list(tmp_path.iterdir()) == []
        assert [Path(file.path).read_bytes() for _time in range(2)] == [b"a secret of the archive"] * 2
        status = os.stat(file.path)
        assert (status.st_nlink, status.st_mode & 0o777) == (0, 0o600)
        file.truncate()
        file.write(b"again")
        assert Path(file.path).read_bytes() == b"again"
    assert list(tmp_path.iterdir()) == []
    assert not os.path.exists(file.path) or Path(file.path).read_bytes() != b"again"


def test_it_needs_a_directory(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="can't create a file in"):
        ScratchFile(str(tmp_path / "absent"))


def test_nothing_is_left_of_one_whose_process_was_killed(tmp_path: Path) -> None:
    root = Path(scratch_file.__file__).parents[6]
    code = (
        f"import sys, time; sys.path.insert(0, {str(root)!r})\n"
        f"from {ScratchFile.__module__} import ScratchFile\n"
        f"file = ScratchFile({str(tmp_path)!r}); file.write(b'x' * 4096)\n"
        "print('written', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
