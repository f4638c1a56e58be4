# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of both versions in servers of both, and the servers' end where that has to be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.documented import faults_of, returns_of
from support.records import with_changed
from support.states import UNKNOWN, Record, with_records

from lab import binaries

from .conftest import Rehearse, Sample, SampleOf

TOKEN = 17
GO_YEAR_ONE = 62_135_596_800


def finding(result: dict, name: str) -> dict:
    return next(one for one in result["findings"] if one["name"] == name)


@pytest.mark.every_version
def test_in_the_same_version(sample: Sample, rehearse: Rehearse) -> None:
    looked = rehearse.ok(sample.path, sample.version, check=True, max_age=3600)
    assert (looked["verdict"], looked["passed"], looked["server_version"]) == (None, True, sample.version)
    assert (looked["rto"], looked["isolation"], looked["memory_bytes"]) == ({}, None, None)
    assert looked["targets"][0]["met"]
    told = {"max_rto": 60, "max_age": 3600, "timeout": 100, "keep_on_failure": True}
    result = rehearse.ok(sample.path, sample.version, assertions=[{"service": "postgres"}], **told)

    assert (result["verdict"], result["passed"]) == ("proven", True)
    assert (result["archive_version"], result["server_version"]) == (sample.version, sample.version)
    assert (result["datacenter"], result["cluster_id"]) == ("dc1", sample.source.trust_domain().partition(".")[0])
    assert result["proof"]["equal"]
    # None of the servers' tokens is in the archive of another cluster: the leader makes its own anew.
    assert result["proof"]["types"]["ACLToken"]["archive"] > 10
    assert "changes" not in result
    assert result["rto"].keys() == {"start", "restore", "ready", "proof", "total"}
    phases = [seconds for name, seconds in result["rto"].items() if name != "total"]
    assert 0 < result["rto"]["total"] == pytest.approx(sum(phases), abs=0.01)
    assert 30_000_000 < result["memory_bytes"] < 500_000_000
    assert [one["name"] for one in result["targets"]] == ["rto", "age"]
    assert [one["passed"] for one in result["assertions"]] == [True]
    assert (result["isolation"], result["kept_dir"]) == ("network_namespace", None)
    assert faults_of("snapshot_rehearse", looked) == faults_of("snapshot_rehearse", result) == []
    # Seen by itself: what is documented in vain.
    assert set(returns_of("snapshot_rehearse")) - result.keys() == {"failure", "changes", "download"}


def test_old_in_new(sample_of: SampleOf, rehearse: Rehearse) -> None:
    old = sample_of(binaries.OLD)
    result = rehearse.ok(old.path, binaries.NEW)

    assert (result["verdict"], result["passed"]) == ("proven", True)
    assert (result["archive_version"], result["server_version"]) == (binaries.OLD, binaries.NEW)
    assert result["proof"]["across_versions"]
    changes = result["changes"]
    assert all(one["equal"] for one in changes.values())
    assert changes["ACLPolicy"]["names"]["added"] == ["builtin/global-read-only"]
    assert "global-management" in changes["ACLPolicy"]["names"]["changed"]
    # Keys are written the same way in all versions.
    assert "KVS" not in changes
    assert faults_of("snapshot_rehearse", result) == []


def test_the_true_reason_where_a_newer_version_loses_something(
    sample_of: SampleOf, rehearse: Rehearse, tmp_path: Path
) -> None:
    """A legacy token holds its rules itself; 1.22.7 has no place for them."""
    src = tmp_path / "legacy.snap"
    named: list[str] = []

    def legacy(record: dict[bytes, object]) -> dict[bytes, object] | None:
        if named or not record[b"Description"].startswith(b"lab token"):
            return None
        named.append(record[b"AccessorID"].decode())
        return {**record, b"Policies": None, b"Type": b"client", b"Rules": b'key "" { policy = "read" }'}

    src.write_bytes(with_changed(sample_of(binaries.OLD).path.read_bytes(), TOKEN, legacy))
    result = rehearse.fails(src, binaries.NEW)

    assert (result["verdict"], result["proof"]["differs"]) == ("not_proven", ["ACLToken"])
    assert {"type": "ACLToken", "field": "Rules", "count": 1, "names": named} in result["proof"]["lost"]
    assert f"Consul {binaries.NEW} does not know everything that the archive holds: " in result["msg"]
    assert f"Rules of 1 ACLToken records is lost ({named[0]})" in result["msg"]
    assert "consul acl token update -upgrade-legacy" in result["failure"]["hint"]
    assert 'policy = "read"' not in str(result)
    assert faults_of("snapshot_rehearse", result) == []


def test_new_in_old_is_refused_before_a_server_is_started(sample_of: SampleOf, rehearse: Rehearse) -> None:
    src, told = sample_of(binaries.NEW).path, {"assertions": [{"service": "web"}]}
    for check in (True, False):
        result = rehearse.fails(src, binaries.OLD, check=check, **told)
        assert (result["verdict"], result["isolation"], result["rto"]) == ("refused", None, {})
        assert "SystemMetadata" in result["msg"]
        assert "attempt_anyway" in result["failure"]["hint"]
        assert faults_of("snapshot_rehearse", result) == []


def test_new_in_old_kills_the_server_when_that_is_asked_for(sample_of: SampleOf, rehearse: Rehearse) -> None:
    told = {"attempt_anyway": True, "assertions": [{"service": "web"}]}
    result = rehearse.ok(sample_of(binaries.NEW).path, binaries.OLD, **told)

    assert (result["verdict"], result["passed"]) == ("died", False)
    died = finding(result, "server_died")
    assert died["severity"] == "critical"
    assert any("Unrecognized msg type" in line for line in died["crash_log"])
    assert result["assertions"] == [
        {"name": "service web", "passed": False, "detail": "was not checked: the rehearsal ended before"}
    ]
    assert result["memory_bytes"] > 30_000_000
    assert faults_of("snapshot_rehearse", result) == []


def test_a_type_that_nobody_knows(sample: Sample, rehearse: Rehearse, tmp_path: Path) -> None:
    src = tmp_path / "unknown.snap"
    src.write_bytes(with_records(sample.path.read_bytes(), [Record(UNKNOWN, {"SecretID": "x"})]))

    assert rehearse.fails(src, sample.version)["verdict"] == "refused"
    died = rehearse.ok(src, sample.version, attempt_anyway=True)
    assert died["verdict"] == "died"
    assert any(str(UNKNOWN) in line for line in finding(died, "server_died")["crash_log"])


def test_a_death_that_no_guard_foresaw(sample_of: SampleOf, rehearse: Rehearse, tmp_path: Path) -> None:
    """1.22.7 dies of a token without accessor, and 1.8.7 gives it one."""
    src = tmp_path / "accessor.snap"
    seen: list[object] = []

    def without_accessor(record: dict[bytes, object]) -> dict[bytes, object] | None:
        if record[b"Description"].startswith(b"lab token 0") and not seen:
            seen.append(record)
            return {**record, b"AccessorID": b""}
        return None

    src.write_bytes(with_changed(sample_of(binaries.OLD).path.read_bytes(), TOKEN, without_accessor))
    result = rehearse.fails(src, binaries.NEW)

    assert result["verdict"] == "died"
    assert "missing value for index 'accessor'" in result["msg"]
    assert result["failure"]["cause"]["kind"] == "died"
    assert {"server_died", "token_without_accessor"} <= {one["name"] for one in result["findings"]}
    assert seen[0][b"SecretID"].decode() not in str(result)
    assert faults_of("snapshot_rehearse", result) == []


def test_tokens_that_have_expired_since_are_no_difference(sample: Sample, rehearse: Rehearse, tmp_path: Path) -> None:
    src = tmp_path / "expired.snap"
    past = b"\1" + (GO_YEAR_ONE + int(time.time()) - 60).to_bytes(8, "big") + bytes(4) + b"\xff\xff"

    def expired(record: dict[bytes, object]) -> dict[bytes, object] | None:
        return {**record, b"ExpirationTime": past} if record[b"Description"].startswith(b"lab token") else None

    src.write_bytes(with_changed(sample.path.read_bytes(), TOKEN, expired))
    for binary in sorted({sample.version, binaries.NEW}):
        result = rehearse.ok(src, binary)
        assert result["verdict"] == "proven"
        assert finding(result, "token_expired")["count"] > 10


def test_an_archive_that_does_not_verify(sample: Sample, rehearse: Rehearse, tmp_path: Path) -> None:
    src = tmp_path / "cut.snap"
    src.write_bytes(sample.path.read_bytes()[:-100])
    result = rehearse.fails(src, sample.version, max_age=10, max_rto=10, attempt_anyway=True)

    assert (result["verdict"], result["isolation"]) == ("refused", None)
    assert result["failure"]["cause"]["fault"]
    assert [one["met"] for one in result["targets"]] == [False, False]
    assert faults_of("snapshot_rehearse", result) == []
