# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of an archive, and which look at its file it takes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError, FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.describe import (
    DescribeRequest,
    describe,
    findings_of,
    result_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import digest_of

SECRET = "a value that must not show"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """An archive of three keys."""
    keys = [kv("a/b/c", SECRET.encode()), kv("a/b/d", b"x"), kv("e", b"y")]
    archive = tmp_path / "a.snap"
    archive.write_bytes(archive_around(state_of(keys), index=42))
    return str(archive)


def test_it_is_described_by_its_bytes(path: str) -> None:
    journal = Journal()
    result = result_of(describe(DescribeRequest(path), journal))
    data = Path(path).read_bytes()
    assert (result["size"], result["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (result["verified"], result["changed"], result["meta"]["index"]) == (True, False, 42)
    assert result["records"]["KVS"]["count"] == 3
    assert result["total_size"] == result["records"]["KVS"]["size"] > len(SECRET)
    assert result["manifest"] == {"path": f"{path}.manifest.json", "status": "absent"}
    assert SECRET not in json.dumps(result)
    assert set(journal.duration) == {"read", "total"}


@pytest.mark.parametrize(
    ("depth", "prefix", "prefixes"),
    [(2, "", {"a/b": 2, "e": 1}), (1, "", {"a": 2, "e": 1}), (3, "a/", {"a/b/c": 1, "a/b/d": 1}), (0, "", {})],
)
def test_keys_by_prefix(path: str, depth: int, prefix: str, prefixes: dict[str, int]) -> None:
    result = result_of(describe(DescribeRequest(path, depth, prefix), Journal()))
    assert {one["prefix"]: one["count"] for one in result["kv_prefixes"]} == prefixes


def test_the_manifest_beside_it(path: str) -> None:
    archive = describe(DescribeRequest(path), Journal()).archive
    manifest = manifest_for(
        archive,
        digest_of(path),
        file="a.snap",
        cluster=ClusterIdentity("dc1", None, None),
        consistency=Consistency(False, 0, True),
    )
    Path(manifest_path(path)).write_bytes(encode_manifest(manifest))
    told = result_of(describe(DescribeRequest(path), Journal()))["manifest"]
    assert told["status"] == "matches"
    assert told["confirmed_at"].endswith("Z")

    Path(manifest_path(path)).write_bytes(b"{")
    assert result_of(describe(DescribeRequest(path), Journal()))["manifest"]["status"] == "unreadable"


def test_findings_are_judged_for_a_version(tmp_path: Path) -> None:
    archive = tmp_path / "a.snap"
    archive.write_bytes(archive_around(state_of([Record(17, {"AccessorID": "", "SecretID": SECRET})])))
    description = describe(DescribeRequest(str(archive)), Journal())
    for target, effects in ((None, {None}), ("1.22.7", {"seen", "untested", "none"})):
        findings = result_of(description._replace(target_version=target))["findings"]
        assert [one["name"] for one in findings] == ["token_without_accessor"]
        assert {one["effect"] for one in findings} <= effects
        assert [one.name for one in findings_of(description.archive.state, target)] == ["token_without_accessor"]


def test_what_is_not_a_whole_archive(path: str, tmp_path: Path) -> None:
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) // 2])
    with pytest.raises(ArchiveError):
        describe(DescribeRequest(path), Journal())
    with pytest.raises(FileError, match="can't read"):
        describe(DescribeRequest(str(tmp_path / "absent")), Journal())
