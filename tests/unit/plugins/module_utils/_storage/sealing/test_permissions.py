# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of keys that others can read or change."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.sealing.permissions import (
    remarks_on_files,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings

FILES = ["identity_file", "recipients_file", "allowed_signers", "revoked_signers"]


def remarks(tmp_path: Path, name: str, mode: int) -> list[str]:
    path = tmp_path / name
    path.write_text("content\n", encoding="utf-8")
    path.chmod(mode)
    return remarks_on_files(SealingSettings(**{name: str(path)}))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read(mode: int, tmp_path: Path) -> None:
    (remark,) = remarks(tmp_path, "identity_file", mode)
    assert f"(mode {mode:04o})" in remark
    assert remark.endswith(f"Run: chmod 600 {tmp_path}/identity_file")


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
@pytest.mark.parametrize("name", FILES[1:])
def test_a_file_of_keys_that_others_can_change(name: str, mode: int, tmp_path: Path) -> None:
    (remark,) = remarks(tmp_path, name, mode)
    assert remark.endswith(f"Run: chmod go-w {tmp_path}/{name}")


@pytest.mark.parametrize(("name", "mode"), [("identity_file", 0o600), *((name, 0o644) for name in FILES[1:])])
def test_files_as_they_should_be(name: str, mode: int, tmp_path: Path) -> None:
    assert remarks(tmp_path, name, mode) == []


def test_files_that_are_not_there_are_left_to_whoever_uses_them(tmp_path: Path) -> None:
    assert remarks_on_files(SealingSettings(**{name: str(tmp_path / "none") for name in FILES})) == []
    assert remarks_on_files(SealingSettings()) == []
