# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save: clusters that look alike share a place, and none of them stands in for another."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls
from support.scene import archives_in, confirmations_of, contents, manifest_of
from support.waiting import wait_until

from lab import Cluster

NO_ARCHIVE = "there was no archive of this cluster"
LONG_AGO = "2026-01-01T00:00:00Z"


class Pair(NamedTuple):
    """Two clusters that have all in common but their servers and a key."""

    one: Cluster
    other: Cluster


def with_a_key(cluster: Cluster, value: bytes) -> Cluster:
    cluster.http("PUT", "/v1/kv/whose", data=value, check=True)
    return cluster


@pytest.fixture(scope="module")
def pair(version: str, shared_cluster: Callable[..., Cluster]) -> Pair:
    """Two clusters of one datacenter without Connect, which alone would give them an id."""
    clusters = (shared_cluster(version=version, connect=False, name_prefix=name) for name in ("one", "other"))
    return Pair(*(with_a_key(cluster, cluster.name_prefix.encode()) for cluster in clusters))


def now() -> str:
    """The time as archives have it, in seconds. Of two clusters, nothing else tells which archive is newer."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def server_ids(cluster: Cluster) -> list[str]:
    return sorted(one["ID"] for one in cluster.get("/v1/operator/raft/configuration")["Servers"])


def changed_manifest(archive: Path | str, **changes: Any) -> None:
    path = manifest_of(Path(archive))
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def as_before_servers(archive: Path | str) -> None:
    """Make a manifest one of those that know neither servers nor names."""
    document = json.loads(manifest_of(Path(archive)).read_text())
    document.pop("confirmed_by_leader", None)
    document["cluster"] = {key: document["cluster"][key] for key in ("datacenter", "id", "consul_version")}
    manifest_of(Path(archive)).write_text(json.dumps(document))


@pytest.mark.parametrize("old", [False, True], ids=["", "manifests without servers"])
@pytest.mark.every_version
def test_two_without_connect_in_one_directory(old: bool, pair: Pair, calls: Calls, tmp_path: Path) -> None:
    ours = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))
    if old:
        as_before_servers(ours["dest"])
    before = contents(tmp_path)
    # Not skipped because the other's is young, and not written over the other's.
    theirs = calls.ok(pair.other, "snapshot_save", dest=str(tmp_path), max_age=1000)
    assert (theirs["changed"], theirs["reason"]) == (True, NO_ARCHIVE)
    assert {**contents(tmp_path), **before} == contents(tmp_path)
    assert not theirs["rebuilt"]
    if old:
        as_before_servers(theirs["dest"])

    for cluster, saved in ((pair.one, ours), (pair.other, theirs)):
        for options in ({"max_age": 1000}, {}):
            again = calls.ok(cluster, "snapshot_save", dest=str(tmp_path), **options)
            assert (again["changed"], again["dest"]) == (False, saved["dest"])
        assert again["cluster"]["servers"] == server_ids(cluster)
    assert len(archives_in(tmp_path)) == 4


@pytest.mark.parametrize("described", [True, False], ids=["with manifest", "without manifest"])
def test_a_file_of_another_one_without_connect_is_not_overwritten(
    described: bool, pair: Pair, calls: Calls, tmp_path: Path
) -> None:
    dest = tmp_path / "a.snap"
    calls.ok(pair.one, "snapshot_save", dest=str(dest))
    if not described:
        manifest_of(dest).unlink()
    before = contents(tmp_path)
    for options in ({}, {"max_age": 1000}, {"cluster": "other"}):
        refused = calls.fails(pair.other, "snapshot_save", "dest", dest=str(dest), **options)
        assert "force: true" in refused["msg"]
        assert server_ids(pair.one)[0][:8] in refused["msg"]
        assert contents(tmp_path) == before
    assert calls.ok(pair.other, "snapshot_save", dest=str(dest), force=True)["changed"]


def test_a_clone_is_another_cluster(
    version: str, pair: Pair, shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path: Path
) -> None:
    original = with_a_key(shared_cluster(version=version, name_prefix="original"), b"original")
    clone = shared_cluster(version=version, name_prefix="clone", tokens=None)
    archive, place = tmp_path / "original.snap", tmp_path / "place"
    place.mkdir()
    calls.ok(original, "snapshot_save", dest=str(archive))
    token = original.tokens.initial_management
    risks = ["node_conflict", "replace_content"]
    calls.ok(clone, "snapshot_restore", src=str(archive), post_restore_token=token, accept_risks=risks)

    first = calls.ok(original, "snapshot_save", dest=str(place))
    copy = calls.ok(clone, "snapshot_save", dest=str(place), token=token, max_age=1000)
    assert first["cluster"]["id"] is not None
    assert first["cluster"]["id"] == copy["cluster"]["id"]
    assert (copy["changed"], copy["reason"]) == (True, NO_ARCHIVE)
    # Both go on being saved, each for itself.
    for cluster, saved in ((original, first), (clone, copy)):
        again = calls.ok(cluster, "snapshot_save", dest=str(place), token=token)
        assert (again["changed"], again["dest"]) == (False, saved["dest"])


@pytest.mark.every_version
def test_a_rebuilt_cluster_goes_on_under_its_name(pair: Pair, calls: Calls, tmp_path: Path) -> None:
    told = {"dest": str(tmp_path), "cluster": "production"}
    first = calls.ok(pair.one, "snapshot_save", **told)
    assert (first["rebuilt"], first["cluster"]["name"]) == (False, "production")
    before = contents(tmp_path)
    wait_until(lambda: now() > first["taken_at"], "time stands still")

    for check in (True, False):
        rebuilt = calls.ok(pair.other, "snapshot_save", max_age=1000, check=check, **told)
        assert (rebuilt["changed"], rebuilt["rebuilt"]) == (True, True)
        assert len(rebuilt["warnings"]) == 1
        assert f"production was rebuilt: the newest archive of that name, {first['dest']}," in str(rebuilt["warnings"])
    assert {**contents(tmp_path), **before} == contents(tmp_path)
    # Said once; from then on it is the cluster of that name.
    again = calls.ok(pair.other, "snapshot_save", **told)
    assert (again["changed"], again["rebuilt"], again["dest"]) == (False, False, rebuilt["dest"])
    assert not again.get("warnings")

    dest = tmp_path / "file.snap"
    calls.ok(pair.one, "snapshot_save", dest=str(dest), cluster="production")
    replaced = calls.ok(pair.other, "snapshot_save", dest=str(dest), cluster="production")
    assert (replaced["changed"], replaced["rebuilt"]) == (True, True)


def test_an_empty_rebuilt_cluster_does_not_overwrite_the_last_backup(
    version: str, pair: Pair, shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path: Path
) -> None:
    empty = shared_cluster(version=version, name_prefix="empty", connect=False)
    dest = tmp_path / "file.snap"
    calls.ok(pair.one, "snapshot_save", dest=str(dest), cluster="production")
    before = contents(tmp_path)
    refused = calls.fails(empty, "snapshot_save", "dest", dest=str(dest), cluster="production")
    assert "Restore that archive first" in refused["msg"]
    assert contents(tmp_path) == before
    # A directory keeps both.
    place = tmp_path / "place"
    place.mkdir()
    calls.ok(pair.one, "snapshot_save", dest=str(place), cluster="production")
    assert calls.ok(empty, "snapshot_save", dest=str(place), cluster="production")["rebuilt"]
    assert len(archives_in(place)) == 4


def test_each_name_has_its_own_archives(pair: Pair, calls: Calls, tmp_path: Path) -> None:
    one = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path), cluster="one", max_age=1000)
    other = calls.ok(pair.other, "snapshot_save", dest=str(tmp_path), cluster="other", max_age=1000)
    assert (other["changed"], other["reason"]) == (True, NO_ARCHIVE)
    for cluster, saved, name in ((pair.one, one, "one"), (pair.other, other, "other")):
        again = calls.ok(cluster, "snapshot_save", dest=str(tmp_path), cluster=name, max_age=1000)
        assert (again["changed"], again["dest"]) == (False, saved["dest"])


def test_an_archive_without_a_name_is_adopted(pair: Pair, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))
    as_before_servers(saved["dest"])

    again = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path), cluster="production")
    assert (again["changed"], again["dest"]) == (False, saved["dest"])
    [confirmation] = confirmations_of(Path(again["dest"]))
    known = confirmation["cluster"]
    assert (known["name"], known["servers"]) == ("production", server_ids(pair.one))
    # And it is not given up again for a save that gives no name.
    last = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))
    assert (last["changed"], last["cluster"]["name"]) == (False, "production")


def test_servers_replaced_one_by_one_are_one_cluster(pair: Pair, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))
    known = json.loads(Path(saved["manifest"]).read_text())["cluster"]
    changed_manifest(saved["dest"], cluster={**known, "servers": ["gone", *known["servers"]]})

    again = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))
    assert not again["changed"]
    # Confirmed under the servers of today, so that the next one is compared with these.
    [confirmation] = confirmations_of(Path(again["dest"]))
    assert confirmation["cluster"]["servers"] == server_ids(pair.one)


def test_a_confirmed_archive_is_not_old_for_find(pair: Pair, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))
    os.utime(saved["dest"], (1_600_000_000, 1_600_000_000))
    calls.ok(pair.one, "snapshot_save", dest=str(tmp_path), check=True)
    assert Path(saved["dest"]).stat().st_mtime == 1_600_000_000
    assert not calls.ok(pair.one, "snapshot_save", dest=str(tmp_path))["changed"]

    find = [str(shutil.which("find")), str(tmp_path), "-type", "f", "-mtime", "+1", "-delete"]
    assert os.spawnv(os.P_WAIT, find[0], find) == 0
    assert len(archives_in(tmp_path)) == 2
