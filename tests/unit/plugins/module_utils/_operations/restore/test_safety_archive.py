# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a safety archive: where it is, and what is left of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.states import kv
from support.targets import target_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.safety_archive import (
    publish,
    safety_file,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.sides import RestoreRequest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import read_manifest


def test_without_a_directory_there_is_no_file() -> None:
    with safety_file(None, check=False) as partial:
        assert partial is None


def test_check_mode_makes_nothing(tmp_path: Path) -> None:
    with safety_file(str(tmp_path / "new" / "deep"), check=True) as partial:
        assert partial is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_published_leaves_no_file_and_no_new_directory(tmp_path: Path) -> None:
    with safety_file(str(tmp_path / "new" / "deep"), check=False) as partial:
        assert partial is not None
        assert (tmp_path / "new" / "deep").stat().st_mode & 0o777 == 0o700
        partial.write(b"half")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_was_there_stays(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), safety_file(str(tmp_path), check=False):
        raise ZeroDivisionError
    assert tmp_path.is_dir()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check", [False, True])
def test_a_directory_below_a_file_can_not_be_used(tmp_path: Path, check: bool) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError), safety_file(str(tmp_path / "file" / "below"), check=check):
        raise AssertionError("nothing can be put there")


def test_it_is_published_with_its_manifest_under_the_users_name(tmp_path: Path) -> None:
    request = RestoreRequest("/a.snap", None, str(tmp_path / "new"), (), 60, cluster="production")
    target = target_of([kv("precious", b"")])
    assert target.capture is not None
    with safety_file(request.backup_dir, check=False) as partial:
        assert partial is not None
        partial.write(b"the bytes")
        path = publish(partial, request, target, target.capture)
    assert Path(path).read_bytes() == b"the bytes"
    manifest = read_manifest(path)
    assert manifest is not None
    assert (manifest.cluster.name, manifest.cluster.datacenter) == ("production", "dc1")
    assert manifest.user_records == {"KVS": 1}
