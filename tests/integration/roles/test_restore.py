# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role restore and its playbook: judged by what the oracle sees in the cluster afterwards."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
from support.answers import after, first_really, says
from support.faults import FaultServer
from support.playbooks import Ansible, hosts_of
from support.scene import RESTORE
from support.waiting import wait_until

from lab import Cluster, compare, losses, observe


@pytest.mark.every_version
def test_check_run_again_check(ansible: Ansible, golden: Any, three: Cluster, fresh: Cluster, tmp_path: Path) -> None:
    controller, scratch = tmp_path / "controller", tmp_path / "scratch"
    for directory in (controller, scratch):
        directory.mkdir()
    src = Path(shutil.copy(golden.archive, controller))
    shutil.copy(f"{golden.archive}.manifest.json", controller)
    refusing = {"backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}}
    inventory = ansible.inventory(
        {"refusing": refusing, **hosts_of(fresh)},
        ansible_connection="elsewhere",
        elsewhere_hidden=str(controller),
        restore_cluster="fresh",
        restore_src=str(src),
        restore_tmp_dir=str(scratch),
    )

    told = "fresh: refused, nothing was sent. Not all hosts of the cluster answer"
    ansible.fails(
        "restore", inventory, told, "refusing: the connection was refused", "add unhealthy_target", check=True
    )

    checked = ansible.ok("restore", inventory, check=True, restore_accept_risks="unhealthy_target")
    assert checked.changed
    assert checked.says("fresh: going on without refusing: ")
    assert checked.says(f"fresh: would be restored from {src}")
    assert losses(compare(golden.seen, observe(fresh)))

    restored = ansible.ok("restore", inventory, restore_accept_risks="unhealthy_target")
    assert restored.changed
    assert restored.says("the cluster is fresh")
    assert restored.says("all equal. dc1: Consul 1.22.7, 1 of 1 voters alive, healthy")
    assert restored.says("Restart clients that hold a blocking-query index from before the restore (consul-template")
    # The safety archive of a target that is no longer fresh would bear its name, and this one was saved for another.
    assert restored.says("To know: the archive was saved for the cluster three, and the target is fresh")
    gone = ", ".join(sorted(server.name for server in three.servers))
    assert restored.says(f"Servers of the archive's cluster, which leave the catalog: {gone}")
    assert restored.says("If an agent logs 'ACL not found'")
    assert losses(compare(golden.seen, observe(fresh))) == []

    again = ansible.ok("restore", inventory, restore_accept_risks="unhealthy_target")
    assert not again.changed, again.output
    assert again.says(f"fresh: left as it is, {src}")
    assert not ansible.ok("restore", inventory, check=True, restore_accept_risks="unhealthy_target").changed
    assert list(scratch.iterdir()) == []


def test_content_is_replaced_when_that_risk_is_taken(
    ansible: Ansible, golden: Any, fresh: Cluster, tmp_path: Path
) -> None:
    fresh.put("/v1/kv/precious", "do not lose me")
    replaced = tmp_path / "replaced"
    inventory = ansible.inventory(
        hosts_of(fresh), restore_src=str(golden.archive), restore_src_on="target", restore_backup_dir=str(replaced)
    )
    ansible.fails(
        "restore",
        inventory,
        "fresh: the cluster holds content (1 KVS)",
        "replace_content",
        "in this role, accept_risks is restore_accept_risks",
    )
    assert not replaced.exists()

    risk = {"restore_accept_risks": ["replace_content"]}
    assert ansible.ok("restore", inventory, check=True, **risk).changed
    assert not replaced.exists()
    assert fresh.http("GET", "/v1/kv/precious").status_code == 200

    played = ansible.ok("restore", inventory, **risk)
    (safety,) = replaced.glob("*.snap")
    assert played.says(f"What it held before is in {safety}")
    assert stat.S_IMODE(replaced.stat().st_mode) == 0o700
    manifest = json.loads(safety.with_name(f"{safety.name}.manifest.json").read_bytes())
    assert manifest["cluster"]["name"] == fresh.servers[0].name
    assert losses(compare(golden.seen, observe(fresh))) == []
    assert fresh.http("GET", "/v1/kv/precious").status_code == 404

    fresh.cli("snapshot", "restore", safety)
    fresh.wait_ready()
    assert fresh.http("GET", "/v1/kv/precious").status_code == 200


@pytest.mark.nightly
def test_the_token_for_afterwards(ansible: Ansible, three: Cluster, golden: Any, tmp_path: Path) -> None:
    with Cluster(tmp_path / "stranger", servers=1, name_prefix="stranger") as stranger:
        policy = stranger.put("/v1/acl/policy", {"Name": "all", "Rules": 'acl = "write"\noperator = "read"'})
        token = stranger.put("/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]})["SecretID"]
        told: dict[str, Any] = {
            "restore_src": str(golden.archive),
            "restore_accept_risks": ["replace_content"],
            "restore_backup_dir": str(tmp_path / "replaced"),
        }
        without = ansible.inventory(hosts_of(stranger, token=token), **told)
        ansible.fails("restore", without, "nothing was sent", "post_restore_token is restore_post_restore_token")
        told["restore_post_restore_token"] = three.tokens.initial_management
        played = ansible.ok("restore", ansible.inventory(hosts_of(stranger, token=token), **told), verbosity=4)
        assert token not in played.output
        assert played.says("all equal. dc1: Consul 1.22.7, 1 of 1 voters alive, healthy")


def test_what_others_write_meanwhile_is_named(ansible: Ansible, golden: Any, fresh: Cluster) -> None:
    def write() -> None:
        wait_until(lambda: fresh.http("GET", "/v1/acl/token/self").status_code == 200, "the token does not come back")
        fresh.http("PUT", "/v1/kv/live", data=b"x", check=True)

    with FaultServer(fresh.servers[0].address("http")) as server:
        server.on(*RESTORE, first_really(after(write, says(200))))
        hosts = hosts_of(fresh)
        for told in hosts.values():
            told["backup_connection"]["port"] = server.port
        played = ansible.ok("restore", ansible.inventory(hosts), restore_src=str(golden.archive))
    assert played.says(
        "all equal, but for what was written since the restore: KVS (1 added, 0 changed, 0 removed). dc1"
    )


def test_a_damaged_archive_leaves_nothing_behind(ansible: Ansible, golden: Any, fresh: Cluster, tmp_path: Path) -> None:
    controller, scratch = tmp_path / "controller", tmp_path / "scratch"
    for directory in (controller, scratch):
        directory.mkdir()
    src = controller / "cut.snap"
    src.write_bytes(golden.archive.read_bytes()[:-100])
    inventory = ansible.inventory(
        hosts_of(fresh),
        ansible_connection="elsewhere",
        elsewhere_hidden=str(controller),
        restore_src=str(src),
        restore_tmp_dir=str(scratch),
    )
    ansible.fails("restore", inventory, "nothing was sent", "the archive does not verify")
    assert list(scratch.iterdir()) == []


def test_where_it_is_not_clear_which_archive_goes_where(
    ansible: Ansible, golden: Any, three: Cluster, one: Cluster
) -> None:
    two_clusters = ansible.inventory({**hosts_of(three), **hosts_of(one)})
    told = {"restore_src": str(golden.archive)}
    ansible.fails("restore", two_clusters, "role-1: refused", "other-1 would get the same archive", **told)
    two_names = ansible.inventory(hosts_of(three, count=2))
    ansible.fails("restore", two_names, "role-1, role-2 are 2 names of one Consul cluster", **told)
    ansible.fails("restore", two_names, "set restore_src to the absolute path of the archive")
    ansible.fails(
        "restore",
        ansible.inventory(hosts_of(one)),
        "there is no file /nowhere.snap on the controller",
        restore_src="/nowhere.snap",
    )
