# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives in buckets, plain and sealed: described, compared, restored and rehearsed; judged by Consul and by age."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import keys
from support.calls import Calls, start_on
from support.documented import faults_of
from support.faults import FaultServer
from support.modules import Outcome
from support.scene import RESTORE

from lab import Cluster, binaries
from lab.comparison import compare, table
from lab.oracle import Observation, observe

from .conftest import Bucket, Keys, SavedOf

Start = Callable[..., Cluster]
SEALED = pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])


@pytest.fixture
def work_dir() -> Iterator[Path]:
    """A directory in which nothing must be left."""
    with tempfile.TemporaryDirectory(prefix="work-") as directory:
        yield Path(directory)
        assert os.listdir(directory) == []


def told_of(keyring: Keys, bucket: Bucket, sealed: bool) -> dict[str, Any]:
    return {"store": bucket.store, **({"identity_file": str(keyring.age.path)} if sealed else {})}


def plain_of(data: bytes, keyring: Keys, sealed: bool) -> bytes:
    """Return what Consul wrote; where it is sealed, age itself opens it."""
    plain = keys.age_decrypt(data, keyring.age) if sealed else data
    assert plain is not None
    return plain


def check_restored(seen: Observation, target: Cluster) -> None:
    """The target holds all that the oracle saw, and beyond that only the management token of its own configuration."""
    rows = [row for row in compare(seen, observe(target)) if row.durable and not row.equal]
    assert [row.type for row in rows] == ["acl-tokens"], table(rows)
    assert [(row.missing, row.different) for row in rows] == [((), ())], table(rows)


@SEALED
def test_an_archive_in_a_bucket_is_described_as_the_file_is(
    saved_of: SavedOf, keyring: Keys, bucket: Bucket, calls: Calls, sealed: bool
) -> None:
    saved = saved_of(**(keyring.sealing if sealed else {}))
    told = told_of(keyring, bucket, sealed)
    url = bucket.take(saved.path)
    result = calls.ok(None, "snapshot_info", path=url, **told)
    assert faults_of("snapshot_info", result) == []
    plain = plain_of(saved.data, keyring, sealed)
    assert (result["size"], result["sha256"]) == (len(plain), hashlib.sha256(plain).hexdigest())
    stored = {"size": len(saved.data), "sha256": hashlib.sha256(saved.data).hexdigest()}
    assert (result["stored"], result["sealed"], result["path"]) == (stored, sealed, url)
    assert (result["manifest"]["path"], result["manifest"]["status"]) == (f"{url}.manifest.json", "matches")
    assert (result["signed"], result["signed_by"], result["signature_fault"]) == (False, None, None)

    file = calls.ok(None, "snapshot_info", path=str(saved.path), **told)
    # Ansible itself adds what it knows of a file.
    different = {name for name in set(file) & set(result) if file[name] != result[name]} - {"duration", "invocation"}
    assert different == {"path", "manifest"}
    assert result["fingerprint"] == saved.result["fingerprint"]
    # Nothing but reading was done.
    assert bucket.names() == {saved.path.name, f"{saved.path.name}.manifest.json"}


def test_what_does_not_open_a_sealed_archive(
    saved_of: SavedOf, keyring: Keys, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    saved = saved_of(**keyring.sealing)
    url, store = bucket.take(saved.path), bucket.store
    missing = calls.fails(None, "snapshot_info", "sealed", path=url, store=store)
    assert "identity_file" in missing["failure"]["hint"]
    stranger = keys.age_key(tmp_path / "stranger")
    wrong = calls.fails(None, "snapshot_info", "sealed", path=url, store=store, identity_file=str(stranger.path))
    secret = stranger.path.read_text(encoding="utf-8").split()[-1]
    assert secret not in json.dumps(wrong)


@pytest.mark.parametrize("at", [0.1, 0.5, 1.0])
def test_a_sealed_archive_that_was_touched_is_refused(
    saved_of: SavedOf, keyring: Keys, bucket: Bucket, calls: Calls, at: float
) -> None:
    saved = saved_of(**keyring.sealing)
    data = bytearray(saved.data)
    position = min(int(len(data) * at), len(data) - 1)
    data[position] ^= 1
    told = told_of(keyring, bucket, True)
    url = bucket.put(saved.path.name, bytes(data))
    failed = calls.fails(None, "snapshot_info", "archive", path=url, **told)
    assert failed["failure"]["fault"] == "sealed"
    url = bucket.put(saved.path.name, saved.data[:position])
    failed = calls.fails(None, "snapshot_info", "archive", path=url, **told)
    assert failed["failure"]["fault"] == "sealed"


def test_what_is_not_there_is_said(bucket: Bucket, calls: Calls) -> None:
    for module, option in (("snapshot_info", "path"), ("snapshot_rehearse", "src")):
        outcome = calls.run(None, module, store=bucket.store, **{option: bucket.url("absent.snap")})
        cause = outcome.failure.get("cause", outcome.failure)
        assert cause["kind"] == "store_missing", outcome.result["msg"]
    strange = {**bucket.store, "project": "of another cloud"}
    for module, option in (("snapshot_info", "path"), ("snapshot_rehearse", "src")):
        outcome = calls.run(None, module, store=strange, **{option: bucket.url("absent.snap")})
        assert outcome.failure["kind"] == "option", outcome.result["msg"]
        assert "store.project has no effect for s3://" in outcome.result["msg"]
    outcome = calls.run(None, "snapshot_info", store=bucket.store, path=bucket.url())
    assert outcome.failure["kind"] == "option"
    assert "is a store" in outcome.result["msg"]


def test_both_sides_of_a_diff_from_buckets(
    start: Start, keyring: Keys, bucket: Bucket, calls: Calls, tmp_path: Path
) -> None:
    cluster = start(binaries.NEW)
    cluster.http("PUT", "/v1/kv/same", data=b"1", check=True)
    cluster.http("PUT", "/v1/kv/gone", data=b"1", check=True)
    older = calls.ok(cluster, "snapshot_save", dest=f"{tmp_path}/")["dest"]
    cluster.http("DELETE", "/v1/kv/gone", check=True)
    cluster.http("PUT", "/v1/kv/new", data=b"1", check=True)
    newer = calls.ok(cluster, "snapshot_save", dest=f"{tmp_path}/", **keyring.sealing)["dest"]
    before, after = bucket.take(Path(older)), bucket.take(Path(newer))
    told = told_of(keyring, bucket, True)
    result = calls.ok(cluster, "snapshot_diff", before=before, after=after, **told)
    names = result["types"]["KVS"]["names"]
    assert (names["added"], names["removed"], names["changed"]) == (["new"], ["gone"], [])
    # What lies in a bucket is read, whatever its manifest says.
    assert result["quick"] is False
    sides = [(result[side]["path"], result[side]["sealed"]) for side in ("before", "after")]
    assert sides == [(before, False), (after, True)]
    live = calls.ok(cluster, "snapshot_diff", before=after, **told)
    assert live["types"]["KVS"]["names"] == {"added": [], "removed": [], "changed": []}
    assert calls.ok(cluster, "snapshot_diff", before=after, after=after, **told)["equal"] is True


@SEALED
def test_an_archive_in_a_bucket_is_restored(
    saved_of: SavedOf,
    start: Start,
    keyring: Keys,
    bucket: Bucket,
    calls: Calls,
    work_dir: Path,
    sealed: bool,
    inspect: Callable[[Path], dict[str, Any]],
    tmp_path: Path,
) -> None:
    saved, target = saved_of(**(keyring.sealing if sealed else {})), start(binaries.NEW)
    url = bucket.take(saved.path)
    told = {"src": url, "work_dir": str(work_dir), **told_of(keyring, bucket, sealed)}
    target.http("PUT", "/v1/kv/precious", data=b"x", check=True)
    with FaultServer(target.servers[0].address("http")) as server:  # counts, and passes everything on
        refused = calls.fails(target, "snapshot_restore", "guard", port=server.port, **told)
        assert refused["failure"]["refused"] == ["fresh"]
        told = {**told, "accept_risks": ["replace_content"], "backup_dir": bucket.url("replaced/")}
        told = {**told, **(keyring.sealing if sealed else {})}
        before = bucket.gateway.objects(bucket.name)
        checked = calls.ok(target, "snapshot_restore", check=True, port=server.port, **told)
        assert (checked["changed"], server.count(*RESTORE)) == (True, 0)
        assert bucket.gateway.objects(bucket.name) == before

        done = calls.ok(target, "snapshot_restore", port=server.port, **told)
        assert (done["changed"], done["src"], done["sealed"]) == (True, url, sealed)
        assert done["download"] == {"bytes": len(saved.data), "directory": str(work_dir)}
        assert (done["proof"]["equal"], server.count(*RESTORE)) == (True, 1)
        assert faults_of("snapshot_restore", done) == []
        check_restored(saved.seen, target)
        assert calls.ok(target, "snapshot_restore", port=server.port, **told)["changed"] is False

    # What it held before is in the bucket, and Consul's own command reads it.
    assert done["backup_file"].startswith(bucket.url("replaced/"))
    kept = bucket.get(f"replaced/{done['backup_file'].rpartition('/')[2]}")
    replaced = tmp_path / "replaced.snap"
    replaced.write_bytes(plain_of(kept, keyring, sealed))
    assert inspect(replaced)["Meta"]["Index"] > 0


@pytest.fixture(scope="session")
def inspect() -> Callable[[Path], dict[str, Any]]:
    """What ``consul snapshot inspect`` says of an archive."""

    def inspected(archive: Path) -> dict[str, Any]:
        command = [str(binaries.consul(binaries.NEW)), "snapshot", "inspect", "-format=json", str(archive)]
        return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))

    return inspected


def test_a_damaged_archive_in_a_bucket_is_never_sent(
    saved_of: SavedOf, start: Start, bucket: Bucket, calls: Calls, work_dir: Path
) -> None:
    saved, target = saved_of(), start(binaries.NEW)
    url = bucket.take(saved.path)
    bucket.put(saved.path.name, saved.data[:-40])
    with FaultServer(target.servers[0].address("http")) as server:
        told = {"src": url, "work_dir": str(work_dir), "store": bucket.store, "port": server.port}
        refused = calls.fails(target, "snapshot_restore", "guard", **told)
        assert (refused["failure"]["refused"], server.count(*RESTORE)) == (["archive"], 0)


def test_nothing_is_left_of_a_restore_that_was_killed(
    saved_of: SavedOf, start: Start, keyring: Keys, bucket: Bucket, work_dir: Path
) -> None:
    saved, target = saved_of(**keyring.sealing), start(binaries.NEW)
    url = bucket.take(saved.path)
    # Consul does not answer, so that the copy is there when the module is killed.
    with FaultServer(target.servers[0].address("http")) as server:
        server.on(*RESTORE, lambda exchange: exchange.stall())
        told = {"src": url, "work_dir": str(work_dir), "port": server.port, **told_of(keyring, bucket, True)}
        process = start_on(target, "snapshot_restore", **told)
        try:
            assert server.stalled.wait(60)
            held = [os.readlink(one) for one in Path(f"/proc/{process.pid}/fd").iterdir() if one.is_symlink()]
            assert [path for path in held if path.startswith(f"{work_dir}/") and path.endswith("(deleted)")]
            assert os.listdir(work_dir) == []
            process.send_signal(signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
        assert os.listdir(work_dir) == []


@SEALED
def test_an_archive_in_a_bucket_is_rehearsed(
    saved_of: SavedOf, keyring: Keys, bucket: Bucket, calls: Calls, work_dir: Path, sealed: bool
) -> None:
    saved = saved_of(**(keyring.sealing if sealed else {}))
    url = bucket.take(saved.path)
    consul = {"consul_binary": str(binaries.consul(binaries.NEW)), "work_dir": str(work_dir), "max_age": 86400}
    told = {"src": url, **consul, **told_of(keyring, bucket, sealed)}
    checked = calls.ok(None, "snapshot_rehearse", check=True, **told)
    assert checked["sealed"] is sealed
    result = calls.ok(None, "snapshot_rehearse", **told)
    assert (result["src"], result["passed"], result["verdict"], result["sealed"]) == (url, True, "proven", sealed)
    assert faults_of("snapshot_rehearse", result) == []
    if sealed:
        told["identity_file"] = None
        failed: Outcome = calls.run(None, "snapshot_rehearse", **told)
        assert (failed.result["passed"], failed.failure["cause"]["kind"]) == (False, "sealed")


def test_a_sealed_file_is_read_as_an_object_is(
    saved_of: SavedOf, start: Start, keyring: Keys, calls: Calls, work_dir: Path
) -> None:
    saved, target = saved_of(**keyring.sealing), start(binaries.NEW)
    told = {"src": str(saved.path), "identity_file": str(keyring.age.path), "work_dir": str(work_dir)}
    done = calls.ok(target, "snapshot_restore", **told)
    assert (done["sealed"], done["src"], done["proof"]["equal"]) == (True, str(saved.path), True)
    check_restored(saved.seen, target)


def test_a_confirmation_in_the_bucket_counts(saved_of: SavedOf, bucket: Bucket, calls: Calls, work_dir: Path) -> None:
    saved = saved_of()
    url = bucket.take(saved.path)
    manifest = json.loads(bucket.get(f"{saved.path.name}.manifest.json"))
    moment = time.gmtime(time.time() + 600)
    shown = time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)
    document = {
        "schema": "disaster_recovery.consul/confirmation",
        "version": 1,
        "archive": {"sha256": hashlib.sha256(saved.data).hexdigest()},
        "confirmed_at": shown,
        "cluster": manifest["cluster"],
    }
    name = f"{saved.path.name}.confirmed-{time.strftime('%Y%m%dT%H%M%SZ', moment)}"
    bucket.put(name, json.dumps(document).encode())
    result = calls.ok(None, "snapshot_info", path=url, store=bucket.store)
    assert result["manifest"]["confirmed_at"] == shown
    document["archive"] = {"sha256": "00" * 32}
    bucket.put(name, json.dumps(document).encode())
    result = calls.ok(None, "snapshot_info", path=url, store=bucket.store)
    assert result["manifest"]["confirmed_at"] != shown
