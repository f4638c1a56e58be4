# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade, rehearsed before it begins; and the way back from one that went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.playbooks import Ansible, hosts_of

from lab import Cluster, binaries, compare, losses, observe
from lab.oracle import Observation
from lab.seed import seed

KEYS = 120
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


def names_of(seen: Observation) -> dict[str, set[str]]:
    """What is there, by name: what a version says of a thing changes from one to the next, its name does not."""
    return {kind: set(seen[kind]) for kind in (*KEPT, "prepared-queries", "intentions", "sessions", "locks")}


def test_there_and_back(old: Cluster, ansible: Ansible, tmp_path: Path) -> None:
    seen = observe(old)
    kit = tmp_path / "kit"
    inventory = ansible.inventory(hosts_of(old), backup_cluster="old", backup_rollback_dir=str(kit))

    played = ansible.ok("pre_upgrade", inventory, backup_upgrade_consul=str(binaries.consul(binaries.NEW)))
    assert played.says(f"Consul {binaries.NEW} loads its state, proven in")
    versions = json.loads((kit / "versions.json").read_text(encoding="utf-8"))
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
    with Cluster(tmp_path / "new", servers=1, name_prefix="new") as cluster:
        seed(cluster, keys=20)
        inventory = ansible.inventory(hosts_of(cluster), backup_dir=str(kept), backup_min_failure_tolerance=0)
        for binary, words in (
            (binaries.consul(binaries.OLD), f"Consul {binaries.OLD} can't read"),
            (no_consul, "is not Consul"),
            (tmp_path / "nowhere", "nowhere"),
        ):
            ansible.fails("pre_upgrade", inventory, words, backup_upgrade_consul=str(binary))
            assert list(kept.iterdir()) == []
        assert ansible.ok("pre_upgrade", inventory, backup_upgrade_consul=str(cluster.binary)).changed
