# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives listed in a real bucket, among all that somebody could put there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.documented import returns_of
from support.keys import age_key, ssh_key, with_programs
from support.stores import VersityGw

from lab import Cluster

MODULE = "snapshot_list"


@pytest.fixture
def store(server: Callable[..., Any]) -> VersityGw:
    """A running versitygw."""
    gateway: VersityGw = server(VersityGw.name)
    return gateway


@pytest.fixture
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One server whose content any test may change."""
    return shared_cluster(name_prefix="listed")


def write(cluster: Cluster, value: str) -> None:
    cluster.http("PUT", "/v1/kv/changes", data=value, check=True)


@pytest.mark.every_version
def test_what_is_listed_of_a_bucket(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    told = {"store": store.options()}
    url = store.url(bucket, "backups/")
    assert calls.ok(None, MODULE, path=url, **told)["archives"] == []
    saved = []
    for number in range(3):
        write(cluster, str(number))
        saved.append(calls.ok(cluster, "snapshot_save", dest=url, cluster="production", **told))
        time.sleep(1.1)
    confirmed = calls.ok(cluster, "snapshot_save", dest=url, cluster="production", **told)
    # Without a manifest its first member tells; what lies deeper, or is no archive, is left alone.
    client, objects = store.client(), store.objects(bucket)
    plain = objects[saved[0]["dest"].removeprefix(f"s3://{bucket}/")]
    for name, data in {
        "backups/alone.snap": plain,
        "backups/garbage.snap": b"garbage",
        "backups/sealed.snap.age": b"age-encryption.org/v1\n",
        "backups/deeper/x.snap": plain,
        "backups/notes.txt": b"notes",
        "backups/lost.snap.manifest.json": b"{}",
    }.items():
        client.put_object(Bucket=bucket, Key=name, Body=data)
    before = store.objects(bucket)

    found = calls.ok(None, MODULE, path=url, **told)
    by_path = {one["path"]: one for one in found["archives"]}
    names = {f"{url}{name}.snap" for name in ("alone", "garbage")} | {f"{url}sealed.snap.age"}
    assert set(by_path) == {one["dest"] for one in saved} | names
    assert found["newest_confirmed_at"] == confirmed["confirmed_at"]
    for one in saved:
        listed = by_path[one["dest"]]
        assert {name: listed[name] for name in ("index", "size", "sha256", "manifest", "fingerprint", "taken_at")} == {
            name: one[name] for name in ("index", "size", "sha256", "manifest", "fingerprint", "taken_at")
        }
        assert (listed["manifest_status"], listed["sealed"], listed["signed"]) == ("matches", False, False)
    assert by_path[saved[2]["dest"]]["confirmed_at"] == confirmed["confirmed_at"] > saved[2]["confirmed_at"]
    assert by_path[f"{url}alone.snap"]["index"] == saved[0]["index"]
    assert by_path[f"{url}alone.snap"]["manifest_status"] == "absent"
    assert by_path[f"{url}garbage.snap"]["index"] is None
    assert by_path[f"{url}sealed.snap.age"]["sealed"] is True

    newest = calls.ok(None, MODULE, path=url.rstrip("/"), cluster="production", pick="newest", unnamed=False, **told)
    assert [one["path"] for one in newest["archives"]] == [saved[2]["dest"]]
    assert store.objects(bucket) == before
    returned = {"exists", "archives", "skipped", "newest_confirmed_at", "other_clusters", "attempts"}
    assert set(returns_of(MODULE)) == returned | {"duration", "failure"}


HOSTILE = {
    "huge": b" " * (2 << 20),
    "deep": b"[" * 100_000,
    "not JSON": b"\xff\x00{",
    "of other bytes": None,
    "far ahead": None,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_confirmation_counts_for_nothing(cluster: Cluster, calls: Calls, store: VersityGw, kind: str) -> None:
    bucket = store.bucket()
    told = {"store": store.options()}
    write(cluster, kind)
    saved = calls.ok(cluster, "snapshot_save", dest=store.url(bucket), **told)
    name = saved["dest"].removeprefix(f"s3://{bucket}/")
    moment = time.time() + (400 * 86_400 if kind == "far ahead" else 60)
    note = {
        "schema": "disaster_recovery.consul/confirmation",
        "version": 1,
        "archive": {"sha256": "ab" * 32 if kind == "of other bytes" else saved["sha256"]},
        "confirmed_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
        "cluster": saved["cluster"],
    }
    data = HOSTILE[kind] if HOSTILE[kind] is not None else json.dumps(note).encode()
    key = f"{name}.confirmed-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(moment))}"
    store.client().put_object(Bucket=bucket, Key=key, Body=data)
    [listed] = calls.ok(None, MODULE, path=store.url(bucket), **told)["archives"]
    assert listed["confirmed_at"] == saved["confirmed_at"]
    # It hides no good one either.
    time.sleep(1.1)
    confirmed = calls.ok(cluster, "snapshot_save", dest=store.url(bucket), **told)
    [listed] = calls.ok(None, MODULE, path=store.url(bucket), **told)["archives"]
    assert listed["confirmed_at"] == confirmed["confirmed_at"] > saved["confirmed_at"]


def test_sealed_signed_and_by_whom(
    cluster: Cluster, calls: Calls, store: VersityGw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", with_programs()["PATH"])
    ours, theirs = ssh_key(tmp_path / "ours"), ssh_key(tmp_path / "theirs")
    signers = tmp_path / "allowed"
    signers.write_text(f"backup@example.com {ours.public}\n")
    bucket = store.bucket()
    told = {"store": store.options()}
    seal = {"encrypt_to": [age_key(tmp_path / "a").public, age_key(tmp_path / "b").public]}
    kinds = {
        "sealed and signed": {**seal, "signing_key": str(ours.path)},
        "signed by somebody else": {"signing_key": str(theirs.path)},
        "plain": {},
    }
    paths = {}
    for name, options in kinds.items():
        write(cluster, name)
        paths[calls.ok(cluster, "snapshot_save", dest=store.url(bucket), **told, **options)["dest"]] = name
    found = calls.ok(None, MODULE, path=store.url(bucket), allowed_signers=str(signers), **told)["archives"]
    listed = {paths[one["path"]]: one for one in found}
    assert {name: (one["sealed"], one["signed"], one["signed_by"]) for name, one in listed.items()} == {
        "sealed and signed": (True, True, "backup@example.com"),
        "signed by somebody else": (False, True, None),
        "plain": (False, False, None),
    }
    assert listed["sealed and signed"]["signature_fault"] is None
    assert "does not list" in listed["signed by somebody else"]["signature_fault"]
    assert "no signature" in listed["plain"]["signature_fault"]
    for one in calls.ok(None, MODULE, path=store.url(bucket), **told)["archives"]:
        assert "signed_by" not in one


def test_locks_are_asked_for(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket(object_lock=True)
    options = store.options(object_lock={"mode": "GOVERNANCE", "days": 2})
    write(cluster, "locked")
    saved = calls.ok(cluster, "snapshot_save", dest=store.url(bucket), store=options)
    client, name = store.client(), saved["dest"].removeprefix(f"s3://{bucket}/")
    client.put_object_legal_hold(Bucket=bucket, Key=name, LegalHold={"Status": "ON"})
    told = {"path": store.url(bucket), "store": store.options()}
    [one] = calls.ok(None, MODULE, locks=True, **told)["archives"]
    until = client.head_object(Bucket=bucket, Key=name)["ObjectLockRetainUntilDate"]
    assert (one["locked_until"], one["held"]) == (f"{until:%Y-%m-%dT%H:%M:%SZ}", True)
    [one] = calls.ok(None, MODULE, **told)["archives"]
    assert "locked_until" not in one


def test_many_archives(cluster: Cluster, calls: Calls, store: VersityGw) -> None:
    bucket = store.bucket()
    told = {"store": store.options()}
    write(cluster, "many")
    saved = calls.ok(cluster, "snapshot_save", dest=store.url(bucket), cluster="one", **told)
    manifest = json.loads(store.objects(bucket)[saved["manifest"].removeprefix(f"s3://{bucket}/")])
    client = store.client()

    def put(number: int) -> None:
        document = {**manifest, "archive": {**manifest["archive"], "size": 0}, "meta": {"id": "x", "index": number}}
        client.put_object(Bucket=bucket, Key=f"{number}.snap", Body=b"")
        client.put_object(Bucket=bucket, Key=f"{number}.snap.manifest.json", Body=json.dumps(document))

    # More than one page of a list, and more than one batch of manifests.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(600)))
    found = calls.ok(None, MODULE, path=store.url(bucket), **told)["archives"]
    assert len(found) == 601
    assert {one["manifest_status"] for one in found} == {"matches"}
    # A save of another name reads them all, and the next one finds its own among those that were written last.
    first = calls.ok(cluster, "snapshot_save", dest=store.url(bucket), cluster="two", **told)
    assert first["reason"] == "there was no archive of this cluster"
    again = calls.ok(cluster, "snapshot_save", dest=store.url(bucket), cluster="two", **told)
    assert (again["changed"], again["dest"]) == (False, first["dest"])


def test_what_can_not_be_listed(calls: Calls, store: VersityGw) -> None:
    told = {"store": store.options()}
    missing = calls.fails(None, MODULE, "store_missing", path="s3://no-such-bucket-here/", **told)
    assert missing["failure"]["hint"]
    wrong = {"store": store.options(secret_key="a-wrong-secret-of-the-tests")}
    failed = calls.fails(None, MODULE, "store_credentials", path=store.url(store.bucket()), **wrong)
    assert "a-wrong-secret-of-the-tests" not in json.dumps(failed)
    calls.fails(None, MODULE, "option", path="http://bucket/", **told)
