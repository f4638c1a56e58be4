# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest that somebody else wrote: what it says is shown and compared, and leads nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    decode_manifest,
    encode_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import described_by_manifest

from .test_store import manifest_of


@pytest.mark.parametrize("named", ["../../etc/passwd", "/etc/passwd", "other.snap", "", "-rf", "a\x00b", "\x1b[2J\n"])
def test_the_file_that_a_manifest_names_is_not_a_path(tmp_path: Path, named: str) -> None:
    archive, other = tmp_path / "a.snap", tmp_path / "other.snap"
    archive.write_bytes(b"ours")
    other.write_bytes(b"another one")
    document = json.loads(encode_manifest(manifest_of(b"ours")))
    document["archive"]["file"] = named
    Path(manifest_path(str(archive))).write_text(json.dumps(document), encoding="utf-8")
    entry = described_by_manifest(str(archive))
    assert entry is None or entry.path == str(archive)


def test_what_is_wrong_with_one_can_be_shown_on_a_terminal() -> None:
    document = json.loads(encode_manifest(manifest_of(b"ours")))
    document["schema"] = {"\x1b[2J": "\u202e"}
    with pytest.raises(SnapshotError) as caught:
        decode_manifest(json.dumps(document).encode())
    assert caught.value.as_text().isprintable()
