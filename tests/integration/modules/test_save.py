# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save: what it keeps, when, where and how."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.answers import half_then, stalls
from support.archives import META, part_of
from support.calls import Calls, start_on
from support.faults import FaultServer
from support.modules import finish
from support.scene import SNAPSHOT, archives_in, confirmations_of, contents, manifest_of

from lab import Cluster
from lab.oracle import observe

Inspect = Callable[..., dict[str, Any]]


def mode_of(path: Path | str) -> int:
    return os.stat(path).st_mode & 0o7777


@pytest.mark.every_version
@pytest.mark.parametrize("place", ["{0}", "{0}/", "{0}/newest.snap"], ids=["directory", "slash", "file"])
def test_check_run_again_check(place: str, seeded: Cluster, calls: Calls, tmp_path: Path, inspect: Inspect) -> None:
    dest = place.format(tmp_path)

    checked = calls.ok(seeded, "snapshot_save", dest=dest, check=True)
    assert checked["changed"]
    assert contents(tmp_path) == {}

    saved = calls.ok(seeded, "snapshot_save", dest=dest)
    archive = Path(saved["dest"])
    assert saved["changed"]
    assert saved["reason"] == checked["reason"] == "there was no archive of this cluster"
    assert saved["fingerprint"] == checked["fingerprint"]
    assert sorted(contents(tmp_path)) == [archive.name, archive.name + ".manifest.json"]
    # What the result says is what lies there, by the CLI and by the file itself.
    seen = inspect(archive)
    assert (saved["index"], saved["size"]) == (seen["Meta"]["Index"], archive.stat().st_size)
    assert saved["records"] == {one["Name"]: {"count": one["Count"], "size": one["Sum"]} for one in seen["Stats"]}
    assert saved["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()

    before, inode = contents(tmp_path), archive.stat().st_ino
    time.sleep(1.1)  # manifests tell seconds
    again = calls.ok(seeded, "snapshot_save", dest=dest)
    assert not again["changed"]
    assert (again["dest"], again["sha256"]) == (saved["dest"], saved["sha256"])
    assert again["reason"] == f"the content is still that of index {saved['index']}"
    assert archive.stat().st_ino == inode
    after = contents(tmp_path)
    assert after[archive.name] == before[archive.name]
    # Only the time at which it was seen to hold still moves on, in a note of its own.
    [confirmation] = confirmations_of(archive)
    manifest = json.loads(before[archive.name + ".manifest.json"])
    assert manifest["confirmed_at"] < confirmation["confirmed_at"] == again["confirmed_at"]
    assert confirmation["archive"] == {"sha256": saved["sha256"]}
    assert confirmation["cluster"] == manifest["cluster"]
    assert archives_in(tmp_path) == before

    time.sleep(1.1)
    later = calls.ok(seeded, "snapshot_save", dest=dest)
    [newer] = confirmations_of(archive)
    assert confirmation["confirmed_at"] < newer["confirmed_at"] == later["confirmed_at"]
    after = contents(tmp_path)

    checked = calls.ok(seeded, "snapshot_save", dest=dest, check=True)
    assert not checked["changed"]
    assert contents(tmp_path) == after


def test_the_name_in_a_directory_tells_datacenter_time_and_index(seeded: Cluster, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(seeded, "snapshot_save", dest=str(tmp_path))
    # Consul's own word for when it was taken: <term>-<index>-<unix ms>.
    _term, index, taken = json.loads(part_of(Path(saved["dest"]).read_bytes(), META))["ID"].split("-")
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(int(taken) // 1000))

    assert Path(saved["dest"]).name == f"dc1-{stamp}-{index}.snap"
    assert saved["taken_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(taken) // 1000))
    assert abs(time.time() - int(taken) / 1000) < 60


def test_diff_mode_shows_metadata_before_and_after(playground: Cluster, calls: Calls, tmp_path: Path) -> None:
    dest = str(tmp_path / "a.snap")
    first = calls.ok(playground, "snapshot_save", dest=dest, diff=True)
    value = "a value that must not be shown"
    playground.http("PUT", "/v1/kv/diff/secret-key", data=value, check=True)
    checked = calls.ok(playground, "snapshot_save", dest=dest, diff=True, check=True)
    second = calls.ok(playground, "snapshot_save", dest=dest, diff=True)

    assert first["diff"]["before"] == {}
    assert second["diff"]["before"] == first["diff"]["after"]
    assert second["diff"]["before"] != second["diff"]["after"]
    kvs = [second["diff"][side]["records"].get("KVS", {"count": 0})["count"] for side in ("before", "after")]
    assert kvs[1] == kvs[0] + 1
    assert foretold(checked["diff"]) == foretold(second["diff"])
    assert value not in json.dumps(second)
    assert "secret-key" not in json.dumps(second)
    unchanged = calls.ok(playground, "snapshot_save", dest=dest, diff=True)["diff"]
    assert unchanged["before"] == unchanged["after"] == second["diff"]["after"]


def foretold(diff: dict[str, Any]) -> dict[str, Any]:
    """Return what check mode can know: two snapshots of one state differ in their bytes, and raft's index moves on."""
    moving = ("size", "index")
    return {side: {name: value for name, value in shown.items() if name not in moving} for side, shown in diff.items()}


def test_the_manifest(seeded: Cluster, calls: Calls, tmp_path: Path, inspect: Inspect) -> None:
    saved = calls.ok(seeded, "snapshot_save", dest=str(tmp_path))
    text = Path(saved["manifest"]).read_text()
    manifest = json.loads(text)
    seen = inspect(saved["dest"])

    assert manifest["schema"] == "disaster_recovery.consul/manifest"
    assert manifest["version"] == 1
    name = os.path.basename(saved["dest"])
    assert manifest["archive"] == {"file": name, "size": saved["size"], "sha256": saved["sha256"]}
    assert manifest["meta"] == {"id": seen["Meta"]["ID"], "index": seen["Meta"]["Index"]}
    assert manifest["taken_at"] == manifest["confirmed_at"] == saved["taken_at"] == saved["confirmed_at"]
    identity = (seeded.trust_domain() or "").partition(".")[0]
    servers = sorted(one["ID"] for one in seeded.get("/v1/operator/raft/configuration")["Servers"])
    assert manifest["cluster"] == {
        "name": None,
        "datacenter": "dc1",
        "id": identity,
        "consul_version": seeded.version,
        "servers": servers,
    }
    assert manifest["confirmed_by_leader"] is saved["confirmed_by_leader"] is True
    assert saved["cluster"] == manifest["cluster"]
    assert manifest["consistency"] == {"stale": False, "last_contact_ms": 0, "known_leader": True}
    assert (saved["last_contact_ms"], saved["known_leader"]) == (0, True)
    assert manifest["fingerprint"]["overall"] == saved["fingerprint"]
    assert manifest["records"] == {one["Name"]: {"count": one["Count"], "size": one["Sum"]} for one in seen["Stats"]}
    assert manifest["user_records"]["KVS"] == len(observe(seeded)["kv"])


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Nothing is private by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.every_version
@pytest.mark.usefixtures("open_umask")
def test_private_from_the_first_byte(playground: Cluster, tmp_path: Path) -> None:
    with FaultServer(playground.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, half_then(stalls))
        options = {"port": server.port, "dest": str(tmp_path), "retries": 0}
        process = start_on(playground, "snapshot_save", **options)
        assert server.stalled.wait(20)
        deadline = time.monotonic() + 10
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert time.monotonic() < deadline, "no byte of the archive reaches the disk"
            time.sleep(0.01)
        [partial] = tmp_path.iterdir()
        assert mode_of(partial) == 0o600
        assert partial.name.startswith(".")
        server.released.set()
        assert finish(process).failed
    assert contents(tmp_path) == {}

    outcome = finish(start_on(playground, "snapshot_save", dest=str(tmp_path)))
    assert outcome.result["changed"]
    assert len(contents(tmp_path)) == 2
    for path in tmp_path.iterdir():
        assert mode_of(path) == 0o600
        assert path.stat().st_uid == os.getuid()


def test_permissions_are_kept_in_order(playground: Cluster, calls: Calls, tmp_path: Path) -> None:
    options = {"dest": str(tmp_path / "a.snap"), "mode": "0640"}
    paths = [tmp_path / "a.snap", manifest_of(tmp_path / "a.snap")]
    calls.ok(playground, "snapshot_save", **options)
    assert [mode_of(path) for path in paths] == [0o640, 0o640]

    assert not calls.ok(playground, "snapshot_save", **options)["changed"]
    assert [mode_of(path) for path in paths] == [0o640, 0o640]

    paths[0].chmod(0o644)
    assert calls.ok(playground, "snapshot_save", **options, check=True)["changed"]
    assert mode_of(paths[0]) == 0o644
    assert calls.ok(playground, "snapshot_save", **options)["changed"]
    assert [mode_of(path) for path in paths] == [0o640, 0o640]


def test_two_saves_at_once_into_one_directory(seeded: Cluster, tmp_path: Path, inspect: Inspect) -> None:
    running = [start_on(seeded, "snapshot_save", dest=str(tmp_path), force=True) for _number in range(3)]
    results = [finish(process).result for process in running]

    assert all(result.get("changed") for result in results), results
    names = sorted(contents(tmp_path))
    archives = [name for name in names if name.endswith(".snap")]
    assert names == sorted([*archives, *(f"{name}.manifest.json" for name in archives)])
    assert {os.path.basename(result["dest"]) for result in results} == set(archives)
    for name in archives:
        manifest = json.loads((tmp_path / f"{name}.manifest.json").read_text())
        assert manifest["archive"]["sha256"] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        assert inspect(tmp_path / name)["Meta"]["Index"] == manifest["meta"]["index"]
