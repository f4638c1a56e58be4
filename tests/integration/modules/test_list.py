# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_list on archives of real servers, those of the consul command among them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.documented import faults_of, returns_of
from support.scene import contents, manifest_of

from lab import Cluster


@pytest.fixture
def one(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(version=version, connect=False, name_prefix="one")


@pytest.fixture
def other(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(version=version, connect=False, name_prefix="other")


def write(cluster: Cluster) -> None:
    cluster.http("PUT", "/v1/kv/changes", data=os.urandom(8), check=True)


def listed(calls: Calls, path: Path, **options: Any) -> dict[str, Any]:
    """Return the result of the module, which changes nothing, in check mode or out of it."""
    before = contents(path)
    result, checked = (
        calls.ok(None, "snapshot_list", path=str(path), check=check, **options) for check in (False, True)
    )
    assert (result["changed"], contents(path)) == (False, before)
    assert faults_of("snapshot_list", result) == []
    # The newest ansible-core returns no invocation.
    unlike = {"invocation": None, "duration": None}
    assert {**checked, **unlike} == {**result, **unlike}
    return result


def paths(result: dict[str, Any]) -> list[str]:
    return [one["path"] for one in result["archives"]]


@pytest.mark.every_version
def test_the_archives_of_two_clusters(one: Cluster, other: Cluster, calls: Calls, tmp_path: Path) -> None:
    write(one)
    write(other)
    first = calls.ok(one, "snapshot_save", dest=str(tmp_path), cluster="one")
    write(one)
    theirs = calls.ok(other, "snapshot_save", dest=str(tmp_path), cluster="other")
    second = calls.ok(one, "snapshot_save", dest=str(tmp_path), cluster="one")
    one.cli("snapshot", "save", tmp_path / "cli.snap")
    other.cli("snapshot", "save", tmp_path / "cli-of-other.snap")

    found = listed(calls, tmp_path, cluster="one", unnamed=False)
    assert paths(found) == [second["dest"], first["dest"]]
    assert found["newest_confirmed_at"] == second["confirmed_at"]
    archive = found["archives"][0]
    assert {key: archive[key] for key in ("index", "size", "taken_at", "confirmed_at", "cluster")} == {
        key: second[key] for key in ("index", "size", "taken_at", "confirmed_at", "cluster")
    }
    # What the command saved names no cluster, and its servers tell.
    found = listed(calls, tmp_path, cluster="one")
    assert paths(found) == [str(tmp_path / "cli.snap"), second["dest"], first["dest"]]
    assert found["archives"][0]["cluster"]["servers"] == second["cluster"]["servers"]
    assert paths(listed(calls, tmp_path, cluster="other", pick="newest")) == [str(tmp_path / "cli-of-other.snap")]
    assert len(listed(calls, tmp_path)["archives"]) == 5
    assert theirs["dest"] in paths(listed(calls, tmp_path, pick="2999-01-01"))
    assert paths(listed(calls, tmp_path, pick="2020-01-01")) == []


def test_confirmed_in_another_place(one: Cluster, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(one, "snapshot_save", dest=str(tmp_path), cluster="one")
    path = manifest_of(Path(saved["dest"]))
    path.write_text(json.dumps({**json.loads(path.read_text()), "confirmed_at": "2026-01-01T00:00:00Z"}))
    shutil.copy(saved["dest"], tmp_path / "copy.snap")
    shutil.copy(path, tmp_path / "copy.snap.manifest.json")
    # One of the two is confirmed; the age of the cluster's backup is what is known best.
    confirmed = calls.ok(one, "snapshot_save", dest=str(tmp_path), cluster="one")
    assert listed(calls, tmp_path, cluster="one")["newest_confirmed_at"] == confirmed["confirmed_at"]


def test_what_is_said_when_something_is_wrong(calls: Calls, tmp_path: Path) -> None:
    assert calls.ok(None, "snapshot_list", path=str(tmp_path / "absent"))["exists"] is False
    (tmp_path / "file").write_bytes(b"")
    for kind, options in (("file", {"path": str(tmp_path / "file")}), ("option", {"pick": "soon"})):
        failed = calls.fails(None, "snapshot_list", kind, **{"path": str(tmp_path), **options})
        assert faults_of("snapshot_list", failed) == []
        assert failed["failure"]["hint"]
    (tmp_path / "latest.snap").symlink_to("nowhere")
    [skipped] = calls.ok(None, "snapshot_list", path=str(tmp_path))["skipped"]
    assert skipped == {"path": str(tmp_path / "latest.snap"), "reason": "is a symbolic link"}
    returned = {"exists", "archives", "skipped", "newest_confirmed_at", "other_clusters", "attempts"}
    assert set(returns_of("snapshot_list")) == returned | {"duration", "failure"}


def test_ten_thousand_archives(one: Cluster, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(one, "snapshot_save", dest=str(tmp_path), cluster="one")
    manifest = json.loads(Path(saved["manifest"]).read_text())
    small = tmp_path / "small"
    small.mkdir()
    for number in range(10_000):
        path = small / f"{number}.snap"
        path.write_bytes(b"")
        document = {**manifest, "archive": {**manifest["archive"], "size": 0}, "meta": {"id": "x", "index": number}}
        manifest_of(path).write_text(json.dumps(document))
    found = calls.ok(None, "snapshot_list", path=str(small), cluster="one")
    assert paths(found)[0] == str(small / "9999.snap")
    assert len(found["archives"]) == 10_000
