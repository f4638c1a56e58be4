# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore replaces is saved into a bucket first, sealed if that is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.keys import age_decrypt, age_key, with_programs
from support.stores import VersityGw

from lab import Cluster

MODULE = "snapshot_restore"


@pytest.fixture
def store(server: Callable[..., Any]) -> VersityGw:
    """A running versitygw."""
    gateway: VersityGw = server(VersityGw.name)
    return gateway


@pytest.fixture
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One server whose content any test may change."""
    return shared_cluster(name_prefix="safety")


def value_of(cluster: Cluster) -> str:
    return str(cluster.http("GET", "/v1/kv/safety?raw").text)


def write(cluster: Cluster, value: str) -> None:
    cluster.http("PUT", "/v1/kv/safety", data=value, check=True)


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_the_safety_archive_lies_in_the_bucket(
    cluster: Cluster, calls: Calls, store: VersityGw, tmp_path: Path, sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", with_programs()["PATH"])
    keys = [age_key(tmp_path / f"key-{number}") for number in range(2)]
    bucket = store.bucket()
    write(cluster, "wanted")
    calls.ok(cluster, "snapshot_save", dest=str(tmp_path / "a.snap"))
    write(cluster, "replaced")
    told: dict[str, Any] = {"src": str(tmp_path / "a.snap"), "store": store.options()}
    told |= {"backup_dir": store.url(bucket, "replaced"), "post_restore_token": cluster.tokens.initial_management}
    told |= {"encrypt_to": [key.public for key in keys]} if sealed else {}

    # Neither a refusal nor a check leaves anything.
    calls.fails(cluster, MODULE, "guard", **told)
    accepted = {**told, "accept_risks": ["replace_content"]}
    assert calls.ok(cluster, MODULE, check=True, **accepted)["changed"]
    assert (store.objects(bucket), store.uploads(bucket)) == ({}, [])

    restored = calls.ok(cluster, MODULE, **accepted)
    assert value_of(cluster) == "wanted"
    name = restored["backup_file"].removeprefix(f"s3://{bucket}/")
    assert name.startswith("replaced/")
    assert name.endswith(".snap.age" if sealed else ".snap")
    objects = store.objects(bucket)
    assert sorted(objects) == [name, f"{name}.manifest.json"]
    plain = age_decrypt(objects[name], keys[1]) if sealed else objects[name]
    assert plain is not None
    manifest = json.loads(objects[f"{name}.manifest.json"])
    assert manifest["archive"]["sha256"] == hashlib.sha256(plain).hexdigest()
    # It is what was replaced, by the CLI alone.
    (tmp_path / "safety.snap").write_bytes(plain)
    cluster.cli("snapshot", "restore", tmp_path / "safety.snap")
    cluster.wait_ready()
    assert value_of(cluster) == "replaced"


def test_a_bucket_that_can_not_be_used_stops_the_restore(
    cluster: Cluster, calls: Calls, store: VersityGw, tmp_path: Path
) -> None:
    write(cluster, "wanted")
    calls.ok(cluster, "snapshot_save", dest=str(tmp_path / "a.snap"))
    write(cluster, "kept")
    told = {"src": str(tmp_path / "a.snap"), "store": store.options(), "accept_risks": ["replace_content"]}
    for check in (True, False):
        calls.fails(cluster, MODULE, "store_missing", backup_dir="s3://no-such-bucket-here/", check=check, **told)
        assert value_of(cluster) == "kept"
