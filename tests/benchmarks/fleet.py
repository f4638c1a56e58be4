# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of many clusters: a playbook with ``snapshot_save``, the same with ``consul``'s command, the role."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from support.playbooks import Ansible, connection

from benchmarks.measure import Pair, Run
from benchmarks.scenes import row
from lab import Cluster

SERVERS = 20
"""Clusters at most, each on a server of its own: two names of one server would be one cluster."""
FORKS = 4
RUNS = 2
TIMEOUT = 1800.0

COMMAND = {
    "name": "Save",
    "ansible.builtin.command": {"argv": ["{{ binary }}", "snapshot", "save", "{{ backup_dir }}/consul.snap"]},
    "environment": "{{ consul_environment }}",
}
DIRECTORY = {
    "name": "Create the directory",
    "ansible.builtin.file": {"path": "{{ backup_dir }}", "state": "directory", "mode": "0700"},
}
MODULE = {
    "name": "Save",
    "disaster_recovery.consul.snapshot_save": {"dest": "{{ backup_dir }}/", "create_directory": True},
    "module_defaults": {"disaster_recovery.consul.snapshot_save": "{{ backup_connection }}"},
}
BY_COMMAND, BY_MODULE = [DIRECTORY, COMMAND], [MODULE]
"""What one writes by hand; the module creates the directory itself."""


def playbook_with(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a play of these tasks."""
    return {"name": "Back up each Consul cluster", "hosts": "consul", "gather_facts": False, "tasks": tasks}


def backing_up(directory: Path, clusters: int) -> list[dict[str, Any]]:
    """Back up so many clusters (``SERVERS`` at most), each into a directory of its own that is new each time."""
    clusters = min(clusters, SERVERS)
    servers = [
        Cluster(directory / f"server-{number}", servers=1, name_prefix=f"many-{number}") for number in range(clusters)
    ]
    print(f"{len(servers)} more servers, for the backup of {clusters} clusters …", flush=True)
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_ready()
            server.http("PUT", "/v1/kv/some/key", data="and its value", check=True)
        module, role = _measured(directory, servers, [_token(server) for server in servers], clusters)
    finally:
        for server in servers:
            server.stop()
    beside = "file, command: consul snapshot save"
    return [
        row(f"playbook, {clusters} clusters", beside, 1.10, module),
        row("the role backup, likewise", beside, 1.15, role),
    ]


def _token(cluster: Cluster) -> str:
    """A token that may save, and not much else."""
    policy = cluster.put(
        "/v1/acl/policy", {"Name": "save", "Rules": 'acl = "write"\nagent_prefix "" { policy = "read" }'}
    )
    return str(cluster.put("/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]})["SecretID"])


def _measured(directory: Path, servers: list[Cluster], tokens: list[str], clusters: int) -> tuple[Pair, Pair]:
    ansible = Ansible(directory, [*tokens, *(one.tokens.initial_management for one in servers)], timeout=TIMEOUT)
    hosts = {
        f"cluster-{number:03}": {
            "backup_connection": connection(server.servers[0], token),
            "consul_environment": server.env(),
        }
        for number, (server, token) in enumerate(zip(servers, tokens, strict=True))
    }
    kept = directory / "kept"
    inventory = ansible.inventory(
        hosts, backup_dir=f"{kept}/{{{{ inventory_hostname }}}}", binary=str(servers[0].binary)
    )

    def run(playbook: Path | str) -> Run:
        began = time.monotonic()
        ansible.ok(playbook, inventory, options=["--forks", str(FORKS)])
        seconds = time.monotonic() - began
        saved = len(list(kept.glob("*/*.snap")))
        shutil.rmtree(kept)
        if saved != clusters:
            raise RuntimeError(f"{saved} archives of {clusters} clusters")
        return Run(seconds, 0)

    plain, module = (ansible.playbook(playbook_with(tasks)) for tasks in (BY_COMMAND, BY_MODULE))
    runs = [(run(module), run(plain), run("backup")) for _round in range(RUNS)]
    modules, plains, roles = ([one[which] for one in runs] for which in range(3))
    return Pair(modules, plains), Pair(roles, plains)
