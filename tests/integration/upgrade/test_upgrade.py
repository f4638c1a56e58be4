# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade, rehearsed before it begins; and the way back from one that went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.playbooks import Ansible, hosts_of

from lab import Cluster, binaries, compare, losses, observe
from lab.oracle import Observation
from lab.seed import seed

from .conftest import blocks

KEYS = 120
CONSUL_TO_COME = "/opt/consul-1.22.7/consul"
KEPT = ("kv", "nodes", "services", "checks", "acl-tokens", "acl-roles", "acl-auth-methods", "acl-binding-rules")


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Cluster]:
    """Three servers of the old version that hold what real clusters hold."""
    with Cluster(tmp_path / "old", version=binaries.OLD, servers=3, name_prefix="old") as cluster:
        seed(cluster, keys=KEYS)
        yield cluster


@pytest.fixture
def ansible(tmp_path: Path) -> Ansible:
    """Runs playbooks."""
    (tmp_path / "ansible").mkdir()
    return Ansible(tmp_path / "ansible", [])


def recipe(ansible: Ansible, binary: str, begun: Path) -> Path:
    """Write the playbook of docs/hooks.md, with this binary; its upgrade notes in a file who was upgraded, in order."""
    (text,) = [block for block in blocks() if "include_role" in block]
    before, upgrade = yaml.safe_load(text)
    assert before["tasks"][0]["vars"] == {"backup_upgrade_consul": CONSUL_TO_COME}
    before["tasks"][0]["vars"] = {"backup_upgrade_consul": binary}
    assert upgrade["tasks"] == []
    note = f"echo {{{{ inventory_hostname }}}} >> {begun}"
    upgrade["tasks"] = [{"ansible.builtin.shell": {"cmd": note}, "tags": ["upgrade"]}]
    return ansible.playbook(before, upgrade)


def upgraded_in(begun: Path) -> list[str]:
    """The hosts that were upgraded, in order."""
    return begun.read_text(encoding="utf-8").split() if begun.exists() else []


def names_of(seen: Observation) -> dict[str, set[str]]:
    """What is there, by name: what a version says of a thing changes from one to the next, its name does not."""
    return {kind: set(seen[kind]) for kind in (*KEPT, "prepared-queries", "intentions", "sessions", "locks")}


def test_there_and_back(old: Cluster, ansible: Ansible, tmp_path: Path) -> None:
    seen = observe(old)
    kit = tmp_path / "kit"
    leader = old.leader()
    assert leader is not None
    # The inventory has the leader first, and hosts have other names than their nodes.
    hosts = {f"host-{name}": told for name, told in hosts_of(old, count=3).items()}
    hosts = {name: hosts[name] for name in sorted(hosts, key=lambda name: name != f"host-{leader.name}")}
    inventory = ansible.inventory(hosts, backup_cluster="old", backup_rollback_dir=str(kit))

    play = recipe(ansible, str(binaries.consul(binaries.NEW)), tmp_path / "begun")
    played = ansible.ok(play, inventory, options=["--tags", "upgrade"])
    followers = [f"host-{server.name}" for server in old.servers if server is not leader]
    assert upgraded_in(tmp_path / "begun") == [*followers, f"host-{leader.name}"]
    assert played.says(f"Consul {binaries.NEW} loads its state, proven in")
    assert played.says(f"Upgrade `{leader.name}` last: it leads.")
    versions = json.loads((kit / "versions.json").read_text(encoding="utf-8"))
    assert (versions["leader"], versions["upgrade_order"]) == (leader.name, upgraded_in(tmp_path / "begun"))
    assert versions["consul_version"] == binaries.OLD
    rehearsed = versions["rehearsed_in"]
    assert rehearsed["consul_version"] == binaries.NEW
    assert "builtin/global-read-only" in rehearsed["changes"]["ACLPolicy"]["names"]["added"]
    assert all(change["equal"] for change in rehearsed["changes"].values())

    old.upgrade(binaries.NEW)
    assert {old.get("/v1/agent/self", server=one)["Config"]["Version"] for one in old.servers} == {binaries.NEW}
    upgraded = observe(old)
    assert upgraded["kv"] == seen["kv"]
    # As it was foretold.
    assert set(upgraded["acl-policies"]) - set(seen["acl-policies"]) == {"builtin/global-read-only"}
    assert names_of(upgraded) == names_of(seen)

    # It went wrong all the same: somebody finds out too late, and the servers are rebuilt in the version of before.
    old.kill()
    (archive,) = kit.glob("*.snap")
    with Cluster(tmp_path / "back", version=binaries.OLD, servers=3, name_prefix="back", tokens=old.tokens) as rebuilt:
        inventory = ansible.inventory(hosts_of(rebuilt), restore_cluster="back", restore_src=str(archive))
        restored = ansible.ok("restore", inventory)
        assert restored.changed
        assert restored.says(f"all equal. dc1: Consul {binaries.OLD}, 3 of 3 voters alive, healthy")
        assert losses(compare(seen, observe(rebuilt))) == []


def test_an_upgrade_that_would_fail_does_not_begin(ansible: Ansible, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    no_consul = tmp_path / "no-consul"
    no_consul.write_text("#!/bin/sh\necho hello\n", encoding="utf-8")
    no_consul.chmod(0o755)
    refused = {
        f"Consul {binaries.OLD} can't read": binaries.consul(binaries.OLD),
        "no-consul is not Consul": no_consul,
        f"there is no program {tmp_path}/nowhere": tmp_path / "nowhere",
    }
    with Cluster(tmp_path / "new", servers=1, name_prefix="new") as cluster:
        seed(cluster, keys=20)
        inventory = ansible.inventory(hosts_of(cluster), backup_dir=str(kept), backup_min_failure_tolerance=0)
        for said, binary in refused.items():
            ansible.fails(recipe(ansible, str(binary), tmp_path / "begun"), inventory, said)
            assert not (tmp_path / "begun").exists() or upgraded_in(tmp_path / "begun") == []
            assert [path for path in kept.rglob("*") if path.is_file()] == []
        ansible.ok(recipe(ansible, str(binaries.consul(binaries.NEW)), tmp_path / "begun"), inventory)
    assert upgraded_in(tmp_path / "begun") == ["new-1"]
    assert [path for path in kept.rglob("*") if path.is_file()] != []


def test_a_server_that_is_no_host_of_the_play_is_named(old: Cluster, ansible: Ansible, tmp_path: Path) -> None:
    """Without it nobody could say that the leader goes last."""
    inventory = ansible.inventory(hosts_of(old, count=2), backup_cluster="old", backup_dir=str(tmp_path / "kept"))
    play = recipe(ansible, str(binaries.consul(binaries.NEW)), tmp_path / "begun")
    ansible.fails(play, inventory, f"No host for {old.servers[2].name}: ")
    assert upgraded_in(tmp_path / "begun") == []
