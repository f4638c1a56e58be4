# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Local files: directories whose file system does not sync them, and advice that fits what was being done."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._files import (
    open_archive,
    require_directory,
    stamp_of,
    sync_directory,
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
