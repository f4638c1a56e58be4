# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What store_check says of real stores, and what it leaves in them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.modules import Outcome, Runner
from support.scene import check_decent

ServerOf = Callable[..., Any]
NAMES = ["write", "read_back", "create_only", "checksums", "atomic", "versioning", "object_lock", "may_overwrite"]
NAMES.append("may_delete")
PROMISES = {"write": True, "read_back": True, "create_only": True, "checksums": True, "atomic": True}
OPEN_HOUSE = {"versioning": False, "object_lock": False, "may_overwrite": False, "may_delete": False}
KEPT = "backups/dc1-20261123T021500Z-3135.snap"

EXPECTED: dict[str, dict[str, bool | None]] = {
    "versitygw": {**PROMISES, **OPEN_HOUSE},
    "seaweedfs": {**PROMISES, **OPEN_HOUSE},
    "rclone": {**PROMISES, **OPEN_HOUSE, "create_only": False, "checksums": False},
    # It compares the checksums of small objects.
    "fake-gcs-server": {**PROMISES, **OPEN_HOUSE},
    "azurite": {**PROMISES, **OPEN_HOUSE},
}


def checked(runner: Runner, path: str, store: dict[str, Any] | None = None, **options: Any) -> Outcome:
    """Run the module; the secrets of its options are shown nowhere."""
    told = {"path": path, "store": store, **options}
    outcome = runner.run("store_check", **{name: value for name, value in told.items() if value is not None})
    secrets = [value for name, value in (store or {}).items() if name in ("secret_key", "account_key", "sas_token")]
    check_decent(outcome, secrets)
    return outcome


def verdicts(outcome: Outcome) -> dict[str, bool | None]:
    """Return what is ok by name; the table is whole, in order, and says why."""
    assert not outcome.failed, outcome.result
    assert outcome.result["changed"] is False
    checks = outcome.result["checks"]
    assert [row["name"] for row in checks] == NAMES
    assert all(row["detail"] for row in checks)
    return {row["name"]: row["ok"] for row in checks}


def detail_of(outcome: Outcome, name: str) -> str:
    return str(next(row["detail"] for row in outcome.result["checks"] if row["name"] == name))


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_said_of_a_store_and_nothing_is_left_in_it(server: ServerOf, runner: Runner, name: str) -> None:
    store = server(name)
    bucket = store.bucket()
    outcome = checked(runner, store.url(bucket, "backups/"), store.options())

    assert verdicts(outcome) == EXPECTED[name], outcome.result["checks"]
    assert outcome.result["left_behind"] == []
    assert store.objects(bucket) == {}
    warned = json.dumps(outcome.result.get("warnings", []))
    for promise in ("create_only", "checksums", "atomic"):
        assert (f"{promise}: " in warned) == (EXPECTED[name][promise] is False)
    if store.scheme == "s3":
        assert store.uploads(bucket) == []


def test_a_directory_is_checked_as_well(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "kept.snap").write_bytes(b"an archive")
    outcome = checked(runner, str(tmp_path))

    assert verdicts(outcome) == {
        **{**PROMISES, "checksums": None},
        **{**OPEN_HOUSE, "versioning": None},
    }
    assert outcome.result["left_behind"] == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"kept.snap": b"an archive"}


def test_what_was_there_is_left_alone(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    bucket = store.bucket(versioning=True)
    store.client().put_object(Bucket=bucket, Key=KEPT, Body=b"an archive")
    outcome = checked(runner, store.url(bucket, "backups/"), store.options())

    assert verdicts(outcome)["versioning"] is True
    assert "the older version is kept" in detail_of(outcome, "may_overwrite")
    assert outcome.result["left_behind"] == []
    # No version and no delete marker of ours is left either.
    listed = store.client().list_object_versions(Bucket=bucket)
    assert [version["Key"] for version in listed.get("Versions", [])] == [KEPT]
    assert listed.get("DeleteMarkers", []) == []


def test_in_check_mode_nothing_is_written(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    bucket = store.bucket(object_lock=True)
    outcome = checked(runner, store.url(bucket, "backups/"), store.options(), check=True)

    untried = {name: None for name in NAMES if name not in ("versioning", "object_lock")}
    assert verdicts(outcome) == {**untried, "versioning": True, "object_lock": False}
    assert store.client().list_object_versions(Bucket=bucket).get("Versions", []) == []


def test_a_lock_is_seen_to_hold_and_its_object_is_named_until_then(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    bucket = store.bucket(object_lock=True)
    options = store.options(object_lock={"mode": "COMPLIANCE", "days": 30})
    outcome = checked(runner, store.url(bucket, "backups/"), options)

    assert verdicts(outcome)["object_lock"] is True
    (left,) = outcome.result["left_behind"]
    until = datetime.strptime(left["locked_until"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    # Minutes, not the days for which archives are locked.
    assert time.time() < until < time.time() + 3600
    (version,) = store.client().list_object_versions(Bucket=bucket)["Versions"]
    assert left["path"] == store.url(bucket, version["Key"])
    retention = store.client().get_object_retention(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert retention["Retention"]["Mode"] == "COMPLIANCE"
    assert abs(retention["Retention"]["RetainUntilDate"].timestamp() - until) <= 1


def test_a_bucket_without_locks_is_found_out(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    bucket = store.bucket()
    options = store.options(object_lock={"mode": "GOVERNANCE", "days": 1})
    outcome = checked(runner, store.url(bucket, "backups/"), options)

    assert verdicts(outcome)["object_lock"] is False
    assert "does not accept object locks" in detail_of(outcome, "object_lock")
    assert store.objects(bucket) == {}


READ = ("s3:ListBucket", "s3:GetObject", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts")
WRITE = ("s3:PutObject", "s3:AbortMultipartUpload")


def test_credentials_that_can_not_remove_are_seen_and_what_stays_is_named(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    bucket = store.bucket()
    keys = store.user(bucket, *READ, *WRITE)
    outcome = checked(runner, store.url(bucket, "backups/"), store.options(**keys))

    found = verdicts(outcome)
    assert (found["write"], found["create_only"], found["may_delete"], found["may_overwrite"]) == (
        *(True, True, True, False),
    )
    left = {row["path"] for row in outcome.result["left_behind"]}
    assert left == {store.url(bucket, key) for key in store.objects(bucket)}
    assert left
    assert {row["path"] for row in outcome.result["left_behind"] if "DeleteObject" in row["reason"]} == left


def test_credentials_that_only_read_are_seen(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    bucket = store.bucket()
    keys = store.user(bucket, *READ)
    outcome = checked(runner, store.url(bucket, "backups/"), store.options(**keys))

    found = verdicts(outcome)
    assert found["write"] is False
    assert "PutObject" in detail_of(outcome, "write")
    assert [found[name] for name in ("read_back", "create_only", "atomic", "may_delete")] == [None] * 4
    assert store.objects(bucket) == {}


def test_what_is_required_and_not_there_fails_by_name(server: ServerOf, runner: Runner) -> None:
    store = server("rclone")
    bucket = store.bucket()
    required = ["write", "create_only", "checksums"]
    outcome = checked(runner, store.url(bucket, "backups/"), store.options(), require=required)

    assert outcome.failure["kind"] == "store"
    assert outcome.failure["unmet"] == ["create_only", "checksums"]
    assert [row["name"] for row in outcome.result["checks"]] == NAMES
    assert store.objects(bucket) == {}

    assert not checked(runner, store.url(bucket, "backups/"), store.options(), require=["write", "atomic"]).failed


FAILURES = [
    ({"secret_key": "another-secret-0123456789"}, "store_credentials"),
    ({"endpoint_url": "http://127.0.0.1:9", "retries": 0}, "store_unavailable"),
]


@pytest.mark.parametrize(("changed", "kind"), FAILURES, ids=[row[1] for row in FAILURES])
def test_a_store_that_can_not_be_asked_fails_by_its_kind(
    server: ServerOf, runner: Runner, changed: dict[str, Any], kind: str
) -> None:
    store = server("versitygw")
    outcome = checked(runner, store.url(store.bucket(), "backups/"), store.options(**changed))

    assert outcome.failure["kind"] == kind, outcome.result["msg"]
    assert outcome.failure["hint"]


def test_a_bucket_that_is_not_there_fails_by_its_kind(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    outcome = checked(runner, store.url("no-such-bucket"), store.options())

    assert outcome.failure["kind"] == "store_missing", json.dumps(outcome.result)


def test_a_setting_of_another_kind_of_store_is_refused(server: ServerOf, runner: Runner) -> None:
    store = server("versitygw")
    outcome = checked(runner, store.url(store.bucket()), store.options(sas_token="sig=c2VjcmV0"))

    assert outcome.failure["kind"] == "option"
    assert "store.sas_token" in outcome.result["msg"]
