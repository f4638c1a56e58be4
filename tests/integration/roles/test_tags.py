# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles do is done whatever tags are asked for, or the run fails: a gate that was skipped is an open one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.playbooks import Ansible, hosts_of

from lab import Cluster

UPGRADED = {"name": "The upgrade begins", "ansible.builtin.debug": {"msg": "upgrading"}, "tags": ["upgrade"]}


def play(work: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A play that does this work, and then something that must not be done without it."""
    return {
        "name": "First the work, then what counts on it",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [work, UPGRADED],
        **more,
    }


def including(how: str, *, role: str = "backup", **more: Any) -> dict[str, Any]:
    """A task that brings in a role of the collection."""
    return {"name": "The work", f"ansible.builtin.{how}": {"name": f"disaster_recovery.consul.{role}", **more}}


@pytest.mark.parametrize("options", [["--tags", "nightly"], ["--skip-tags", "nightly"], ["--tags", "never-heard-of"]])
def test_the_playbook(ansible: Ansible, three: Cluster, tmp_path: Path, options: list[str]) -> None:
    inventory = ansible.inventory(
        hosts_of(three), backup_dir=str(tmp_path / "kept"), backup_fetch_to=str(tmp_path / "to")
    )
    ansible.ok("backup", inventory, options=options)
    assert len(list((tmp_path / "kept").glob("*.snap"))) == 1
    # What is included from what was included, too.
    assert len(list((tmp_path / "to" / "role-1").glob("*.snap"))) == 1


@pytest.mark.parametrize("playbook", ["backup", "pre_upgrade", "restore", "rehearse"])
@pytest.mark.parametrize(
    "options", [["--skip-tags", "always"], ["--skip-tags", "tagged"], ["--tags", "x", "--skip-tags", "always"]]
)
def test_tags_that_would_skip_a_playbook(ansible: Ansible, three: Cluster, playbook: str, options: list[str]) -> None:
    ansible.fails(
        playbook, ansible.inventory(hosts_of(three)), "would skip all that this playbook does", options=options
    )


@pytest.mark.parametrize("how", ["include_role", "import_role"])
def test_the_gate_of_an_upgrade(ansible: Ansible, three: Cluster, how: str, tmp_path: Path) -> None:
    gate = {**including(how, tasks_from="pre_upgrade"), "tags": ["upgrade"]}
    told = {"backup_dir": str(tmp_path / "kept"), "backup_min_failure_tolerance": 7}
    inventory = ansible.inventory(hosts_of(three), **told)
    played = ansible.fails(ansible.playbook(play(gate)), inventory, "don't upgrade now", options=["--tags", "upgrade"])
    assert not played.says("upgrading")
    ansible.ok(ansible.playbook(play(gate)), inventory, options=["--tags", "upgrade"], backup_min_failure_tolerance=1)
    assert len(list((tmp_path / "kept").glob("rollback-*/ROLLBACK.md"))) == 1


def test_an_import_needs_no_tag(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    gate = including("import_role", tasks_from="pre_upgrade")
    inventory = ansible.inventory(hosts_of(three), backup_dir=str(tmp_path / "kept"), backup_min_failure_tolerance=7)
    played = ansible.fails(ansible.playbook(play(gate)), inventory, "don't upgrade now", options=["--tags", "upgrade"])
    assert not played.says("upgrading")


@pytest.mark.parametrize("role", ["backup", "restore", "rehearsal"])
def test_a_role_of_a_play(ansible: Ansible, three: Cluster, role: str, tmp_path: Path) -> None:
    # Each of them fails in its own words when it runs: there is nothing to be done with what it is told.
    told = {"backup_dir": "no/path", "restore_src": "no/path", "rehearsal_report_dir": "no/path"}
    inventory = ansible.inventory(hosts_of(three), **told)
    plays = {
        "roles": play(UPGRADED, roles=[{"role": f"disaster_recovery.consul.{role}", "tags": ["nightly"]}]),
        "import_role": play(including("import_role", role=role)),
    }
    for one in plays.values():
        played = ansible.fails(ansible.playbook(one), inventory, "no/path", options=["--tags", "upgrade"])
        assert not played.says('"msg": "upgrading"')


@pytest.mark.parametrize("role", ["backup", "restore", "rehearsal"])
@pytest.mark.parametrize("tags", ["always", "tagged"])
def test_a_role_that_would_be_skipped_says_so(ansible: Ansible, three: Cluster, role: str, tags: str) -> None:
    inventory = ansible.inventory(hosts_of(three))
    one = ansible.playbook(play(including("include_role", role=role)))
    played = ansible.fails(one, inventory, f"--skip-tags {tags} would skip all", options=["--skip-tags", tags])
    assert not played.says("upgrading")
