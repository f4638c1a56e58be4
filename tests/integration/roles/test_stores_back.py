# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back from a real object store: restores, rehearsals and the rollback kit, judged by a cluster and by age."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import keys
from support.buckets import Bucket, Sealing, inspected
from support.kits import Kit, Shell, machine
from support.playbooks import Ansible, hosts_of
from support.stores import VersityGw
from support.yard import Yard

from lab import Cluster, compare, losses, observe

# A stand-in for the program of that name: the SDK's own client does what the documented options say.
AWS = """#!{python}
import argparse, boto3, botocore.config, urllib.parse
told = argparse.ArgumentParser()
for option in ("--endpoint-url", "--region", "--profile", "--ca-bundle"):
    told.add_argument(option)
told.add_argument("words", nargs=4)
told = told.parse_intermixed_args()
assert told.words[:2] == ["s3", "cp"]
place = urllib.parse.urlsplit(told.words[2])
client = boto3.client("s3", endpoint_url=told.endpoint_url, region_name=told.region, verify=told.ca_bundle,
    config=botocore.config.Config(s3={{"addressing_style": "path"}}))
client.download_file(place.netloc, place.path.lstrip("/"), told.words[3])
"""


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str], gateway: VersityGw) -> Ansible:
    """Runs playbooks; every output is searched for secrets, those of the store among them."""
    return Ansible(tmp_path, [*secrets, gateway.secret_key], timeout=400)


@pytest.mark.nightly
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


@pytest.mark.nightly
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
        restore_identity_file=str(sealing.identity.path),
    )
    played = ansible.ok("restore", inventory)
    name, body = bucket.archive()
    assert played.says(f"What it held before is in {bucket.url}{name}, and on the controller in ")
    assert (tmp_path / "vault" / "fresh" / "replaced" / name).read_bytes() == body
    inspected(fresh, keys.age_decrypt(body, sealing.identity), tmp_path)
    assert losses(compare(golden.seen, observe(fresh))) == []


@pytest.mark.nightly
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

    ansible.fails("rehearse", inventory, "there is no such bucket", rehearsal_dir="s3://no-such-bucket/")


@pytest.mark.nightly
def test_the_rollback_kit_leads_to_the_store_and_age_opens_it(
    ansible: Ansible, three: Cluster, gateway: VersityGw, bucket: Bucket, sealing: Sealing, tmp_path: Path
) -> None:
    wanted = tmp_path / "kit"
    inventory = ansible.inventory(
        hosts_of(three),
        backup_cluster="three",
        backup_rollback_dir=str(wanted),
        backup_copy_to=[{"path": str(tmp_path / "disk")}],
        backup_allowed_signers=str(sealing.signers),
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
    secret = next(
        line
        for line in sealing.identity.path.read_text(encoding="utf-8").splitlines()
        if line.startswith("AGE-SECRET-KEY")
    )
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
        HOME=str(tmp_path / "user"),
        AWS_ACCESS_KEY_ID=gateway.access_key,
        AWS_SECRET_ACCESS_KEY=gateway.secret_key,
    )
    (tmp_path / "user").mkdir()
    get, opened, check = kit.step(1).blocks
    assert f"{name}: OK" in shell.run(get)
    assert shell.run(opened.replace("/media/escrow/key.txt", str(sealing.identity.path))) == ""
    plain = name.removesuffix(".age")
    assert f"{plain}: OK" in shell.run(check)
    assert f'"$HOME/consul-rollback/"{plain}' in kit.step(8).blocks[0]
    digest = subprocess.run(["sha256sum", tmp_path / "user/consul-rollback" / plain], capture_output=True, check=True)
    assert digest.stdout.split()[0].decode() == versions["archive"]["sha256"]
