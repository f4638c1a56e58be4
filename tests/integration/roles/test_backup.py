# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role backup and its playbook: what is written where, and that it is written once."""

from __future__ import annotations

import hashlib
import json
import re
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.answers import after, real
from support.faults import FaultServer
from support.playbooks import Ansible, connection, hosts_of

from lab import Cluster


def archives(directory: Path) -> list[Path]:
    """The archives in a directory, each of which must have a manifest that is private, as it must be itself."""
    found = sorted(directory.glob("*.snap"))
    for archive in found:
        manifest = Path(f"{archive}.manifest.json")
        assert {archive.stat().st_mode & 0o7777, manifest.stat().st_mode & 0o7777} == {0o600}
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        assert json.loads(manifest.read_text(encoding="utf-8"))["archive"]["sha256"] == digest
    return found


@pytest.mark.every_version
def test_check_run_again_check(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    inventory = ansible.inventory(hosts_of(three, count=2), backup_cluster="three", backup_dir=str(kept))

    assert ansible.ok("backup", inventory, check=True).changed
    assert not kept.exists()

    first = ansible.ok("backup", inventory)
    assert first.changed
    assert kept.stat().st_mode & 0o7777 == 0o700
    (archive,) = archives(kept)
    three.cli("snapshot", "inspect", archive)
    assert first.says(f"three: kept {archive} on role-1")
    assert first.says("there was no archive of this cluster")

    again = ansible.ok("backup", inventory)
    assert not again.changed, again.output
    assert again.says(f"three: confirmed {archive} on role-1")
    assert again.says("the content is still that of index")
    assert not ansible.ok("backup", inventory, check=True).changed
    assert archives(kept) == [archive]


def test_from_a_server_to_the_controller(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    vault.mkdir()
    inventory = ansible.inventory(
        hosts_of(three),
        ansible_connection="elsewhere",
        elsewhere_hidden=str(vault),
        backup_cluster="three",
        backup_dir=str(kept),
        backup_fetch_to=str(vault),
    )

    ansible.ok("backup", inventory, check=True)
    assert not kept.exists()
    assert list(vault.iterdir()) == []

    assert ansible.ok("backup", inventory).changed
    (archive,) = archives(kept)
    (copy,) = archives(vault / "three")
    assert copy.read_bytes() == archive.read_bytes()

    confirmed = ansible.ok("backup", inventory)
    assert not confirmed.changed, confirmed.output
    assert confirmed.says(f"on the controller: {copy}")
    manifests = [Path(f"{path}.manifest.json").read_bytes() for path in (archive, copy)]
    assert manifests[0] == manifests[1]
    assert not ansible.ok("backup", inventory, check=True).changed

    copy.unlink()
    assert ansible.ok("backup", inventory).changed
    names = sorted(path.name for path in (vault / "three").iterdir())
    # The newest confirmation came along; there is one, however often the content was confirmed.
    assert names[:1] + names[2:] == [copy.name, f"{copy.name}.manifest.json"]
    assert names[1].startswith(f"{copy.name}.confirmed-")


def test_damaged_before_it_arrives(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    inventory = ansible.inventory(
        hosts_of(three, count=2),
        ansible_connection="elsewhere",
        elsewhere_rots=str(kept),
        backup_cluster="three",
        backup_dir=str(kept),
        backup_fetch_to=str(vault),
    )
    ansible.fails("backup", inventory, "three: role-2, through which the cluster was worked on, failed")
    assert list((vault / "three").iterdir()) == []


@pytest.mark.every_version
def test_through_the_first_host_that_answers(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    hosts = hosts_of(three)
    refusing = {"backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}}
    hosts = {"gone": {"ansible_connection": "elsewhere", "elsewhere_down": True}, "refusing": refusing, **hosts}
    inventory = ansible.inventory(hosts, backup_cluster="three", backup_dir=str(tmp_path / "kept"))
    played = ansible.ok("backup", inventory)
    assert played.says("three: going on without gone: ")
    assert played.says("no route to this host")
    (archive,) = archives(tmp_path / "kept")
    assert played.says(f"kept {archive} on role-1")


@pytest.mark.every_version
def test_one_cluster_does_not_stop_another(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    dead = {"backup_cluster": "dead", "backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}}
    hosts = {"dead-1": dead, "dead-2": dead, **hosts_of(three)}
    for name, variables in hosts.items():
        hosts[name] = {"backup_cluster": "three", "backup_dir": str(tmp_path / "kept"), **variables}
    played = ansible.fails(
        "backup", ansible.inventory(hosts), "dead: nothing can be learned of this cluster. dead-1, dead-2: "
    )
    assert played.says(
        "Check that Consul runs there and listens on this address and port. Connection options belong in"
    )
    assert len(re.findall(r"^fatal: .*nothing can be learned", played.output, re.MULTILINE)) == 1
    assert played.says("dead: nothing is done; the message of dead-1 says why.")
    assert len(archives(tmp_path / "kept")) == 1
    assert {name for name, counts in played.recap.items() if counts["failed"]} == {"dead-1", "dead-2"}


def test_hosts_of_two_clusters_under_one_name(ansible: Ansible, three: Cluster, one: Cluster, tmp_path: Path) -> None:
    hosts = {**hosts_of(three), **hosts_of(one)}
    inventory = ansible.inventory(hosts, backup_cluster="all-of-them", backup_dir=str(tmp_path / "kept"))
    ansible.fails(
        "backup", inventory, "its hosts are of different Consul clusters", "other-1 is of dc1 (servers other-1, "
    )
    assert not (tmp_path / "kept").exists()


def test_one_cluster_under_two_names(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    inventory = ansible.inventory(hosts_of(three, count=2), backup_dir=str(tmp_path / "{{ backup_cluster }}"))
    said = "role-1, role-2 are 2 names of one Consul cluster, dc1 (servers role-1, role-2, role-3, Connect id "
    ansible.fails(
        "backup", inventory, said, "Set backup_cluster to one name for all hosts of that cluster. The archive"
    )
    assert not list(tmp_path.glob("role-*"))


def test_an_archive_is_not_removed_because_its_host_no_longer_answers(
    ansible: Ansible, three: Cluster, tmp_path: Path
) -> None:
    with FaultServer(three.servers[1].address("http")) as front:
        # The save leaves it in question whether both names are of one cluster, and then nobody answers that.
        front.on("GET", "/v1/snapshot", after(front.stop_listening, real()))
        told = hosts_of(three, count=2)
        told["role-2"]["backup_connection"].update(port=front.port, retries=0)
        inventory = ansible.inventory(told, backup_dir=str(tmp_path / "{{ backup_cluster }}"))
        played = ansible.fails("backup", inventory, "role-2: nothing can be learned of this cluster")
    (archive,) = (tmp_path / "role-2").glob("*.snap")
    assert played.says(f"The archive that this run wrote is kept: {archive}")
    three.cli("snapshot", "inspect", archive)


def test_an_archive_of_before_is_not_removed_with_a_wrong_name(
    ansible: Ansible, three: Cluster, tmp_path: Path
) -> None:
    places = {"backup_dir": str(tmp_path / "{{ backup_cluster }}")}
    ansible.ok("backup", ansible.inventory(hosts_of(three), **places))
    (archive,) = (tmp_path / "role-1").glob("*.snap")
    # This run confirms it, and changes its mode.
    both = ansible.inventory(hosts_of(three, count=2), backup_mode="0640", **places)
    ansible.fails("backup", both, "role-1, role-2 are 2 names of one Consul cluster")
    assert [*(tmp_path / "role-1").glob("*.snap")] == [archive]
    assert archive.stat().st_mode & 0o777 == 0o640
    assert not (tmp_path / "role-2").exists()


def test_without_a_token(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    inventory = ansible.inventory(hosts_of(three, token=""), backup_cluster="three", backup_dir=str(tmp_path / "kept"))
    wanted = "set token or token_file in backup_connection to one whose policy has acl = "
    ansible.fails("backup", inventory, wanted)
    assert not (tmp_path / "kept").exists()


def test_settings_from_outside_the_role(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(three.tokens.initial_management, encoding="utf-8")
    role = {
        "ansible.builtin.include_role": {"name": "disaster_recovery.consul.backup"},
        "vars": {"backup_connection": {"port": three.servers[0].http_port}, "backup_dest": str(tmp_path / "a.snap")},
    }
    group = {"host": "127.0.0.1", "port": 1, "token_file": str(tmp_path / "token"), "retries": 0}
    defaults = {
        "name": "The connection of the role lies above what is set for the action group",
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {"group/disaster_recovery.consul.consul": group},
        "tasks": [role],
    }
    address = {"backup_dest": str(tmp_path / "b.snap"), "backup_connection": {"retries": 0}}
    environment = {
        "name": "The environment will do, too",
        "hosts": "all",
        "gather_facts": False,
        "environment": three.env(),
        "tasks": [{**role, "vars": address}],
    }
    assert ansible.ok(ansible.playbook(defaults, environment), ansible.inventory({"here": {}})).changed
    assert [path.name for path in archives(tmp_path)] == ["a.snap", "b.snap"]


def test_metrics(ansible: Ansible, three: Cluster, one: Cluster, tmp_path: Path) -> None:
    hosts = {**hosts_of(three, count=2), **hosts_of(one)}
    dead = {"backup_cluster": "dead", "backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}}
    for name, variables in {**hosts, "dead": dead}.items():
        cluster = "old" if name in hosts_of(one) else "three"
        hosts[name] = {"backup_cluster": cluster, "backup_dir": str(tmp_path / cluster), **variables}
    path = tmp_path / "consul.prom"
    ansible.ok("backup", ansible.inventory(hosts), check=True, backup_textfile=str(path), options=["--limit", "!dead"])
    assert not path.exists()
    # What was told of a cluster that fails now stays as it was.
    told = 'consul_snapshot_last_success_timestamp_seconds{datacenter="dc1",cluster="dead"} 1700000000\n'
    path.write_text(told, encoding="utf-8")
    ansible.fails("backup", ansible.inventory(hosts), "dead: nothing can be learned", backup_textfile=str(path))
    families = {one.name: one for one in text_string_to_metric_families(path.read_text(encoding="utf-8"))}
    moments = {
        one.labels["cluster"]: one.value for one in families["consul_snapshot_last_success_timestamp_seconds"].samples
    }
    assert moments["dead"] == 1_700_000_000
    assert time.time() - 300 < moments["three"] <= time.time()
    assert set(moments) == {"dead", "old", "three"}
    sizes = {one.labels["cluster"]: one.value for one in families["consul_snapshot_archive_size_bytes"].samples}
    assert sizes["three"] == archives(tmp_path / "three")[0].stat().st_size
    keys = {
        one.labels["cluster"]: one.value
        for one in families["consul_snapshot_records"].samples
        if one.labels["type"] == "KVS"
    }
    assert keys["three"] == len(three.get("/v1/kv/?keys"))


def test_a_pattern_that_fits_nobody(ansible: Ansible, three: Cluster) -> None:
    inventory = ansible.inventory(hosts_of(three))
    ansible.fails("backup", inventory, "consul_hosts: no host of the inventory fits nobody", consul_hosts="nobody")


def test_settings_that_do_not_fit(ansible: Ansible, three: Cluster) -> None:
    name = three.servers[0].name
    told = connection(three.servers[0], three.tokens.initial_management)
    inventory = ansible.inventory({name: {"backup_connection": {**told, "hots": "typo"}}})
    ansible.fails("backup", inventory, "backup_connection.hots", verbosity=4)
    inventory = ansible.inventory({name: {"backup_connection": told, "backup_dir": "relative/path"}})
    ansible.fails("backup", inventory, 'backup_dir must be an absolute path, got "relative/path"')
