# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a Consul program. The programs are scripts: what matters is what they print."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import BinaryError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox.binary import (
    Binary,
    find_binary,
    version_in,
)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Consul v1.22.7\nBuild Date 1970\n", "1.22.7"),
        ("Consul v1.8.7\nProtocol 2", "1.8.7"),
        ("Consul v1.22.7+ent\n", "1.22.7+ent"),
        ("Consul v1.9.0-rc1", "1.9.0-rc1"),
        ("Consul v1.8.7+dfsg1", "1.8.7+dfsg1"),
        ("Vault v1.15.0", None),
        ("my Consul v1.22.7", None),
        ("Consul v1.22.7 or so", None),
        ("hello\nConsul v1.22.7", None),
        ("Consul v1", None),
        ("", None),
    ],
)
def test_versions(text: str, version: str | None) -> None:
    assert version_in(text) == version


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!{shutil.which('sh')}\n{text}\n")
    path.chmod(0o755)
    return path


def test_found_by_path_and_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path / "a-consul", "[ $1 = version ] && echo 'Consul v1.22.7'")
    assert find_binary(str(path)) == Binary(str(path), "1.22.7")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary("a-consul") == Binary(str(path), "1.22.7")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no program "),
        ("echo 'Vault v1.15.0'", "is not Consul"),
        ("echo 'Consul v1.22.7'; exit 3", "is not Consul"),
        ("while :; do echo 'Consul v1.22.7'; done", "is not Consul"),
    ],
)
def test_what_is_not_consul(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "consul"
    if text is not None:
        program(path, text)
    with pytest.raises(BinaryError, match=words) as raised:
        find_binary(str(path))
    assert "consul_binary" in raised.value.hint
