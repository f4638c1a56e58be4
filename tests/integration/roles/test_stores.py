# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role backup and a real object store: judged by its own client, the consul command, and age."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import keys
from support.buckets import Bucket, Sealing, inspected
from support.playbooks import Ansible, hosts_of
from support.stores import VersityGw

from lab import Cluster


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str], gateway: VersityGw) -> Ansible:
    """Runs playbooks; every output is searched for secrets, those of the store among them."""
    return Ansible(tmp_path, [*secrets, gateway.secret_key], timeout=400)


@pytest.mark.every_version
def test_check_run_again_check(ansible: Ansible, three: Cluster, bucket: Bucket, tmp_path: Path) -> None:
    inventory = ansible.inventory(hosts_of(three, count=2), backup_cluster="three", **bucket.variables)

    assert ansible.ok("backup", inventory, check=True).changed
    assert bucket.objects() == {}

    # Nothing of it is shown, not even to the curious.
    first = ansible.ok("backup", inventory, verbosity=4)
    assert first.changed
    name, body = bucket.archive()
    assert set(bucket.objects()) == {name, f"{name}.manifest.json"}
    inspected(three, body, tmp_path)
    assert first.says(f"three: kept {bucket.url}{name} on role-1")

    again = ansible.ok("backup", inventory)
    assert not again.changed, again.output
    assert again.says(f"three: confirmed {bucket.url}{name} on role-1")
    (confirmation,) = set(bucket.objects()) - {name, f"{name}.manifest.json"}
    assert confirmation.startswith(f"{name}.confirmed-")
    assert not ansible.ok("backup", inventory, check=True).changed
    assert bucket.archive() == (name, body)
    # Nothing of it is on the host.
    assert not list(tmp_path.rglob("*.snap*")) or list(tmp_path.rglob("*.snap*")) == [tmp_path / "to-inspect.snap"]


def test_one_cluster_under_two_names_writes_nothing_into_a_store(
    ansible: Ansible, three: Cluster, bucket: Bucket
) -> None:
    inventory = ansible.inventory(hosts_of(three, count=2), **bucket.variables)
    ansible.fails("backup", inventory, "role-1, role-2 are 2 names of one Consul cluster")
    assert bucket.objects() == {}


@pytest.mark.nightly
def test_settings_of_a_store_that_cannot_be_used(ansible: Ansible, three: Cluster, bucket: Bucket) -> None:
    inventory = ansible.inventory(hosts_of(three), backup_cluster="three", **bucket.variables)
    for variables, said in (
        ({"backup_dest": f"{bucket.url}x.snap"}, "backup_dest must be an absolute path, and can't be a URL."),
        ({"backup_fetch_to": bucket.url}, "backup_fetch_to must be an absolute path, and can't be a URL."),
        ({"backup_dir": "s3://key:geheim@x/"}, "backup_dir: credentials don't belong in a URL"),
        ({"backup_copy_to": [{"path": "vault"}]}, 'backup_copy_to[0].path must be an absolute path, got "vault"'),
        ({"backup_copy_to": [{"path": "s3://x/", "stroe": {}}]}, "stroe"),
    ):
        ansible.fails("backup", inventory, said, **variables)
    assert bucket.objects() == {}


@pytest.mark.nightly
def test_copies_in_two_stores_of_which_one_is_away(
    ansible: Ansible, three: Cluster, gateway: VersityGw, bucket: Bucket, tmp_path: Path
) -> None:
    kept, disk, metrics = tmp_path / "kept", tmp_path / "disk", tmp_path / "consul.prom"
    away = {"endpoint_url": "http://127.0.0.1:1", "access_key": "x", "secret_key": gateway.secret_key, "retries": 0}
    copies = [
        {"path": "s3://away/consul/", "store": {**away, "timeout": 2}},
        {"path": bucket.url, "store": bucket.variables["backup_store"]},
        {"path": str(disk)},
    ]
    inventory = ansible.inventory(
        hosts_of(three),
        backup_cluster="three",
        backup_dir=str(kept),
        backup_copy_to=copies,
        backup_textfile=str(metrics),
    )
    assert ansible.ok("backup", inventory, check=True).says(f"would be copied to s3://away/consul, {bucket.url[:-1]}")
    assert not disk.exists()
    assert bucket.objects() == {}

    played = ansible.fails("backup", inventory, "not every store has it: s3://away/consul (", verbosity=4)
    (archive,) = kept.glob("*.snap")
    assert played.says(f"three: the archive is kept, {archive}, but not every store has it")
    assert bucket.archive() == (archive.name, archive.read_bytes())
    assert (disk / archive.name).read_bytes() == archive.read_bytes()
    assert made(metrics) == {"s3://away/consul": 0, bucket.url[:-1]: 1, str(disk): 1}
    assert told(metrics, "consul_snapshot_last_attempt_success") == [0]
    assert told(metrics, "consul_snapshot_archive_size_bytes") == [archive.stat().st_size]

    # It is back: nothing but what is missing is copied.
    there = Bucket(gateway, gateway.bucket())
    copies[0] = {"path": there.url, "store": there.variables["backup_store"]}
    again = ansible.ok("backup", inventory, backup_copy_to=copies)
    assert again.changed == 1, again.output
    assert there.archive() == (archive.name, archive.read_bytes())
    assert set(made(metrics).values()) == {1}
    assert told(metrics, "consul_snapshot_last_attempt_success") == [1]
    last = ansible.ok("backup", inventory, backup_copy_to=copies)
    assert not last.changed, last.output
    assert last.says(f"copies in {there.url[:-1]}, {bucket.url[:-1]}, {disk}")


def test_a_store_that_is_away_stops_every_host_of_its_cluster_and_no_other(
    ansible: Ansible, three: Cluster, one: Cluster, gateway: VersityGw, tmp_path: Path
) -> None:
    hosts = {**hosts_of(three, count=2), **hosts_of(one)}
    copy = {"path": "s3://away/x/", "store": {**gateway.options(), "endpoint_url": "http://127.0.0.1:1", "retries": 0}}
    for name, variables in hosts.items():
        mine = {"backup_cluster": "one"} if name.startswith("other") else {"backup_copy_to": [copy]}
        hosts[name] = {"backup_cluster": "three", "backup_dir": str(tmp_path / mine.get("backup_cluster", "three"))}
        hosts[name].update(variables, **mine)
    played = ansible.fails("backup", ansible.inventory(hosts), "not every store has it: s3://away/x (")
    assert {name for name, counts in played.recap.items() if counts["failed"]} == {"role-1", "role-2"}
    assert len(list((tmp_path / "three").glob("*.snap"))) == len(list((tmp_path / "one").glob("*.snap"))) == 1


@pytest.mark.nightly
def test_from_the_store_to_the_controller(ansible: Ansible, three: Cluster, bucket: Bucket, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    inventory = ansible.inventory(
        hosts_of(three), backup_cluster="three", backup_fetch_to=str(vault), **bucket.variables
    )
    ansible.ok("backup", inventory, check=True)
    assert not vault.exists()
    played = ansible.ok("backup", inventory)
    name, body = bucket.archive()
    assert (vault / "three" / name).read_bytes() == body
    assert played.says(f"on the controller: {vault / 'three' / name}")
    again = ansible.ok("backup", inventory)
    assert not again.changed, again.output


@pytest.mark.nightly
def test_a_sealed_archive_is_fetched_without_its_key(
    ansible: Ansible, three: Cluster, sealing: Sealing, tmp_path: Path
) -> None:
    kept, vault = tmp_path / "kept", tmp_path / "vault"
    inventory = ansible.inventory(
        hosts_of(three),
        ansible_connection="elsewhere",
        elsewhere_hidden=str(vault),
        backup_cluster="three",
        backup_dir=str(kept),
        backup_fetch_to=str(vault),
        **sealing.variables,
    )
    vault.mkdir()
    ansible.ok("backup", inventory)
    confirmed = ansible.ok("backup", inventory)
    assert not confirmed.changed, confirmed.output
    (archive,) = kept.glob("*.snap.age")
    ends = ["", ".manifest.json", ".manifest.json.sig"]
    for end in ends:
        assert Path(f"{vault}/three/{archive.name}{end}").read_bytes() == Path(f"{archive}{end}").read_bytes()
    # Of confirmations only the newest.
    ansible.ok("backup", inventory)
    (confirmation,) = {path.name for path in (vault / "three").iterdir()} - {f"{archive.name}{end}" for end in ends}
    assert confirmation.startswith(f"{archive.name}.confirmed-")
    inspected(three, keys.age_decrypt(archive.read_bytes(), sealing.identity), tmp_path)


def told(path: Path, metric: str) -> list[float]:
    """The values of a metric in a file."""
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    return [one.value for family in families for one in family.samples if one.name == metric]


def made(path: Path) -> dict[str, float]:
    """Which stores have their copy, by a file of metrics."""
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    samples = (one for family in families for one in family.samples if one.name == "consul_snapshot_copy_made")
    return {one.labels["store"]: one.value for one in samples}


@pytest.mark.nightly
def test_old_archives_are_removed_from_every_store(
    ansible: Ansible, three: Cluster, bucket: Bucket, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    inventory = ansible.inventory(
        hosts_of(three, count=2),
        backup_cluster="three",
        backup_dir=str(disk),
        backup_dir_create=True,
        backup_copy_to=[{"path": bucket.url, "store": bucket.variables["backup_store"]}],
        backup_keep_last=2,
    )
    assert ansible.ok("backup", inventory, check=True).changed
    for number in range(3):
        three.http("PUT", "/v1/kv/kept", data=str(number), check=True)
        ansible.ok("backup", inventory)
    assert len(list(disk.glob("*.snap"))) == 2
    assert sum(name.endswith(".snap") for name in bucket.objects()) == 2
    assert {path.name for path in disk.glob("*.snap")} == {name for name in bucket.objects() if name.endswith(".snap")}

    again = ansible.ok("backup", inventory, backup_keep_last=1)
    assert again.changed
    assert len(list(disk.glob("*.snap"))) == 1
    assert not ansible.ok("backup", inventory, check=True, backup_keep_last=1).changed
    # A store that refuses is named; the archive is kept all the same.
    allowed = ("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:ListBucketMultipartUploads")
    keys = bucket.server.user(bucket.name, *allowed)
    three.http("PUT", "/v1/kv/kept", data="once more", check=True)
    refused = [{"path": bucket.url, "store": {**bucket.variables["backup_store"], **keys}}]
    changed = {"backup_keep_last": 1, "backup_copy_to": refused}
    ansible.fails("backup", inventory, "old archives were not removed everywhere", **changed)
    assert len(list(disk.glob("*.snap"))) == 1
    assert sum(name.endswith(".snap") for name in bucket.objects()) == 2
