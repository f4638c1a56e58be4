# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How results show the way in which an archive is kept."""

from __future__ import annotations

from pathlib import Path

from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.storing import (
    of_room,
    of_storing,
    storing_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_file import read_archive_file
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import source_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.local_copy import Room
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.trust import INVALID, VALID, Signature
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import digest_of


def test_a_plain_archive_without_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "a.snap"
    path.write_bytes(archive_around(state_of([kv("a", b"1")])))
    digest = digest_of(str(path))
    assert of_storing(read_archive_file(source_of(str(path)))) == {
        "sealed": False,
        "stored": {"size": digest.size, "sha256": digest.sha256},
        "signature": {"status": "absent", "signer": None, "reason": None},
    }


def test_signatures_are_shown_with_their_signer_or_their_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.snap.age"
    path.write_bytes(b"sealed")
    source, digest = source_of(str(path)), digest_of(str(path))
    signed = storing_of(source, digest, Signature(VALID, "ops"))
    assert (signed["sealed"], signed["signature"]) == (True, {"status": "valid", "signer": "ops", "reason": None})
    refused = storing_of(source, digest, Signature(INVALID, reason="it is of another key"))
    assert refused["signature"] == {"status": "invalid", "signer": None, "reason": "it is of another key"}


def test_the_room_of_a_copy() -> None:
    assert of_room(None) == {}
    assert of_room(Room(7, "/tmp")) == {"download": {"bytes": 7, "directory": "/tmp"}}
