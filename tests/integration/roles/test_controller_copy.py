# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy on the controller of an archive that is confirmed night after night."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from support.playbooks import Ansible, hosts_of

from lab import Cluster

MONTHS = 90 * 86_400


def aged(directory: Path) -> None:
    """Make all files of a directory look old."""
    then = time.time() - MONTHS
    for path in directory.iterdir():
        os.utime(path, (then, then))


def old(*directories: Path) -> list[str]:
    """What a clean-up of old files would take."""
    command = ["find", *map(str, directories), "-type", "f", "-mtime", "+30"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_a_confirmed_archive_is_not_old_anywhere(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    vault.mkdir()
    inventory = ansible.inventory(
        hosts_of(three, count=1),
        ansible_connection="elsewhere",
        elsewhere_hidden=str(vault),
        backup_cluster="three",
        backup_dir=str(kept),
        backup_fetch_to=str(vault),
    )
    ansible.ok("backup", inventory)
    aged(kept)
    aged(vault / "three")
    assert len(old(kept, vault / "three")) == 4
    checked = ansible.ok("backup", inventory, check=True)
    assert not checked.changed
    assert len(old(kept, vault / "three")) == 4
    assert not ansible.ok("backup", inventory).changed
    assert old(kept, vault / "three") == []
