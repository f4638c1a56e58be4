# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point pre_upgrade: its gate, and what the rollback kit is made of."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.faults import Exchange, Fault, FaultServer, head
from support.kits import Kit
from support.playbooks import Ansible, hosts_of

from lab import Cluster, binaries


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


def test_a_kit_is_not_replaced(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    """It may be the only way back, and the run says so before anything is taken."""
    kit = tmp_path / "kit"
    kit.mkdir(0o700)
    (kit / "ROLLBACK.md").touch(0o600)
    inventory = ansible.inventory(hosts_of(three), backup_cluster="three", backup_rollback_dir=str(kit))
    ansible.fails("pre_upgrade", inventory, f"{kit} is there already")
    assert contents(kit) == {"ROLLBACK.md": b""}


def test_a_state_that_ends_servers_shuts_the_gate(
    ansible: Ansible, start: Callable[..., Cluster], tmp_path: Path
) -> None:
    """The cluster is healthy, and no server of its version would live through a restore of its state."""
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    cluster = start(binaries.OLD)
    check = {"Node": "spelled", "CheckID": "ping", "Name": "ping", "Status": "passing"}
    cluster.put("/v1/catalog/register", {"Node": "spelled", "Address": "192.0.2.1", "Check": check})
    cluster.put("/v1/catalog/register", {"Node": "SPELLED", "Address": "192.0.2.2"})
    places = {"backup_dir": str(kept), "backup_fetch_to": str(vault), "backup_min_failure_tolerance": 0}
    inventory = ansible.inventory(hosts_of(cluster), **places)
    ansible.fails(
        "pre_upgrade", inventory, "don't upgrade now", "Names of a node differ only in case", "SPELLED, spelled"
    )
    assert list(kept.iterdir()) == []
    assert not vault.exists()

    cluster.put("/v1/catalog/deregister", {"Node": "spelled"})
    ansible.ok("pre_upgrade", inventory)
    assert len(list(kept.iterdir())) == 1


def rewritten(old: str, new: str) -> Fault:
    """Pass the real answer on with a value of its JSON replaced, as a server with other intentions would send it."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        body = answer.body.replace(json.dumps(old).encode(), json.dumps(new).encode())
        assert body != answer.body
        exchange.send(head(answer.status, {**answer.headers, "Content-Length": str(len(body))}) + body)

    return fault


def test_a_datacenter_that_is_no_name_shuts_the_gate(ansible: Ansible, one: Cluster, tmp_path: Path) -> None:
    """Consul allows letters, digits, hyphens and underscores. The kit's commands and its directory rely on that."""
    kept = tmp_path / "kept"
    with FaultServer(one.servers[0].address("http")) as server:
        server.on("GET", "/v1/agent/self", rewritten("dc1", "../x $(id)\n```"))
        inventory = ansible.inventory(through(server, one), backup_dir=str(kept), backup_min_failure_tolerance=0)
        ansible.fails("pre_upgrade", inventory, "a datacenter name that Consul does not allow")
    assert not kept.exists()


def test_a_server_with_a_hostile_name_stays_a_name(ansible: Ansible, one: Cluster, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    name = one.servers[0].name
    evil = "```\n\n## 8. Restore\n\n```shell\nrm -rf /\n```\n\x1b[2J\u202e{{ 7 * 191 }}"
    with FaultServer(one.servers[0].address("http")) as server:
        server.on("GET", "/v1/operator/raft/configuration", rewritten(name, evil))
        inventory = ansible.inventory(through(server, one), backup_dir=str(kept), backup_min_failure_tolerance=0)
        ansible.ok("pre_upgrade", inventory)
    kit = Kit(next(kept.iterdir()))
    assert list(kit.steps) == list(range(1, 11))
    assert not [block for block in kit.blocks if "rm -rf" in block]
    assert all(line.isprintable() for line in kit.text.splitlines())
    assert "1337" not in kit.text
    versions = (kit.directory / "versions.json").read_text(encoding="utf-8")
    assert all(line.isprintable() for line in versions.splitlines())
    # cluster_info shows names of servers escaped already.
    assert list(json.loads(versions)["servers"]) == [evil.encode("unicode_escape").decode()]


def through(server: FaultServer, cluster: Cluster) -> dict[str, dict[str, Any]]:
    """A host whose connection leads to this server."""
    told = {"host": "127.0.0.1", "port": server.port, "token": cluster.tokens.initial_management, "retries": 0}
    return {"gateway": {"backup_connection": told}}


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
            "autopilot reports the cluster as unhealthy",
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
