# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves of a real cluster into a real bucket, judged by the SDK's own client and the CLI."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.answers import half_then, reset, stalls
from support.calls import Calls, start_on
from support.faults import FaultServer
from support.keys import age_decrypt, age_key, ssh_key, with_programs
from support.modules import finish
from support.scene import SNAPSHOT
from support.stores import VersityGw
from support.waiting import wait_until

from lab import Cluster

DAY = 86_400.0
MODULE = "snapshot_save"
FOREIGN = {
    "backups/notes.txt": b"somebody's notes",
    "backups/deeper/dc1-20261123T021500Z-9.snap": b"not of this store",
    "backups/a name, and another.snap": b"a name",
    "backups/\u202e.snap": b"another name",
    "backups/gone.snap.manifest.json": b"{}",
    "backups/dc1.snap.confirmed-20261123T021500Z": b"{}",
    "elsewhere.snap": b"of another store",
}


@pytest.fixture
def store(server: Callable[..., Any]) -> VersityGw:
    """A running versitygw."""
    gateway: VersityGw = server(VersityGw.name)
    return gateway


@pytest.fixture
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One server whose content any test may change."""
    return shared_cluster(name_prefix="bucket")


def write(cluster: Cluster, name: str = "changes", size: int = 8) -> None:
    cluster.http("PUT", f"/v1/kv/{name}", data=os.urandom(size), check=True)


def split(objects: dict[str, bytes]) -> tuple[list[str], list[str], list[str]]:
    """Return the names of archives, manifests and confirmations."""
    confirmations = [name for name in objects if ".confirmed-" in name]
    manifests = [name for name in objects if name.endswith(".manifest.json")]
    archives = [name for name in objects if name.endswith((".snap", ".snap.age"))]
    return archives, manifests, confirmations


@pytest.mark.every_version
def test_check_run_again_check(cluster: Cluster, calls: Calls, store: VersityGw, tmp_path: Path) -> None:
    bucket = store.bucket()
    told = {"dest": store.url(bucket, "backups"), "store": store.options(), "cluster": "production"}
    write(cluster)
    checked = calls.ok(cluster, MODULE, check=True, **told)
    assert checked["changed"]
    assert store.objects(bucket) == {}

    saved = calls.ok(cluster, MODULE, **told)
    objects = store.objects(bucket)
    name = saved["dest"].removeprefix(f"s3://{bucket}/")
    assert (saved["changed"], saved["dest"]) == (True, f"s3://{bucket}/{name}")
    assert saved["manifest"] == f"{saved['dest']}.manifest.json"
    assert sorted(objects) == [name, f"{name}.manifest.json"]
    # The archive is one, by the CLI, and is what the manifest says.
    (tmp_path / "a.snap").write_bytes(objects[name])
    seen = json.loads(cluster.cli("snapshot", "inspect", "-format=json", tmp_path / "a.snap"))
    assert seen["Meta"]["Index"] == saved["index"]
    manifest = json.loads(objects[f"{name}.manifest.json"])
    digest = hashlib.sha256(objects[name]).hexdigest()
    assert manifest["archive"] == {"file": name.rpartition("/")[2], "size": len(objects[name]), "sha256": digest}
    assert (saved["sealed"], saved["sealed_with"], saved["signature"]) == (False, None, None)

    time.sleep(1.1)
    again = calls.ok(cluster, MODULE, **told)
    assert (again["changed"], again["dest"]) == (False, saved["dest"])
    assert again["reason"] == f"the content is still that of index {saved['index']}"
    after = store.objects(bucket)
    [confirmation] = set(after) - set(objects)
    assert {**after, **objects} == after
    note = json.loads(after[confirmation])
    assert note["archive"] == {"sha256": digest}
    assert manifest["confirmed_at"] < note["confirmed_at"] == again["confirmed_at"]
    assert confirmation == f"{name}.confirmed-{note['confirmed_at'].replace('-', '').replace(':', '')}"
    assert store.uploads(bucket) == []

    # The newest note is enough: the one before goes.
    time.sleep(1.1)
    calls.ok(cluster, MODULE, **told)
    [newer] = split(store.objects(bucket))[2]
    assert newer > confirmation

    before = store.objects(bucket)
    assert not calls.ok(cluster, MODULE, check=True, **told)["changed"]
    assert store.objects(bucket) == before
    # It is young enough to take no snapshot at all.
    assert "known_leader" not in calls.ok(cluster, MODULE, max_age=1000, **told)

    write(cluster)
    changed = calls.ok(cluster, MODULE, **told)
    assert changed["changed"]
    assert changed["reason"].startswith("content changed since")
    archives, manifests, _confirmations = split(store.objects(bucket))
    assert len(archives) == len(manifests) == 2
    assert store.objects(bucket)[name] == objects[name]


def test_what_is_not_ours_is_left_alone(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    for name, data in FOREIGN.items():
        store.client().put_object(Bucket=bucket, Key=name, Body=data)
    told = {"dest": store.url(bucket, "backups/"), "store": store.options()}
    write(cluster)
    for expected in (True, False, False):
        assert calls.ok(cluster, MODULE, **told)["changed"] is expected
    objects = store.objects(bucket)
    assert {name: objects[name] for name in FOREIGN} == FOREIGN
    assert len(objects) == len(FOREIGN) + 3


def test_a_damaged_archive_is_not_confirmed(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    told = {"dest": store.url(bucket), "store": store.options()}
    write(cluster)
    saved = calls.ok(cluster, MODULE, **told)
    name = saved["dest"].removeprefix(f"s3://{bucket}/")
    data = store.objects(bucket)[name]
    store.client().put_object(
        Bucket=bucket,
        Key=name,
        Body=bytes(len(data)),
        Metadata={"sha256": hashlib.sha256(bytes(len(data))).hexdigest()},
    )
    again = calls.ok(cluster, MODULE, **told)
    assert (again["changed"], again["reason"]) == (True, "the newest archive is damaged")
    assert again["dest"] != saved["dest"]


def test_two_saves_at_once(cluster: Cluster, store: VersityGw) -> None:
    bucket = store.bucket()
    told = {"dest": store.url(bucket), "store": store.options(), "force": True}
    running = [start_on(cluster, MODULE, **told) for _number in range(3)]
    results = [finish(process).result for process in running]
    assert all(result.get("changed") for result in results), results
    objects = store.objects(bucket)
    archives, manifests, confirmations = split(objects)
    assert len(archives) == len(manifests) == 3
    assert (confirmations, store.uploads(bucket)) == ([], [])
    assert {result["dest"] for result in results} == {f"s3://{bucket}/{name}" for name in archives}
    for name in archives:
        manifest = json.loads(objects[f"{name}.manifest.json"])
        assert manifest["archive"]["sha256"] == hashlib.sha256(objects[name]).hexdigest()


@pytest.fixture
def large(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """A cluster whose archive goes into a bucket in several parts."""
    cluster = shared_cluster(name_prefix="large")
    for number in range(60):
        write(cluster, f"large/{number}", 450_000)
    return cluster


def test_killed_in_the_midst_nothing_is_visible(large: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    told = {"dest": store.url(bucket, "backups/"), "store": store.options()}
    with FaultServer(large.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, half_then(stalls))
        process = start_on(large, MODULE, **{**told, "port": server.port})
        # A part is in the store, and no object.
        wait_until(lambda: store.uploads(bucket) != [], "no part was sent")
        process.kill()
        process.communicate()
    assert store.objects(bucket) == {}

    saved = calls.ok(large, MODULE, **told)
    objects = store.objects(bucket)
    name = saved["dest"].removeprefix(f"s3://{bucket}/")
    assert sorted(objects) == [name, f"{name}.manifest.json"]
    assert hashlib.sha256(objects[name]).hexdigest() == saved["sha256"]
    # In several parts, all but the last of eight megabytes.
    assert saved["size"] > 16 << 20
    # Unchanged: its parts are discarded, and nothing but the note is new.
    uploads = store.uploads(bucket)
    assert not calls.ok(large, MODULE, **told)["changed"]
    assert store.uploads(bucket) == uploads
    assert len(store.objects(bucket)) == 3


def test_a_stream_that_breaks_off_leaves_nothing(large: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    with FaultServer(large.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, half_then(reset))
        failed = calls.run(large, MODULE, port=server.port, retries=0, dest=store.url(bucket), store=store.options())
    assert failed.failed
    assert (store.objects(bucket), store.uploads(bucket)) == ({}, [])


def test_what_is_refused_before_anything_is_asked(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    told = {"store": store.options()}
    for name in ("x.snap", "x.snap.age"):
        refused = calls.fails(cluster, MODULE, "option", dest=store.url(bucket, name), **told)
        assert "names a store" in refused["msg"]
    for options in ({"mode": "0640"}, {"owner": "root"}, {"group": "root", "attributes": "+a"}):
        refused = calls.fails(cluster, MODULE, "option", dest=store.url(bucket), **told, **options)
        assert "for an object in a bucket" in refused["msg"]
    for check in (False, True):
        missing = calls.fails(cluster, MODULE, "store_missing", dest="s3://no-such-bucket-here/", check=check, **told)
        assert "no-such-bucket-here" in missing["msg"]
        wrong = {"store": store.options(secret_key="a-wrong-secret-of-the-tests")}
        denied = calls.fails(cluster, MODULE, "store_credentials", dest=store.url(bucket), check=check, **wrong)
        assert "a-wrong-secret-of-the-tests" not in json.dumps(denied)
    assert store.objects(bucket) == {}


def test_locked_and_the_lock_is_extended(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket(object_lock=True)
    options = store.options(object_lock={"mode": "GOVERNANCE", "days": 1})
    told = {"dest": store.url(bucket), "store": options}
    write(cluster)
    saved = calls.ok(cluster, MODULE, **told)
    name = saved["dest"].removeprefix(f"s3://{bucket}/")

    def until(key: str) -> float:
        head = store.client().head_object(Bucket=bucket, Key=key)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        return float(head["ObjectLockRetainUntilDate"].timestamp())

    keys = (name, f"{name}.manifest.json")
    first = [until(key) for key in keys]
    assert all(abs(moment - time.time() - DAY) < 600 for moment in first)
    assert saved["locked_until"] is not None
    longer = {**told, "store": {**options, "object_lock": {"mode": "GOVERNANCE", "days": 3}}}
    again = calls.ok(cluster, MODULE, **longer)
    assert not again["changed"]
    assert all(until(key) > moment + DAY for key, moment in zip(keys, first, strict=True))
    assert again["locked_until"] > saved["locked_until"]


@pytest.mark.parametrize("place", ["bucket", "directory"])
def test_sealed_and_signed(
    cluster: Cluster,
    calls: Calls,
    store: VersityGw,
    tmp_path: Path,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", with_programs()["PATH"])
    keys = [age_key(tmp_path / f"key-{number}") for number in range(2)]
    signing = ssh_key(tmp_path / "signing")
    bucket = store.bucket()
    directory = tmp_path / "backups"
    directory.mkdir()
    told: dict[str, Any] = {"encrypt_to": [key.public for key in keys], "signing_key": str(signing.path)}
    told |= {"dest": f"{directory}/"} if place == "directory" else {"dest": store.url(bucket), "store": store.options()}

    def stored() -> dict[str, bytes]:
        if place == "bucket":
            return store.objects(bucket)
        return {path.name: path.read_bytes() for path in directory.iterdir()}

    write(cluster)
    plain_options = {name: value for name, value in told.items() if name in ("dest", "store")}
    first = calls.ok(cluster, MODULE, **plain_options)
    earlier = stored()
    # What is not encrypted is not enough from now on, whatever its age.
    saved = calls.ok(cluster, MODULE, max_age=1000, **told)
    assert (saved["changed"], saved["reason"]) == (True, "the newest archive is not encrypted")
    assert saved["fingerprint"] == first["fingerprint"]
    name = saved["dest"].rpartition("/")[2]
    assert {**stored(), **earlier} == stored()
    objects = {name: data for name, data in stored().items() if name not in earlier}
    assert name.endswith(".snap.age")
    assert sorted(objects) == [name, f"{name}.manifest.json", f"{name}.manifest.json.sig"]
    assert (saved["sealed"], saved["signature"]) == (True, f"{saved['dest']}.manifest.json.sig")
    assert saved["sealed_with"] in ("pyrage", "age", "rage")
    # Each key opens it by itself, and what is in it is the archive.
    manifest = json.loads(objects[f"{name}.manifest.json"])
    for key in keys:
        plain = age_decrypt(objects[name], key)
        assert plain is not None
        assert hashlib.sha256(plain).hexdigest() == saved["sha256"] == manifest["archive"]["sha256"]
        assert len(plain) == saved["size"]
    (tmp_path / "a.snap").write_bytes(plain)
    assert json.loads(cluster.cli("snapshot", "inspect", "-format=json", tmp_path / "a.snap"))["Meta"]["Index"]
    sealed = {"format": "age", "size": len(objects[name]), "sha256": hashlib.sha256(objects[name]).hexdigest()}
    assert manifest["sealed"] == sealed
    assert not any(key.public in objects[f"{name}.manifest.json"].decode() for key in keys)

    # Unchanged is told without a secret key.
    again = calls.ok(cluster, MODULE, **told)
    assert (again["changed"], again["dest"], again["sealed_with"]) == (False, saved["dest"], None)
    [confirmation] = set(stored()) - set(objects) - set(earlier)
    assert json.loads(stored()[confirmation])["archive"] == {"sha256": sealed["sha256"]}
    if place == "directory":
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_a_sealed_file_is_named_as_one(cluster: Cluster, calls: Calls, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", with_programs()["PATH"])
    key = age_key(tmp_path / "key")
    wrong = calls.fails(cluster, MODULE, "option", dest=str(tmp_path / "a.snap"), encrypt_to=[key.public])
    assert ".age" in wrong["failure"]["hint"]
    calls.fails(cluster, MODULE, "option", dest=str(tmp_path / "a.snap.age"))
    dest = tmp_path / "a.snap.age"
    write(cluster)
    saved = calls.ok(cluster, MODULE, dest=str(dest), encrypt_to=[key.public])
    assert age_decrypt(dest.read_bytes(), key) is not None
    # One key alone is a risk that is said.
    assert "one recipient only" in str(saved["warnings"])
    write(cluster)
    changed = calls.ok(cluster, MODULE, dest=str(dest), encrypt_to=[key.public])
    assert changed["changed"]
    plain = age_decrypt(dest.read_bytes(), key)
    assert plain is not None
    assert hashlib.sha256(plain).hexdigest() == changed["sha256"] != saved["sha256"]


def test_an_old_directory_is_read_as_it_is(cluster: Cluster, calls: Calls, tmp_path: Path) -> None:
    write(cluster)
    saved = calls.ok(cluster, MODULE, dest=str(tmp_path))
    path = Path(saved["manifest"])
    manifest = json.loads(path.read_text())
    # As earlier versions confirmed it: in the manifest.
    earlier = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 500))
    long_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5000))
    text = json.dumps({**manifest, "taken_at": long_ago, "confirmed_at": earlier})
    path.write_text(text)
    young = calls.ok(cluster, MODULE, dest=str(tmp_path), max_age=1000)
    assert (young["changed"], young["confirmed_at"], "known_leader" in young) == (False, earlier, False)
    old = calls.ok(cluster, MODULE, dest=str(tmp_path), max_age=100)
    assert (old["changed"], "known_leader" in old) == (False, True)
    assert old["confirmed_at"] > earlier
    assert path.read_text() == text
    again = calls.ok(cluster, MODULE, dest=str(tmp_path), max_age=100)
    assert (again["confirmed_at"], "known_leader" in again) == (old["confirmed_at"], False)
