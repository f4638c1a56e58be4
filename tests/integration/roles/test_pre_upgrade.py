# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point pre_upgrade: the gate, and the rollback kit as somebody would use it who has nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
from support.playbooks import Ansible, hosts_of

from lab import Cluster, compare, losses, observe


def commands(text: str, *, of: str) -> list[str]:
    """The shell blocks of one section of a ROLLBACK.md."""
    section = next(part for part in re.split(r"^## ", text, flags=re.MULTILINE) if part.startswith(of))
    return re.findall(r"^```shell\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)


def contents(directory: Path) -> dict[str, bytes]:
    """The files of a kit, which must all be private, as it must be itself."""
    files = sorted(directory.iterdir())
    assert directory.stat().st_mode & 0o7777 == 0o700
    assert {file.stat().st_mode & 0o7777 for file in files} == {0o600}
    return {file.name: file.read_bytes() for file in files}


def wait_until_noticed(cluster: Cluster) -> None:
    """Wait until autopilot holds the cluster for unhealthy, which it answers with a status of 429."""
    for _try in range(300):
        if cluster.http("GET", "/v1/operator/autopilot/health", server=cluster.first_alive()).status_code == 429:
            return
        time.sleep(0.1)
    raise AssertionError("nobody noticed that a server is gone")


@pytest.mark.every_version
def test_check_run_again(ansible: Ansible, three: Cluster, tmp_path: Path, secrets: list[str]) -> None:
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    places = {"backup_dir": str(kept), "backup_fetch_to": str(vault)}
    inventory = ansible.inventory(hosts_of(three), backup_cluster="three", **places)

    checked = ansible.ok("pre_upgrade", inventory, check=True)
    assert checked.changed
    assert checked.says("3 of 3 voters alive")
    assert not kept.exists()
    assert not vault.exists()

    # Nothing of it is shown, not even to the curious.
    played = ansible.ok("pre_upgrade", inventory, verbosity=4)
    assert played.changed
    (kit,) = kept.iterdir()
    assert re.fullmatch(r"rollback-dc1-\d{8}T\d{6}Z", kit.name)
    files = contents(kit)
    archive = next(name for name in files if name.endswith(".snap"))
    assert set(files) == {archive, f"{archive}.manifest.json", "versions.json", "ROLLBACK.md"}
    assert contents(vault / "three" / kit.name) == files
    for name in set(files) - {archive}:
        assert not [secret for secret in secrets if secret.encode() in files[name]], name

    versions = json.loads(files["versions.json"])
    assert versions["servers"] == {server.name: three.version for server in three.servers}
    assert versions["cluster_id"] in (three.trust_domain() or "")
    assert str(versions["raft_index"]) in archive

    assert ansible.ok("pre_upgrade", inventory).changed
    assert len(list(kept.iterdir())) == 2


def test_the_way_back(ansible: Ansible, three: Cluster, fresh: Cluster, tmp_path: Path) -> None:
    seen = observe(three)
    kit = tmp_path / "kit"
    inventory = ansible.inventory(hosts_of(three), backup_cluster="three", backup_rollback_dir=str(kit))
    ansible.ok("pre_upgrade", inventory)
    text = (kit / "ROLLBACK.md").read_text(encoding="utf-8")

    tools = {"PATH": f"{fresh.binary.parent}:/usr/bin:/bin", **fresh.env()}
    (check,) = commands(text, of="1.")
    done = subprocess.run(["sh", "-ec", check], env=tools, capture_output=True, text=True, check=True)
    assert re.search(r"\.snap: OK$", done.stdout, re.MULTILINE)
    _token, restore, playbook = commands(text, of="4.")
    assert f"-i {inventory}" in playbook
    subprocess.run(["sh", "-ec", restore], env=tools, capture_output=True, check=True)
    fresh.wait_ready()
    assert losses(compare(seen, observe(fresh))) == []

    # The kit that may be the only way back is not replaced, and the gate says so before anything is taken.
    ansible.fails("pre_upgrade", inventory, f"{kit} is there already")


def test_the_gate_stops_the_upgrade_everywhere(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    # A server that autopilot has taken out of raft would be missed by nobody but the failure tolerance.
    stays = {"autopilot": {"cleanup_dead_servers": False}}
    with Cluster(tmp_path / "broken", servers=3, name_prefix="broken", extra_config=stays) as cluster:
        hosts = hosts_of(cluster, count=2)
        cluster.servers[2].kill()
        upgrade = {
            "name": "Upgrade",
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.include_role": {
                        "name": "disaster_recovery.consul.backup",
                        "tasks_from": "pre_upgrade",
                    }
                },
                {"name": "Upgrade the server", "ansible.builtin.debug": {"msg": "upgrading"}},
            ],
        }
        inventory = ansible.inventory(hosts, backup_cluster="broken", backup_dir=str(tmp_path / "kept"))
        wait_until_noticed(cluster)
        played = ansible.fails(
            ansible.playbook(upgrade),
            inventory,
            "broken: don't upgrade now. 2 of 3 voters are alive, missing: broken-3; ",
            "autopilot holds the cluster for unhealthy",
            "the cluster may lose 0 servers, and backup_min_failure_tolerance asks for 1",
        )
        assert not played.says("Upgrade the server")
        assert {host for host, counts in played.recap.items() if counts["failed"]} == set(hosts)
        assert not (tmp_path / "kept").exists()


def test_one_server_is_enough_when_that_is_said(ansible: Ansible, one: Cluster, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    inventory = ansible.inventory(hosts_of(one), backup_dir=str(kept))
    ansible.fails("pre_upgrade", inventory, "(set 0 for a cluster of one server)")
    assert one.http("PUT", "/v1/kv/kept", data="in the kit").status_code == 200
    assert ansible.ok("pre_upgrade", inventory, backup_min_failure_tolerance=0).changed
    (archive,) = kept.glob("rollback-*/*.snap")

    with Cluster(tmp_path / "old", version=one.version, servers=1, name_prefix="old", tokens=one.tokens) as cluster:
        inventory = ansible.inventory(hosts_of(cluster))
        assert ansible.ok("restore", inventory, restore_src=str(archive), restore_src_on="target").changed
        assert cluster.http("GET", "/v1/kv/kept?raw").text == "in the kit"
