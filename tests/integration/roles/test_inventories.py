# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories as they are: become for everything, other strategies, numbers for names, misspelled variables."""

from __future__ import annotations

import getpass
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.playbooks import Ansible, hosts_of

from lab import Cluster, compare, losses, observe

# As sudo is called: options, then a shell and its command.
SUDO = """#!/bin/sh
while [ "${1#-}" != "$1" ] || [ "$1" = "$(id -un)" ]; do shift; done
echo called >> "$LOG"
exec "$@"
"""
# Whoever runs the tests becomes who he is.
SAME_USER = {"ANSIBLE_BECOME_ALLOW_SAME_USER": "true", "ANSIBLE_BECOME_USER": getpass.getuser()}


@pytest.fixture
def become(ansible: Ansible, tmp_path: Path) -> Callable[..., Path]:
    """Writes inventories in which all hosts become, which works on them, and fails on the controller."""
    (tmp_path / "group_vars").mkdir()
    group = {"ansible_become": True, "ansible_become_exe": str(tmp_path / "not-on-the-controller")}
    (tmp_path / "group_vars" / "all.json").write_text(json.dumps(group), encoding="utf-8")
    sudo = tmp_path / "sudo"
    sudo.write_text(SUDO.replace("$LOG", str(tmp_path / "sudo.log")), encoding="utf-8")
    sudo.chmod(0o700)

    def inventory(cluster: Cluster, **told: Any) -> Path:
        hosts = {name: {**one, "ansible_become_exe": str(sudo)} for name, one in hosts_of(cluster).items()}
        return ansible.inventory(hosts, ansible_connection="elsewhere", **told)

    return inventory


@pytest.mark.nightly
def test_become_for_everything(ansible: Ansible, three: Cluster, fresh: Cluster, tmp_path: Path, become: Any) -> None:
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    told = {"backup_cluster": "three", "backup_dir": str(kept), "backup_fetch_to": str(vault)}
    told["backup_textfile"] = str(tmp_path / "consul.prom")
    inventory = become(three, **told)
    assert ansible.ok("backup", inventory, env=SAME_USER).changed
    assert (tmp_path / "sudo.log").exists()
    (archive,) = (vault / "three").glob("*.snap")
    assert Path(f"{archive}.manifest.json").is_file()

    fresh.put("/v1/kv/precious", "do not lose me")
    told = {"restore_src": str(archive), "elsewhere_hidden": str(vault), "restore_accept_risks": "replace_content"}
    told |= {"restore_backup_dir": str(tmp_path / "replaced"), "restore_fetch_to": str(vault)}
    restored = become(fresh, **told)
    played = ansible.ok("restore", restored, env=SAME_USER)
    (safety,) = (tmp_path / "replaced").glob("*.snap")
    copy = vault / "fresh-1" / "replaced" / safety.name
    assert copy.read_bytes() == safety.read_bytes()
    assert Path(f"{copy}.manifest.json").read_bytes() == Path(f"{safety}.manifest.json").read_bytes()
    assert {path.stat().st_mode & 0o7777 for path in (copy, Path(f"{copy}.manifest.json"))} == {0o600}
    assert (tmp_path / "replaced").stat().st_mode & 0o7777 == 0o700
    assert played.says(f"What it held before is in {safety}, and on the controller in {copy}")


@pytest.mark.every_version
def test_what_is_replaced_can_not_be_brought(ansible: Ansible, golden: Any, fresh: Cluster, tmp_path: Path) -> None:
    fresh.put("/v1/kv/precious", "do not lose me")
    (tmp_path / "vault").write_text("no directory", encoding="utf-8")
    told = {"restore_backup_dir": str(tmp_path / "replaced"), "restore_fetch_to": str(tmp_path / "vault")}
    inventory = ansible.inventory(hosts_of(fresh), restore_src=str(golden.archive), **told)
    played = ansible.fails(
        "restore",
        inventory,
        "fresh-1: the cluster is restored and proven, but what it held before could not be brought to",
        "Don't restore again.",
        "Restart clients that hold",
        restore_accept_risks="replace_content",
    )
    (safety,) = (tmp_path / "replaced").glob("*.snap")
    assert played.says(f"It is in {safety} on fresh-1")


@pytest.mark.nightly
@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_other_strategies(ansible: Ansible, three: Cluster, strategy: str, tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\nstrategy = {strategy}\n", encoding="utf-8")
    inventory = ansible.inventory(hosts_of(three, count=2), backup_cluster="three", backup_dir=str(tmp_path / "kept"))
    for role in ("backup", "restore"):
        play = {
            "name": "Without the strategy that the role needs",
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {"name": "The work", "ansible.builtin.include_role": {"name": f"disaster_recovery.consul.{role}"}}
            ],
        }
        said = "set 'strategy: linear' in the play"
        ansible.fails(ansible.playbook(play), inventory, said, restore_src="/a.snap", restore_cluster="three")
    assert not (tmp_path / "kept").exists()
    ansible.ok("backup", inventory)
    assert len(list((tmp_path / "kept").glob("*.snap"))) == 1


@pytest.mark.nightly
def test_numbers_for_names(ansible: Ansible, three: Cluster, fresh: Cluster, tmp_path: Path) -> None:
    told = {"backup_cluster": 7, "backup_dir": str(tmp_path / "kept"), "backup_fetch_to": str(tmp_path / "vault")}
    inventory = ansible.inventory(hosts_of(three, count=2), **told)
    assert ansible.ok("backup", inventory).says("7: kept ")
    assert len(list((tmp_path / "vault" / "7").glob("*.snap"))) == 1
    ansible.ok("pre_upgrade", inventory)
    # What is put there for a name is found under it.
    restored = ansible.inventory(hosts_of(fresh), **told)
    played = ansible.ok("restore", restored, restore_src="newest")
    assert played.says("7: restored from ")


@pytest.mark.nightly
def test_an_odd_working_directory(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    inventory = ansible.inventory(hosts_of(three), backup_dir=str(tmp_path / "kept"))
    for number, pwd in enumerate(("/not/there", "")):
        ansible.ok("backup", inventory, env={"PWD": pwd}, backup_fetch_to=str(tmp_path / f"to-{number}"))
        assert len(list((tmp_path / f"to-{number}" / "role-1").glob("*.snap"))) == 1


@pytest.mark.parametrize(
    ("playbook", "name", "nearest"),
    [
        ("backup", "backup_fetch_too", "backup_fetch_to"),
        ("pre_upgrade", "backup_upgrade_consull", "backup_upgrade_consul"),
        ("restore", "restore_accept_risk", "restore_accept_risks"),
    ],
)
def test_misspelled_variables(
    ansible: Ansible, three: Cluster, playbook: str, name: str, nearest: str, tmp_path: Path
) -> None:
    told = {"backup_cluster": "three", "backup_dir": str(tmp_path / "kept"), "restore_src": "/nowhere.snap", name: "x"}
    inventory = ansible.inventory(hosts_of(three, count=2), **told)
    said = f"{name} is not a variable of this role; {nearest} is."
    played = ansible.fails(
        playbook, inventory, said, "the message of role-1 says why" if playbook != "restore" else said
    )
    assert played.output.count(said) <= 2  # Ansible shows a failure twice: as an error, and in the result.
    assert not (tmp_path / "kept").exists()


def test_names_of_others_are_left_alone(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    told = {"backup_dirs": ["x"], "backup_other_variables": ["backup_dirs"], "backup_retention": 5}
    ansible.ok("backup", ansible.inventory(hosts_of(three), backup_dir=str(tmp_path / "kept"), **told))


def test_part_of_a_cluster_is_said_to_be_one(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    gone = {"backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}}
    hosts = {"gone": gone, **hosts_of(three)}
    inventory = ansible.inventory(hosts, backup_cluster="three", backup_dir=str(tmp_path / "kept"))
    ansible.fails("backup", inventory, "Only the hosts of --limit gone were asked.", options=["--limit", "gone"])
    role = {"name": "The work", "ansible.builtin.include_role": {"name": "disaster_recovery.consul.backup"}}
    play = {"name": "One by one", "hosts": "all", "gather_facts": False, "serial": 1, "tasks": [role]}
    ansible.fails(ansible.playbook(play), inventory, "Only the hosts of this batch were asked, because of serial.")


@pytest.mark.parametrize(
    "name",
    [
        "../three",
        *(
            pytest.param(name, marks=pytest.mark.nightly)
            for name in ("a/b", ".hidden", "-rf", "two\nlines", "end\n", "")
        ),
    ],
)
def test_names_that_no_directory_may_have(ansible: Ansible, three: Cluster, name: str, tmp_path: Path) -> None:
    told = {"backup_dir": str(tmp_path / "kept"), "backup_fetch_to": str(tmp_path / "vault")}
    inventory = ansible.inventory(hosts_of(three), backup_cluster=name, restore_src="/a.snap", **told)
    ansible.fails("backup", inventory, "backup_cluster is also the name of a directory")
    assert not (tmp_path / "vault").exists()
    if name:
        ansible.fails("restore", inventory, "restore_cluster is also the name of a directory")


def test_a_clone_is_another_cluster(
    ansible: Ansible, golden: Any, three: Cluster, fresh: Cluster, tmp_path: Path
) -> None:
    fresh.cli("snapshot", "restore", golden.archive)
    fresh.wait_ready()
    assert losses(compare(golden.seen, observe(fresh))) == []
    told = {"backup_dir": str(tmp_path / "kept" / "{{ backup_cluster }}")}
    hosts = {**hosts_of(three), **hosts_of(fresh)}
    played = ansible.ok("backup", ansible.inventory(hosts, **told))
    assert not played.says("the same Consul cluster")
    assert len(list((tmp_path / "kept").glob("*/*.snap"))) == 2
    said = "The Connect id is the same: one was restored from an archive of the other"
    ansible.fails("backup", ansible.inventory(hosts, backup_cluster="one-name", **told), said, "fresh-1 is of dc1")


@pytest.mark.nightly
def test_the_newest_or_that_of_a_time(
    ansible: Ansible, golden: Any, three: Cluster, one: Cluster, fresh: Cluster, tmp_path: Path
) -> None:
    # The archives of two clusters lie in one directory; the other's is the newest.
    shared = tmp_path / "shared"
    shutil.copytree(golden.archive.parent, shared)
    ansible.ok("backup", ansible.inventory(hosts_of(one)), backup_cluster="other", backup_dir=str(shared))
    assert len(list(shared.glob("*.snap"))) == 2
    inventory = ansible.inventory(hosts_of(fresh), restore_dir=str(shared))
    told = {"restore_cluster": "three", "restore_src": "newest"}
    for where in ("controller", "target"):
        checked = ansible.ok("restore", inventory, check=True, restore_src_on=where, **told)
        assert checked.says(f"three: would be restored from {shared / golden.archive.name} (index ")
    none = 'restore_src is "2001-01-01", and '
    ansible.fails(
        "restore",
        inventory,
        none,
        "no archive of this cluster from then or before",
        **told | {"restore_src": "2001-01-01"},
    )
    ansible.fails("restore", inventory, "is not there", restore_dir="/not/there", **told)
    ansible.fails("restore", inventory, "holds no archive of this cluster", **told | {"restore_cluster": "stranger"})
    assert ansible.ok("restore", inventory, **told).says(f"three: restored from {shared / golden.archive.name}")
    assert losses(compare(golden.seen, observe(fresh))) == []


@pytest.mark.nightly
def test_a_second_run_with_the_token_for_afterwards(
    ansible: Ansible, three: Cluster, golden: Any, start: Callable[..., Cluster], tmp_path: Path
) -> None:
    stranger = start(three.version, servers=1, name_prefix="stranger")
    policy = stranger.put("/v1/acl/policy", {"Name": "all", "Rules": 'acl = "write"\noperator = "read"'})
    token = stranger.put("/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]})["SecretID"]
    inventory = ansible.inventory(
        hosts_of(stranger, token=token),
        restore_src=str(golden.archive),
        restore_accept_risks=["replace_content"],
        restore_backup_dir=str(tmp_path / "replaced"),
        restore_post_restore_token=three.tokens.initial_management,
    )
    assert ansible.ok("restore", inventory).changed
    again = ansible.ok("restore", inventory)
    assert not again.changed, again.output
    assert again.says(f"stranger-1: left as it is, {golden.archive}")


@pytest.mark.nightly
def test_a_file_may_have_a_name_of_the_users_own(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    name = "over the edge;touch x.snap"
    told = {"backup_dest": str(tmp_path / name), "backup_fetch_to": str(tmp_path / "vault")}
    ansible.ok("backup", ansible.inventory(hosts_of(three), **told))
    assert (tmp_path / "vault" / "role-1" / name).is_file()


ODD = ["web one", "web,two", "plain"]


@pytest.mark.parametrize("playbook", ["backup", "pre_upgrade", "rehearse", "restore"])
def test_names_that_ansible_would_take_for_several(playbook: str, tmp_path: Path) -> None:
    """With a space or a comma; a run without hosts ends well, and nobody would notice."""
    ansible = Ansible(tmp_path, ["no secret"])
    inventory = ansible.inventory({name: {} for name in ODD})
    listed = ansible.ok(playbook, inventory, options=["--list-hosts"])
    assert listed.says("hosts (3)")
    assert all(listed.says(f"\n      {name}\n") for name in ODD), listed.output
    # A name like that can't be asked for alone, and that is said.
    ansible.fails(playbook, inventory, "no host of the inventory fits web one", consul_hosts="web one")
    some = ansible.ok(playbook, inventory, options=["--list-hosts"], consul_hosts="plain:nobody")
    assert some.says("hosts (1)")


def test_a_host_with_a_space_in_its_name_is_backed_up(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    (told,) = hosts_of(three).values()
    inventory = ansible.inventory({"web one": told}, backup_dir=str(tmp_path / "kept"))
    ansible.ok("backup", inventory)
    assert len(list((tmp_path / "kept").glob("*.snap"))) == 1


@pytest.mark.every_version
def test_what_one_host_alone_asks_for(ansible: Ansible, three: Cluster, fresh: Cluster, tmp_path: Path) -> None:
    """What no host asks for is skipped once for all. The first host, which stands for all then, asks for nothing."""
    (plain,), (keeps,) = (hosts_of(cluster, count=1).values() for cluster in (fresh, three))
    asked = {"backup_keep_last": 1, "backup_copy_to": [{"path": str(tmp_path / "copies")}]}
    hosts = {"a-plain": {**plain, "backup_cluster": "plain"}, "b-keeps": {**keeps, "backup_cluster": "keeps", **asked}}
    inventory = ansible.inventory(hosts, backup_dir=f"{tmp_path}/{{{{ backup_cluster }}}}")
    for value in ("1", "2"):
        for cluster in (fresh, three):
            cluster.put("/v1/kv/changes", value)
        assert ansible.ok("backup", inventory).changed
    kept = {name: len(list((tmp_path / name).glob("*.snap"))) for name in ("plain", "keeps", "copies")}
    assert kept == {"plain": 2, "keeps": 1, "copies": 1}
