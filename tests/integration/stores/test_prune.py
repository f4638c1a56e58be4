# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives removed and held in directories and buckets; the SDKs themselves tell what is left."""

from __future__ import annotations

import datetime
import json
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from support.calls import Calls, connection
from support.modules import finish, start
from support.stores import VersityGw

from lab import Cluster

MANIFEST = ".manifest.json"
PREFIX = "backups/"
TODAY = datetime.datetime.now(datetime.UTC).replace(hour=2, minute=15, second=0, microsecond=0)
READ = ("s3:ListBucket", "s3:GetObject")


class Series(NamedTuple):
    """One archive of a real cluster, and its manifest."""

    archive: bytes
    manifest: dict[str, Any]

    def of(self, day: int, **changes: Any) -> tuple[str, dict[str, bytes]]:
        """Return the archive as it would be named and described had it been taken so many days ago, in files."""
        taken_at = TODAY - datetime.timedelta(days=day + 1)
        name = f"dc1-{taken_at:%Y%m%dT%H%M%SZ}-{9000 - day}.snap"
        when = f"{taken_at:%Y-%m-%dT%H:%M:%SZ}"
        manifest = {**self.manifest, "taken_at": when, "confirmed_at": when, **changes}
        manifest["archive"] = {**manifest["archive"], "file": name}
        return name, {name: self.archive, name + MANIFEST: json.dumps(manifest).encode()}


@pytest.fixture(scope="module")
def series(shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Archives of a real cluster, of as many days as a test likes."""
    directory = tmp_path_factory.mktemp("series")
    source = shared_cluster(name_prefix="pruned")
    source.http("PUT", "/v1/kv/a", data="1", check=True)
    path = Path(calls.ok(source, "snapshot_save", dest=f"{directory}/", cluster="production")["dest"])
    manifest = json.loads(path.with_name(path.name + MANIFEST).read_bytes())
    return Series(path.read_bytes(), manifest)


def fill(directory: Path, series: Series, days: int) -> list[str]:
    """Put the archives of some days into a directory; return their names, the newest first."""
    names = []
    for day in range(days):
        name, files = series.of(day)
        names.append(name)
        for file, data in files.items():
            (directory / file).write_bytes(data)
    return names


def put_s3(server: VersityGw, bucket: str, series: Series, days: int) -> list[str]:
    """Do the same for a bucket."""
    client, names = server.client(), []
    for day in range(days):
        name, files = series.of(day)
        names.append(name)
        for file, data in files.items():
            client.put_object(Bucket=bucket, Key=PREFIX + file, Body=data)
    return names


def both(names: list[str]) -> set[str]:
    """Return the names of archives and of their manifests."""
    return {name + ending for name in names for ending in ("", MANIFEST)}


def in_bucket(server: Any, bucket: str) -> set[str]:
    """Return what is in a bucket."""
    return {name.removeprefix(PREFIX) for name in server.objects(bucket)}


@pytest.fixture
def s3(server: Callable[..., Any]) -> VersityGw:
    """A running versitygw."""
    gateway: VersityGw = server(VersityGw.name)
    return gateway


@pytest.mark.every_version
def test_check_prune_and_prune_again_in_a_directory(calls: Calls, series: Series, tmp_path: Path) -> None:
    names = fill(tmp_path, series, 12)
    shutil.copy(tmp_path / names[0], tmp_path / "of-somebody-else.snap")
    there = set(both(names)) | {"of-somebody-else.snap"}
    options: dict[str, Any] = {"path": str(tmp_path), "keep_last": 2, "keep_daily": 7}
    checked = calls.ok(None, "snapshot_prune", check=True, diff=True, **options)
    assert {path.name for path in tmp_path.iterdir()} == there
    done = calls.ok(None, "snapshot_prune", diff=True, **options)
    assert {path.name for path in tmp_path.iterdir()} == both(names[:7]) | {"of-somebody-else.snap"}
    assert [Path(path).name for path in done["removed"]] == names[:6:-1]
    assert {**checked, "duration": 0} == {**done, "duration": 0}
    assert (done["changed"], done["kept"], done["foreign"]) == (True, 7, 1)
    assert len(done["diff"]["before"].splitlines()) == 12
    assert len(done["diff"]["after"].splitlines()) == 7
    again = calls.ok(None, "snapshot_prune", **options)
    assert (again["changed"], again["removed"], again["freed_bytes"]) == (False, [], 0)


@pytest.mark.parametrize(
    ("changed", "kind", "reason"),
    [
        ({"keep_within": "7m"}, "option", "minutes or months"),
        ({"keep_last": -1}, "option", "keep_last must be 0 or more"),
        ({"minimum": 0}, "option", "minimum must be 1 or more"),
        ({"timezone": "Mars/Olympus"}, "option", "is not a time zone"),
        ({"keep_last": 1}, "retention", "11 of 12 archives would go, and max_remove is 6"),
    ],
)
def test_what_is_refused_removes_nothing(
    calls: Calls, series: Series, tmp_path: Path, changed: dict[str, Any], kind: str, reason: str
) -> None:
    names = fill(tmp_path, series, 12)
    result = calls.fails(None, "snapshot_prune", kind, **{"path": str(tmp_path), "keep_last": 9, **changed})
    assert reason in result["msg"]
    assert {path.name for path in tmp_path.iterdir()} == both(names)


@pytest.mark.parametrize("name", ["versitygw", "fake-gcs-server", "azurite"])
def test_prune_in_each_kind_of_store(
    server: Callable[..., Any], shared_cluster: Callable[..., Cluster], calls: Calls, name: str
) -> None:
    store, cluster = server(name), shared_cluster(name_prefix="busy")
    bucket = store.bucket()
    url, told = store.url(bucket, PREFIX), {"store": store.options()}
    for number in range(5):
        cluster.http("PUT", "/v1/kv/changes", data=f"{name} {number}", check=True)
        calls.ok(cluster, "snapshot_save", dest=url, cluster="busy", **told)
    copied = in_bucket(store, bucket)
    assert len(copied) == 10
    result = calls.ok(None, "snapshot_prune", path=url, keep_last=3, **told)
    left = in_bucket(store, bucket)
    assert left < copied
    assert len(left) == 6
    assert {path.rpartition("/")[2] for path in result["removed"]} == {
        one for one in copied - left if MANIFEST not in one
    }
    taken = sorted((one["taken_at"], one["keep"]) for one in result["archives"])
    assert [keep for _when, keep in taken] == [False, False, True, True, True]
    assert calls.ok(None, "snapshot_prune", path=url, keep_last=3, **told)["changed"] is False


def test_what_a_bucket_locks_is_kept_and_is_no_failure(s3: VersityGw, calls: Calls, series: Series) -> None:
    bucket = s3.bucket(object_lock=True)
    names = put_s3(s3, bucket, series, 6)
    client = s3.client()
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    retention = {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    client.put_object_retention(Bucket=bucket, Key=PREFIX + names[3], Retention=retention)
    client.put_object_legal_hold(Bucket=bucket, Key=PREFIX + names[4], LegalHold={"Status": "ON"})
    result = calls.ok(None, "snapshot_prune", path=s3.url(bucket, PREFIX), keep_last=2, store=s3.options())
    reasons = {one["path"].rpartition("/")[2]: one["reasons"] for one in result["archives"]}
    assert reasons[names[3]] == [f"locked until {until:%Y-%m-%dT%H:%M:%SZ}"]
    assert reasons[names[4]] == ["held: a legal hold of the store"]
    assert in_bucket(s3, bucket) == both([*names[:2], names[3], names[4]])


def test_a_legal_hold_keeps_an_archive_from_everybody(s3: VersityGw, calls: Calls, series: Series) -> None:
    bucket = s3.bucket(object_lock=True)
    names = put_s3(s3, bucket, series, 4)
    options: dict[str, Any] = {"path": s3.url(bucket, PREFIX + names[3]), "store": s3.options(), "legal_hold": True}
    held = calls.ok(None, "snapshot_hold", reason="before the migration", **options)
    assert (held["changed"], held["held"], held["legal_hold"]) == (True, True, True)
    assert calls.ok(None, "snapshot_hold", reason="before the migration", **options)["changed"] is False
    client = s3.client()
    for name in both([names[3]]):
        version = client.head_object(Bucket=bucket, Key=PREFIX + name)["VersionId"]
        with pytest.raises(ClientError, match=r"AccessDenied|object lock"):
            client.delete_object(Bucket=bucket, Key=PREFIX + name, VersionId=version)
    result = calls.ok(None, "snapshot_prune", path=s3.url(bucket, PREFIX), keep_last=2, store=s3.options())
    assert [path.rpartition("/")[2] for path in result["removed"]] == [names[2]]
    assert result["archives"][3]["reasons"] == ["held: before the migration"]
    calls.ok(None, "snapshot_hold", state="absent", **options)
    result = calls.ok(None, "snapshot_prune", path=s3.url(bucket, PREFIX), keep_last=2, store=s3.options())
    assert [path.rpartition("/")[2] for path in result["removed"]] == [names[3]]
    assert in_bucket(s3, bucket) == both(names[:2])


def test_a_note_holds_an_archive_in_a_directory(calls: Calls, series: Series, tmp_path: Path) -> None:
    names = fill(tmp_path, series, 4)
    path = str(tmp_path / names[3])
    held = calls.ok(None, "snapshot_hold", path=path, reason="migration", until="2999-01-01")
    assert (held["held"], held["reason"], held["legal_hold"]) == (True, "migration (until 2999-01-01T00:00:00Z)", None)
    result = calls.ok(None, "snapshot_prune", path=str(tmp_path), keep_last=2)
    assert [Path(one).name for one in result["removed"]] == [names[2]]
    assert result["archives"][3]["reasons"] == ["held: migration (until 2999-01-01T00:00:00Z)"]
    released = calls.ok(None, "snapshot_hold", path=path, state="absent", diff=True)
    assert released["diff"] == {"before": {"held": held["reason"]}, "after": {"held": None}}
    calls.ok(None, "snapshot_prune", path=str(tmp_path), keep_last=2)
    assert {one.name for one in tmp_path.iterdir()} == both(names[:2])


def test_credentials_that_may_not_remove(s3: VersityGw, calls: Calls, series: Series) -> None:
    bucket = s3.bucket()
    names = put_s3(s3, bucket, series, 4)
    keys = s3.user(bucket, *READ)
    told = {"path": s3.url(bucket, PREFIX), "store": s3.options(**keys), "keep_last": 2}
    assert calls.ok(None, "snapshot_prune", check=True, **told)["changed"] is True
    result = calls.fails(None, "snapshot_prune", "store_denied", **told)
    assert "s3:DeleteObject" in result["msg"]
    assert result["removed"] == []
    assert in_bucket(s3, bucket) == both(names)


def test_a_prune_that_is_killed_leaves_every_archive_whole_or_gone(
    calls: Calls, series: Series, tmp_path: Path
) -> None:
    names = fill(tmp_path, series, 120)
    order = random.Random(7)
    options: dict[str, Any] = {"path": str(tmp_path), "keep_last": 3, "max_remove": 200}
    for _attempt in range(6):
        process = start("snapshot_prune", **options)
        until = time.monotonic() + order.uniform(0.2, 1.2)
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        process.kill()
        process.communicate()
        there = {path.name for path in tmp_path.iterdir()}
        archives = [name for name in names if name in there]
        assert both(archives) <= there
        assert set(names[:3]) <= set(archives)
        # A manifest may have outlived its archive: the last thing that the killed run was at.
        assert len(there - both(archives)) <= 1
        for leftover in there - both(archives):
            # So that the next run believes that nobody is just copying it.
            aged = time.time() - 7200
            os.utime(tmp_path / leftover, (aged, aged))
    calls.ok(None, "snapshot_prune", **options)
    assert {path.name for path in tmp_path.iterdir()} == both(names[:3])


def test_two_at_once_remove_what_one_would(calls: Calls, series: Series, tmp_path: Path) -> None:
    names = fill(tmp_path, series, 60)
    options: dict[str, Any] = {"path": str(tmp_path), "keep_last": 3, "max_remove": 200}
    outcomes = [finish(process) for process in [start("snapshot_prune", **options) for _run in range(2)]]
    assert [outcome.failed for outcome in outcomes] == [False, False]
    assert {path.name for path in tmp_path.iterdir()} == both(names[:3])


def test_a_prune_beside_saves_keeps_what_they_publish(
    shared_cluster: Callable[..., Cluster], calls: Calls, series: Series, tmp_path: Path
) -> None:
    cluster = shared_cluster(name_prefix="busy")
    names = fill(tmp_path, series, 40)
    for number in range(4):
        cluster.http("PUT", "/v1/kv/changes", data=str(number), check=True)
        save = start("snapshot_save", **{**connection(cluster), "dest": f"{tmp_path}/", "cluster": "busy"})
        calls.ok(None, "snapshot_prune", path=str(tmp_path), keep_last=max(1, 30 - 10 * number), max_remove=50)
        outcome = finish(save)
        assert not outcome.failed, outcome.result
        assert both([Path(outcome.result["dest"]).name]) <= {path.name for path in tmp_path.iterdir()}
    assert set(names[:1]) <= {path.name for path in tmp_path.iterdir()}


def test_what_was_proven_is_kept(calls: Calls, series: Series, tmp_path: Path) -> None:
    # All of the series have one content, so that all of them are proven: the newest of them stays.
    names = fill(tmp_path, series, 6)
    proven = calls.ok(None, "snapshot_info", path=str(tmp_path / names[4]))["sha256"]
    result = calls.ok(None, "snapshot_prune", path=str(tmp_path), keep_last=2, rehearsed=[proven], max_remove=9)
    assert "the newest that a rehearsal has proven" in result["archives"][0]["reasons"]
    assert result["kept"] == 2
