# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules in a real play: one connection for all of them, check and diff mode, and results as documented."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.documented import faults_of
from support.modules import interpreter
from support.playbooks import Ansible, connection
from support.scene import archives_in, contents

from lab import Cluster, binaries
from lab.comparison import compare, losses, table
from lab.oracle import observe

pytestmark = [pytest.mark.every_version, pytest.mark.parametrize("version", [binaries.NEW], indirect=True)]

PREFIX = "disaster_recovery.consul."


def task(module: str, name: str, **options: Any) -> dict[str, Any]:
    """A task whose result is kept under a name."""
    return {"name": name, PREFIX + module: options, "register": name}


def kept(tasks: list[dict[str, Any]], path: Path) -> dict[str, Any]:
    """A task that writes down all results, in check mode too."""
    names = [one["register"] for one in tasks]
    pairs = ", ".join(f"'{name}': {name}" for name in names)
    copy = {"dest": str(path), "content": "{{ {" + pairs + "} | to_json }}", "mode": "0600"}
    return {"name": "keep", "ansible.builtin.copy": copy, "check_mode": False, "changed_when": False, "diff": False}


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    directory = tmp_path / "backups"
    directory.mkdir()
    return directory


@pytest.fixture
def ansible(tmp_path: Path) -> Ansible:
    directory = tmp_path / "ansible"
    directory.mkdir()
    return Ansible(directory, [])


def test_check_run_again(golden: Any, fresh: Callable[..., Cluster], ansible: Ansible, backups: Path) -> None:
    target = fresh()
    tasks = [
        task("cluster_info", "looked"),
        task("snapshot_restore", "restored", src=str(golden.path)),
        task("snapshot_save", "saved", dest=f"{backups}/"),
        task("snapshot_info", "described", path=str(golden.path), kv_depth=1),
    ]
    results = backups.parent / "results.json"
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        # Said once: no task names an address or a token.
        "module_defaults": {f"group/{PREFIX}consul": connection(target.servers[0], target.tokens.initial_management)},
        "tasks": [*tasks, kept(tasks, results)],
    }
    playbook = ansible.playbook(play)
    python = {"ansible_python_interpreter": interpreter()}

    played = ansible.ok(playbook, None, check=True, options=["--diff"], **python)
    told = json.loads(results.read_text())
    assert played.changed == 2
    assert {name: one["changed"] for name, one in told.items()} == {
        "looked": False, "saved": True, "restored": True, "described": False,
    }  # fmt: skip
    assert contents(backups) == {}
    assert observe(target)["kv"] == {}
    # A diff in metadata is shown, a value never is.
    assert '"KVS"' in played.output
    assert_documented(tasks, told)

    played = ansible.ok(playbook, None, options=["--diff"], **python)
    told = json.loads(results.read_text())
    assert played.changed == 2
    assert len(archives_in(backups)) == 2
    assert told["looked"]["datacenter"] == "dc1"
    assert told["described"]["records"]["KVS"]["count"] == len(golden.seen["kv"])
    assert told["restored"]["proof"]["equal"]
    rows = compare(golden.seen, observe(target))
    assert not losses(rows), table(rows)
    assert_documented(tasks, told)

    before = contents(backups)
    assert ansible.ok(playbook, None, **python).changed == 0
    assert archives_in(backups) == before


def assert_documented(tasks: list[dict[str, Any]], told: dict[str, dict[str, Any]]) -> None:
    modules = {one["register"]: next(name for name in one if name.startswith(PREFIX)) for one in tasks}
    for name, result in told.items():
        assert faults_of(modules[name].removeprefix(PREFIX), result) == []
