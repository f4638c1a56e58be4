# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sealing takes is found out before there is an archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.imports import imported_by

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.sealing import (
    Sealed,
    prepare_sealing,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import SealingSettings

UTILS = "ansible_collections.disaster_recovery.consul.plugins.module_utils."
UNUSED = ("_storage.sealing.age", "_storage.sealing.signatures", "_snapshot.checks.query_templates")


def test_nothing_is_asked_for() -> None:
    assert prepare_sealing(SealingSettings(identity_file="/k", allowed_signers="/s")) == Sealed()


def test_who_can_not_open_it_is_no_recipient() -> None:
    with pytest.raises(OptionError, match="encrypt_to"):
        prepare_sealing(SealingSettings(recipients=("nobody",)))


def test_a_key_that_is_not_there_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="signing_key"):
        prepare_sealing(SealingSettings(signing_key=str(tmp_path / "absent")))


@pytest.mark.parametrize(("settings", "unused"), [("", UNUSED), ("recipients=('nobody',)", UNUSED[1:])])
def test_a_plain_save_does_not_compile_what_it_has_no_use_for(settings: str, unused: tuple[str, ...]) -> None:
    imported = imported_by(
        "import contextlib",
        f"from {UTILS}_operations.save.run import SealingSettings, prepare_sealing",
        f"from {UTILS}_errors import SnapshotError",
        "with contextlib.suppress(SnapshotError):",
        f"    prepare_sealing(SealingSettings({settings}))",
    )
    assert f"{UTILS}_operations.sealing" in imported
    assert [name for name in UNUSED if UTILS + name not in imported] == list(unused)
