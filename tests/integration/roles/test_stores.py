# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles and a real object store: judged by its own client, the consul command, age, and what a cluster holds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import keys, stores
from support.keys import Key
from support.kits import Kit, Shell, machine
from support.playbooks import Ansible, hosts_of
from support.stores import VersityGw
from support.yard import Yard

from lab import Cluster, compare, losses, observe

PREFIX = "consul/three/"
# A stand-in for the program of that name: the SDK's own client does what the documented options say.
AWS = """#!{python}
import argparse, boto3, botocore.config, urllib.parse
told = argparse.ArgumentParser()
for option in ("--endpoint-url", "--region", "--profile", "--ca-bundle"):
    told.add_argument(option)
told.add_argument("words", nargs=4)
told = told.parse_args()
assert told.words[:2] == ["s3", "cp"]
place = urllib.parse.urlsplit(told.words[2])
client = boto3.client("s3", endpoint_url=told.endpoint_url, region_name=told.region, verify=told.ca_bundle,
    config=botocore.config.Config(s3={{"addressing_style": "path"}}))
client.download_file(place.netloc, place.path.lstrip("/"), told.words[3])
"""


class Bucket(NamedTuple):
    """A fresh bucket of a running server, and how roles are told of it."""

    server: VersityGw
    name: str

    @property
    def url(self) -> str:
        """The store in it, as users write it."""
        return f"s3://{self.name}/{PREFIX}"

    @property
    def variables(self) -> dict[str, Any]:
        """Variables of the role backup."""
        return {"backup_dir": self.url, "backup_store": self.server.options(timeout=10, retries=1)}

    def objects(self) -> dict[str, bytes]:
        """What is in the store, by name, as the SDK's own client sees it."""
        found = self.server.objects(self.name)
        assert all(name.startswith(PREFIX) for name in found), sorted(found)
        return {name.removeprefix(PREFIX): body for name, body in found.items()}

    def archive(self) -> tuple[str, bytes]:
        """The one archive in it."""
        ((name, body),) = (pair for pair in self.objects().items() if pair[0].endswith((".snap", ".age")))
        return name, body


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGw]:
    """A real S3 server."""
    with stores.running("versitygw", tmp_path_factory.mktemp("versitygw")) as server:
        yield server


@pytest.fixture
def bucket(gateway: VersityGw) -> Bucket:
    """A bucket of it."""
    return Bucket(gateway, gateway.bucket())


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str], gateway: VersityGw) -> Ansible:
    """Runs playbooks; every output is searched for secrets, those of the store among them."""
    return Ansible(tmp_path, [*secrets, gateway.secret_key], timeout=400)


class Sealing(NamedTuple):
    """Keys for a test: two recipients, the file with the secret key of the first, and a signer."""

    recipients: list[str]
    identity: Key
    signing: Path
    signers: Path

    @property
    def variables(self) -> dict[str, Any]:
        """Variables of the role backup."""
        return {"backup_encrypt_to": self.recipients, "backup_signing_key": str(self.signing)}


@pytest.fixture
def sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sealing:
    """Keys that age-keygen and ssh-keygen made; age is on the PATH."""
    monkeypatch.setenv("PATH", keys.with_programs()["PATH"])
    own, escrow = (keys.age_key(tmp_path / name) for name in ("key.txt", "escrow.txt"))
    signing = keys.ssh_key(tmp_path / "signing")
    signers = keys.allowed_signers(tmp_path / "signers", ("backup@example.com", signing))
    return Sealing([own.public, escrow.public], own, signing.path, signers)


def inspected(cluster: Cluster, body: bytes | None, directory: Path) -> None:
    """Let the consul command read an archive."""
    assert body is not None
    path = directory / "to-inspect.snap"
    path.write_bytes(body)
    cluster.cli("snapshot", "inspect", path)


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


def test_a_sealed_bucket_into_a_fresh_cluster(
    ansible: Ansible, three: Cluster, fresh: Cluster, bucket: Bucket, sealing: Sealing, tmp_path: Path
) -> None:
    seen = observe(three)
    ansible.ok(
        "backup",
        ansible.inventory(hosts_of(three), backup_cluster="three", **bucket.variables, **sealing.variables),
    )
    name, body = bucket.archive()
    assert name.endswith(".snap.age")
    assert body.startswith(b"age-encryption.org/v1")

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    inventory = ansible.inventory(
        hosts_of(fresh),
        name="fresh",
        restore_cluster="three",
        restore_src=f"{bucket.url}newest",
        restore_store=bucket.variables["backup_store"],
        restore_identity_file=str(sealing.identity.path),
        restore_allowed_signers=str(sealing.signers),
    )
    env = {"TMPDIR": str(scratch)}
    assert ansible.ok("restore", inventory, check=True, env=env).says(f"would be restored from {bucket.url}{name}")
    assert losses(compare(seen, observe(fresh)))
    restored = ansible.ok("restore", inventory, env=env, verbosity=4)
    assert restored.changed
    assert restored.says(f"three: restored from {bucket.url}{name}")
    assert losses(compare(seen, observe(fresh))) == []
    again = ansible.ok("restore", inventory, env=env)
    assert not again.changed, again.output
    assert not [path for path in scratch.rglob("*") if path.is_file()]


def test_what_cannot_be_restored_from_a_store_is_said(
    ansible: Ansible, fresh: Cluster, gateway: VersityGw, bucket: Bucket
) -> None:
    inventory = ansible.inventory(
        hosts_of(fresh), restore_cluster="three", restore_store=gateway.options(timeout=5, retries=0)
    )
    ansible.fails("restore", inventory, "holds no archive of this cluster", restore_src=f"{bucket.url}newest")
    ansible.fails("restore", inventory, f"Write {bucket.url}newest, or the URL", restore_src=bucket.url)
    ansible.fails("restore", inventory, "ftp:// is not a kind of store", restore_src="ftp://x/newest")
    ansible.fails("restore", inventory, "no-such-bucket", restore_src="s3://no-such-bucket/newest")


def test_what_is_replaced_goes_into_a_store_too(
    ansible: Ansible, golden: Any, fresh: Cluster, bucket: Bucket, sealing: Sealing, tmp_path: Path
) -> None:
    fresh.put("/v1/kv/precious", "do not lose me")
    inventory = ansible.inventory(
        hosts_of(fresh),
        restore_cluster="fresh",
        restore_src=str(golden.archive),
        restore_store=bucket.variables["backup_store"],
        restore_backup_dir=bucket.url,
        restore_fetch_to=str(tmp_path / "vault"),
        restore_accept_risks=["replace_content"],
        restore_encrypt_to=sealing.recipients,
    )
    played = ansible.ok("restore", inventory)
    name, body = bucket.archive()
    assert played.says(f"What it held before is in {bucket.url}{name}, and on the controller in ")
    assert (tmp_path / "vault" / "fresh" / "replaced" / name).read_bytes() == body
    inspected(fresh, keys.age_decrypt(body, sealing.identity), tmp_path)
    assert losses(compare(golden.seen, observe(fresh))) == []


def test_a_bucket_is_rehearsed_and_the_report_says_that_the_key_works(
    ansible: Ansible, golden: Any, three: Cluster, bucket: Bucket, sealing: Sealing, tmp_path: Path
) -> None:
    yard = Yard(ansible, golden.archive, tmp_path)
    ansible.ok(
        "backup",
        ansible.inventory(hosts_of(three), backup_cluster="three", **bucket.variables, **sealing.variables),
    )
    name, _body = bucket.archive()
    told = {"rehearsal_dir": bucket.url, "backup_store": bucket.variables["backup_store"]}
    told["rehearsal_allowed_signers"] = str(sealing.signers)
    inventory = yard.inventory({"three": {"backup_cluster": "three"}}, **told)
    played = ansible.ok("rehearse", inventory, rehearsal_identity_file=str(sealing.identity.path), verbosity=4)
    (rehearsal,) = yard.cluster("three")["rehearsals"]
    assert rehearsal["archive"] == f"{bucket.url}{name}"
    assert (rehearsal["verdict"], rehearsal["sealed"], rehearsal["key_works"]) == ("proven", True, True)
    assert rehearsal["signed_by"] == "backup@example.com"
    assert rehearsal["sentence"].endswith("The key opens the archive.")
    assert played.says("The cluster would come back.")

    other = keys.age_key(tmp_path / "other.txt")
    ansible.fails("rehearse", inventory, "UNKNOWN", rehearsal_identity_file=str(other.path))
    (rehearsal,) = yard.cluster("three")["rehearsals"]
    assert (rehearsal["verdict"], rehearsal["sealed"], rehearsal["key_works"]) == ("incomplete", True, False)

    ansible.fails("rehearse", inventory, "does not exist", rehearsal_dir="s3://no-such-bucket/")


def test_the_rollback_kit_leads_to_the_store_and_age_opens_it(
    ansible: Ansible, three: Cluster, gateway: VersityGw, bucket: Bucket, sealing: Sealing, tmp_path: Path
) -> None:
    wanted = tmp_path / "kit"
    inventory = ansible.inventory(
        hosts_of(three),
        backup_cluster="three",
        backup_rollback_dir=str(wanted),
        backup_copy_to=[{"path": str(tmp_path / "disk")}],
        **bucket.variables,
        **sealing.variables,
    )
    played = ansible.ok("pre_upgrade", inventory, verbosity=4)
    name, body = bucket.archive()
    assert played.says(f"the archive: {bucket.url}{name}")
    assert (tmp_path / "disk" / name).read_bytes() == body
    assert sorted(path.name for path in wanted.iterdir()) == ["ROLLBACK.md", "versions.json"]
    versions = json.loads((wanted / "versions.json").read_text(encoding="utf-8"))
    assert versions["archive"]["file"] == name

    kit = Kit(wanted)
    text = kit.text + (wanted / "versions.json").read_text(encoding="utf-8")
    secret = next(line for line in sealing.identity.path.read_text(encoding="utf-8").splitlines() if line.startswith("AGE-SECRET-KEY"))
    for hidden in (gateway.secret_key, gateway.access_key, secret, sealing.signing.read_text(encoding="utf-8")):
        assert hidden not in text
    assert f"Copy of the archive: `{tmp_path}/disk/{name}`" in text

    programs = machine(tmp_path / "programs", three.servers[0].binary)
    (programs / "age").symlink_to(keys.programs() / "age")
    (programs / "aws").write_text(AWS.format(python=sys.executable), encoding="utf-8")
    (programs / "aws").chmod(0o755)
    shell = Shell(
        tmp_path,
        programs,
        HOME=str(tmp_path / "home"),
        AWS_ACCESS_KEY_ID=gateway.access_key,
        AWS_SECRET_ACCESS_KEY=gateway.secret_key,
    )
    (tmp_path / "home").mkdir()
    get, opened, check = kit.step(1).blocks
    assert f"{name}: OK" in shell.run(get)
    assert shell.run(opened.replace("/media/escrow/key.txt", str(sealing.identity.path))) == ""
    plain = name.removesuffix(".age")
    assert f"{plain}: OK" in shell.run(check)
    assert f'"$HOME/consul-rollback/"{plain}' in kit.step(8).blocks[0]
    digest = subprocess.run(["sha256sum", tmp_path / "home/consul-rollback" / plain], capture_output=True, check=True)
    assert digest.stdout.split()[0].decode() == versions["archive"]["sha256"]


def told(path: Path, metric: str) -> list[float]:
    """The values of a metric in a file."""
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    return [one.value for family in families for one in family.samples if one.name == metric]


def made(path: Path) -> dict[str, float]:
    """Which stores have their copy, by a file of metrics."""
    families = text_string_to_metric_families(path.read_text(encoding="utf-8"))
    samples = (one for family in families for one in family.samples if one.name == "consul_snapshot_copy_made")
    return {one.labels["store"]: one.value for one in samples}
