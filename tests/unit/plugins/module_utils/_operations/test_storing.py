# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How results show the way in which an archive is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.storing import (
    of_room,
    of_storing,
    shortly,
    storing_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_file import read_archive_file
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import source_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.local_copy import Room
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    MATCHES,
    STALE,
    ManifestMatch,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.trust import (
    INVALID,
    UNCHECKED,
    VALID,
    Signature,
)

SIGNERS = SealingSettings(allowed_signers="/signers")


def test_a_plain_archive_without_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "a.snap"
    path.write_bytes(archive_around(state_of([kv("a", b"1")])))
    shown = of_storing(read_archive_file(source_of(str(path))))
    assert shown == {"sealed": False, "signed": False, "signed_by": None, "signature_fault": None}
    asked = of_storing(read_archive_file(source_of(str(path), sealing=SIGNERS)))
    assert asked["signature_fault"] == "it has no manifest, so there is nothing that could be signed"


@pytest.mark.parametrize(
    ("status", "signature", "signed_by", "fault"),
    [
        (MATCHES, Signature(VALID, "ops"), "ops", None),
        # It is signed, but says nothing of this archive.
        (STALE, Signature(VALID, "ops"), None, "its manifest is signed, but names another archive"),
        (MATCHES, Signature(INVALID, reason="it is of another key"), None, "it is of another key"),
    ],
)
def test_a_signature_is_shown_with_its_signer_or_its_fault(
    status: str, signature: Signature, signed_by: str | None, fault: str | None
) -> None:
    source = source_of("/b/a.snap.age", sealing=SIGNERS)
    shown = storing_of(source, ManifestMatch(status, None), signature)
    assert shown == {"sealed": True, "signed": True, "signed_by": signed_by, "signature_fault": fault}


def test_what_results_show_of_it_where_a_guard_says_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.snap"
    path.write_bytes(archive_around(state_of([])))
    assert shortly(read_archive_file(source_of(str(path)))) == {"sealed": False, "signed_by": None}


def test_where_nobody_was_named_a_signature_proves_nothing() -> None:
    shown = storing_of(source_of("/b/a.snap"), ManifestMatch(MATCHES, None), Signature(UNCHECKED))
    assert shown == {"sealed": False, "signed": True, "signed_by": None, "signature_fault": None}


def test_the_room_of_a_copy() -> None:
    assert of_room(None) == {}
    assert of_room(Room(7, "/tmp")) == {"download": {"bytes": 7, "directory": "/tmp"}}
