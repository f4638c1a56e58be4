# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_restore: into fresh clusters, over content, with and without a manifest; judged by the oracle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.documented import faults_of
from support.faults import FaultServer
from support.scene import RESTORE, contents, manifest_of

from lab import Cluster
from lab.comparison import Row, compare, table
from lab.oracle import Observation, observe

Fresh = Callable[..., Cluster]
Inspect = Callable[..., dict[str, Any]]
GUARDS = [
    *("archive", "signature", "token", "health", "fresh"),
    *("datacenter", "version", "record_types", "findings", "active_peering", "token_survival", "node_identity"),
]
REPLACE = {"accept_risks": ["replace_content"]}


@pytest.fixture
def archive(golden: Any, tmp_path: Path) -> Path:
    """The seeded cluster's archive with its manifest, in a directory of its own."""
    directory = tmp_path / "archives"
    directory.mkdir()
    for path in (golden.path, manifest_of(golden.path)):
        shutil.copy2(path, directory)
    return directory / golden.path.name


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {finding["name"]: finding["status"] for finding in result["guards"]}


def differences(before: Observation, after: Observation) -> list[Row]:
    """Return the durable types that are not the same, tokens left out that the target's own configuration makes."""
    return [row for row in compare(before, after) if row.durable and not row.equal]


def check_restored(seen: Observation, target: Cluster) -> None:
    """The target holds all that the oracle saw, and beyond that only the management token of its own configuration."""
    rows = differences(seen, observe(target))
    own = target.get("/v1/acl/token/self")["AccessorID"]
    others = [row for row in rows if row.type != "acl-tokens"]
    assert not others, table(others)
    assert [(row.missing, row.different, row.extra) for row in rows] == [((), (), (own,))], table(rows)


def pairs(proof: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (one["archive"], one["cluster"]) for name, one in proof["types"].items()}


@pytest.mark.every_version
def test_check_run_again_check(golden: Any, archive: Path, fresh: Fresh, calls: Calls) -> None:
    target = fresh()
    empty = observe(target)
    assert golden.source.trust_domain() != target.trust_domain()
    kept = contents(archive.parent)

    with FaultServer(target.servers[0].address("http")) as server:  # counts, and passes everything on
        via = {"src": str(archive), "port": server.port}
        checked = calls.ok(target, "snapshot_restore", check=True, **via)
        assert (checked["changed"], checked["reason"]) == (True, "the cluster is fresh")
        assert statuses(checked) == dict.fromkeys(GUARDS, "passed")
        assert "proof" not in checked
        assert server.count(*RESTORE) == 0
        assert not differences(empty, observe(target))

        done = calls.ok(target, "snapshot_restore", diff=True, **via)
        assert server.count(*RESTORE) == 1
        assert (done["changed"], done["reason"]) == (True, "the cluster is fresh")
        assert done["backup_file"] is None
        check_restored(golden.seen, target)
        assert (done["proof"]["equal"], done["proof"]["differs"]) == (True, [])
        assert done["proof"]["types"]["KVS"] == {
            "archive": len(golden.seen["kv"]),
            "cluster": len(golden.seen["kv"]),
            "equal": True,
        }
        assert done["fingerprint"] == golden.result["fingerprint"]
        assert done["index"] == golden.result["index"]
        assert done["diff"]["after"]["records"]["KVS"] == len(golden.seen["kv"])
        assert "KVS" not in done["diff"]["before"]["records"]
        assert set(done["duration"]) == {"verify", "target", "restore", "wait", "proof", "total"}

        again = calls.ok(target, "snapshot_restore", **via)
        assert (again["changed"], again["reason"]) == (False, "the cluster already holds the archive's content")
        assert again["proof"] == done["proof"]
        assert again["diff"]["before"] == again["diff"]["after"]

        checked = calls.ok(target, "snapshot_restore", check=True, **via)
        assert not checked["changed"]
        assert server.count(*RESTORE) == 1
    assert contents(archive.parent) == kept


@pytest.mark.every_version
def test_over_content_and_back(
    golden: Any, archive: Path, fresh: Fresh, calls: Calls, tmp_path: Path, inspect: Inspect
) -> None:
    target = fresh()
    target.http("PUT", "/v1/kv/precious", data=b"only here", check=True)
    target.put("/v1/acl/policy", {"Name": "only-here", "Rules": ""})
    held = observe(target)
    directory = tmp_path / "replaced"
    directory.mkdir()

    refused = calls.fails(target, "snapshot_restore", "guard", src=str(archive))
    assert refused["failure"]["state"] == "nothing_sent"
    assert refused["failure"]["refused"] == ["fresh"]
    assert statuses(refused) == {**dict.fromkeys(GUARDS, "passed"), "fresh": "refused"}
    assert "1 ACLPolicy, 1 KVS" in refused["msg"]
    assert "accept_risks: [replace_content]" in refused["msg"]
    refused = calls.fails(target, "snapshot_restore", "guard", src=str(archive), **REPLACE)
    assert "backup_dir" in refused["msg"]
    told = {"src": str(archive), "backup_dir": str(directory), **REPLACE}
    checked = calls.ok(target, "snapshot_restore", check=True, **told)
    assert (checked["changed"], statuses(checked)["fresh"]) == (True, "accepted")
    assert contents(directory) == {}
    assert not differences(held, observe(target))

    done = calls.ok(target, "snapshot_restore", **told)
    assert (done["changed"], statuses(done)["fresh"]) == (True, "accepted")
    assert done["reason"].startswith("the cluster's content is not the archive's: ")
    check_restored(golden.seen, target)

    # The safety archive is one like any other: private, with a manifest, good for the CLI, and it restores.
    safety = Path(done["backup_file"])
    assert sorted(contents(directory)) == [safety.name, manifest_of(safety).name]
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    counts = {one["Name"]: one["Count"] for one in inspect(safety)["Stats"]}
    manifest = json.loads(manifest_of(safety).read_text())
    assert {name: stats["count"] for name, stats in manifest["records"].items()} == counts
    assert counts["KVS"] == 1
    back = calls.ok(target, "snapshot_restore", src=str(safety), backup_dir=str(directory), **REPLACE)
    assert back["changed"]
    assert not differences(held, observe(target)), table(differences(held, observe(target)))
    assert len(contents(directory)) == 4


def test_an_archive_of_the_cli_without_a_manifest(golden: Any, fresh: Fresh, calls: Calls, tmp_path: Path) -> None:
    archive = tmp_path / "cli.snap"
    golden.source.cli("snapshot", "save", archive)
    target = fresh()

    done = calls.ok(target, "snapshot_restore", src=str(archive))
    assert done["changed"]
    assert done["fingerprint"] == golden.result["fingerprint"]
    check_restored(golden.seen, target)
    assert sorted(contents(tmp_path)) == ["cli.snap"]


@pytest.mark.parametrize("described", ["matches", "absent", "stale", "unreadable"])
def test_no_manifest_is_taken_on_trust(described: str, golden: Any, archive: Path, calls: Calls) -> None:
    manifest = manifest_of(archive)
    if described == "absent":
        manifest.unlink()
    elif described == "unreadable":
        manifest.write_text("{")
    elif described == "stale":
        # One of other bytes, which would make the archive look like something else.
        text = json.loads(manifest.read_text())
        text["archive"]["sha256"] = "00" * 32
        text["fingerprint"] = {"overall": "v2:2d4d4e2c5e2a1a35a3b4ad4e0bb0cdbb", "types": {}}
        manifest.write_text(json.dumps(text))

    # The cluster that it was taken from holds that very content.
    result = calls.ok(golden.source, "snapshot_restore", src=str(archive))
    assert not result["changed"]
    assert result["fingerprint"] == golden.result["fingerprint"]
    assert result["proof"]["equal"]
    assert pairs(result["proof"])["KVS"] == (len(golden.seen["kv"]),) * 2


def test_the_token_for_afterwards(golden: Any, archive: Path, fresh: Fresh, calls: Calls) -> None:
    # A token of the target that the archive does not hold dies with the restore; its own would be made anew.
    target = fresh()
    stored = target.put("/v1/acl/token", {"Policies": [{"Name": "global-management"}]})
    token, later = stored["SecretID"], golden.source.tokens.initial_management
    target.http("PUT", "/v1/kv/precious", data=b"x", check=True)
    directory = archive.parent / "replaced"
    directory.mkdir()
    told = {"src": str(archive), "backup_dir": str(directory), "token": token, "wait_timeout": 4, **REPLACE}
    refused = calls.fails(target, "snapshot_restore", "guard", **told)
    assert refused["failure"]["refused"] == ["token_survival"]
    assert "accept_risks: [token_loss]" in refused["msg"]

    # Without one that holds afterwards nobody can tell how it went, and the message says what to do.
    failed = calls.run(target, "snapshot_restore", **{**told, "accept_risks": ["replace_content", "token_loss"]})
    assert failed.failed
    assert failed.failure["state"] == "replaced"
    assert faults_of("snapshot_restore", failed.result) == []
    assert "post_restore_token" in failed.result["msg"]
    assert failed.result["backup_file"] in failed.result["msg"]
    assert token not in failed.stdout
    check_restored(golden.seen, target)

    back = failed.result["backup_file"]
    calls.ok(target, "snapshot_restore", **{**told, "src": back, "token": later, "post_restore_token": token})
    assert target.http("GET", "/v1/kv/precious?raw", token=token).content == b"x"
    done = calls.run(target, "snapshot_restore", post_restore_token=later, **told)
    assert not done.failed, done.result
    assert done.result["proof"]["equal"]
    assert later not in done.stdout
    assert token not in done.stdout
    check_restored(golden.seen, target)


def test_tokens_that_may_not_restore(golden: Any, archive: Path, playground: Cluster, calls: Calls) -> None:
    rules = 'key_prefix "" { policy = "write" }\noperator = "read"\nagent_prefix "" { policy = "read" }'
    name = "weak-for-restores"
    policies = {one["Name"] for one in playground.get("/v1/acl/policies")}
    if name not in policies:
        playground.put("/v1/acl/policy", {"Name": name, "Rules": rules})
    weak = playground.put("/v1/acl/token", {"Policies": [{"Name": name}]})["SecretID"]

    held = observe(playground)
    for token, words in ((weak, 'acl = "write"'), ("11111111-2222-3333-4444-555555555555", "does not exist")):
        for risks in ([], ["replace_content", "unhealthy_target"]):
            told = {"src": str(archive), "token": token, "accept_risks": risks, "backup_dir": str(archive.parent)}
            result = calls.fails(playground, "snapshot_restore", "guard", **told)
            assert "token" in result["failure"]["refused"]
            [finding] = [one for one in result["guards"] if one["name"] == "token"]
            assert words in finding["detail"]
            assert finding["risk"] is None
    assert not differences(held, observe(playground))
    assert sorted(contents(archive.parent)) == sorted([archive.name, manifest_of(archive).name])
