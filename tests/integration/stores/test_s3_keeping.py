# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays in a bucket: locks, holds, what killed writers left, ten thousand objects, and what S3 notes with each."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from contract import PREFIX, Subject, data_of, publish, read, worker
from support.faults import LOOPBACK, FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import s3

DAY = 86_400


@pytest.fixture(scope="module", params=["versitygw", "seaweedfs"])
def keeper(request: pytest.FixtureRequest, server: Callable[..., Any]) -> Any:
    """Return a server that has locks."""
    return server(request.param)


@pytest.fixture
def locked(keeper: Any) -> Subject:
    """Return a bucket with object lock."""
    return Subject(keeper, keeper.bucket(object_lock=True))


@pytest.fixture
def subject(keeper: Any) -> Subject:
    """Return a bucket without."""
    return Subject(keeper, keeper.bucket())


def retention(subject: Subject, name: str) -> tuple[str, float]:
    """Return the mode and the end of a lock, as the SDK tells them."""
    key = f"{PREFIX}{name}"
    told = subject.server.client().get_object_retention(Bucket=subject.bucket, Key=key)["Retention"]
    return told["Mode"], told["RetainUntilDate"].timestamp()


@pytest.mark.parametrize("pieces", [1, 10])
def test_a_new_object_is_locked(locked: Subject, pieces: int) -> None:
    store = locked.store(object_lock={"mode": "COMPLIANCE", "days": 3})
    began = time.time()
    publish(store, "x.snap", data_of(pieces))
    store.put_new("x.snap.manifest.json", b"{}")
    for name in ("x.snap", "x.snap.manifest.json"):
        mode, until = retention(locked, name)
        assert mode == "COMPLIANCE"
        assert began + 3 * DAY <= until <= time.time() + 3 * DAY + 1
        found = store.properties(name)
        assert (found.lock_mode, found.locked_until) == ("COMPLIANCE", until)
        with pytest.raises(StoreError, match="locked until") as caught:
            store.remove(name)
        assert caught.value.kind == FailureKind.STORE_LOCKED
        # Neither can those who own the bucket.
        client, key = locked.server.client(), f"{PREFIX}{name}"
        version = client.head_object(Bucket=locked.bucket, Key=key)["VersionId"]
        with pytest.raises(ClientError):
            client.delete_object(Bucket=locked.bucket, Key=key, VersionId=version)
        with pytest.raises(ClientError):
            client.put_object_retention(
                Bucket=locked.bucket,
                Key=key,
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": began + DAY},
            )
    assert set(locked.objects()) == {"x.snap", "x.snap.manifest.json"}


def test_a_lock_is_extended_and_never_shortened(locked: Subject) -> None:
    store = locked.store(object_lock={"mode": "COMPLIANCE", "days": 3})
    store.put_new("x.snap", b"{}")
    _mode, first = retention(locked, "x.snap")
    longer = locked.store(object_lock={"mode": "COMPLIANCE", "days": 9}).extend_lock("x.snap")
    assert retention(locked, "x.snap") == ("COMPLIANCE", longer)
    assert longer >= first + 6 * DAY - 2
    # A shorter one, and a weaker one, leave it as it is.
    for mode in ("COMPLIANCE", "GOVERNANCE"):
        assert locked.store(object_lock={"mode": mode, "days": 1}).extend_lock("x.snap") == longer
        assert retention(locked, "x.snap") == ("COMPLIANCE", longer)
    assert locked.store().extend_lock("x.snap") is None


def test_an_object_without_a_lock_gets_one(locked: Subject) -> None:
    locked.store().put_new("x.snap", b"{}")
    until = locked.store(object_lock={"mode": "GOVERNANCE", "days": 1}).extend_lock("x.snap")
    assert retention(locked, "x.snap") == ("GOVERNANCE", until)


def test_a_hold_keeps_an_object_until_it_is_taken_back(locked: Subject) -> None:
    store = locked.store()
    store.put_new("x.snap", b"{}")
    store.hold("x.snap", on=True)
    assert store.properties("x.snap").legal_hold
    with pytest.raises(StoreError, match="legal hold") as caught:
        store.remove("x.snap")
    assert caught.value.kind == FailureKind.STORE_LOCKED
    assert locked.objects() == {"x.snap": b"{}"}
    store.hold("x.snap", on=False)
    store.remove("x.snap")
    assert locked.objects() == {}


def test_a_bucket_without_locks_is_said_to_have_none(subject: Subject) -> None:
    store = subject.store(object_lock={"mode": "GOVERNANCE", "days": 1})
    subject.store().put_new("x.snap", b"{}")
    actions: list[Callable[[], Any]] = [
        lambda: publish(store, "y.snap", b"small"),
        lambda: publish(store, "y.snap", data_of(10)),
        lambda: store.put_new("y.json", b"{}"),
        lambda: store.extend_lock("x.snap"),
        lambda: store.hold("x.snap", on=True),
    ]
    for action in actions:
        with pytest.raises(StoreError, match="no object lock"):
            action()
    assert subject.objects() == {"x.snap": b"{}"}


def test_removed_is_removed_for_good_where_versions_are_kept(keeper: Any) -> None:
    subject = Subject(keeper, keeper.bucket(versioning=True))
    store = subject.store()
    assert store.versioning() is True
    store.put_new("x.snap", b"{}")
    store.remove("x.snap")
    told = keeper.client().list_object_versions(Bucket=subject.bucket)
    assert [told.get("Versions", []), told.get("DeleteMarkers", [])] == [[], []]


def test_what_store_check_asks(locked: Subject, subject: Subject) -> None:
    assert subject.store().versioning() is False
    assert subject.store().lock_default() is None
    assert subject.store().accepts_wrong_checksum("canary", b"bytes") is False
    assert subject.objects() == {}
    assert subject.server.uploads(subject.bucket) == []
    store = locked.store()
    store.put_new("x.json", b"1")
    store.overwrite("x.json", b"2")
    assert locked.objects() == {"x.json": b"2"}
    assert list(store.purge("x.json")) == []
    told = locked.server.client().list_object_versions(Bucket=locked.bucket)
    assert told.get("Versions", []) + told.get("DeleteMarkers", []) == []
    until = time.time() + 3600
    store.put_locked("y.json", b"1", s3_lock("COMPLIANCE"), until)
    (remnant,) = store.purge("y.json")
    assert (remnant.name, remnant.reason) == ("y.json", "it is locked")
    assert until <= remnant.locked_until <= until + 1
    assert locked.objects() == {"y.json": b"1"}


def s3_lock(mode: str) -> Any:
    """Return a lock of a mode; its days don't count here."""
    from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import ObjectLock

    return ObjectLock(mode, 1)


def left_behind(subject: Subject) -> None:
    """Kill a writer in the midst of it."""
    with worker(subject.job("write", "x.snap", pieces=20, pause_after=20)) as writer:
        writer.wait_for("ready")
        writer.go_on()
        writer.wait_for("paused")
        writer.kill()


def test_what_a_killed_writer_left_is_cleaned_a_day_later(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    left_behind(subject)
    client = subject.server.client()
    others = [f"{PREFIX}x.bin", f"{PREFIX}deeper/x.snap", "elsewhere/x.snap"]
    for key in others:
        client.create_multipart_upload(Bucket=subject.bucket, Key=key)
    store = subject.store()
    # It may still be at work.
    assert list(store.clean()) == []
    assert sorted(subject.server.uploads(subject.bucket)) == sorted([f"{PREFIX}x.snap", *others])
    monkeypatch.setattr(s3, "time", SimpleNamespace(time=lambda: time.time() + 2 * DAY))
    assert list(store.clean()) == ["x.snap"]
    # What others upload is theirs.
    assert sorted(subject.server.uploads(subject.bucket)) == sorted(others)
    assert list(store.clean()) == []


def test_an_upload_that_was_cleaned_away_fails_in_words(subject: Subject) -> None:
    store = subject.store()
    client = subject.server.client()
    with store.writer() as writer:
        writer.restart("x.snap")
        writer.write(data_of(20))
        (upload,) = client.list_multipart_uploads(Bucket=subject.bucket)["Uploads"]
        client.abort_multipart_upload(Bucket=subject.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        with pytest.raises(StoreError, match="no longer there"):
            writer.publish("0" * 64)
    assert subject.objects() == {}


def test_what_is_noted_with_an_object(subject: Subject) -> None:
    import base64
    import hashlib

    store, client = subject.store(), subject.server.client()
    publish(store, "small.snap", b"small")
    publish(store, "large.snap", data_of(20))
    found = {
        name: client.head_object(Bucket=subject.bucket, Key=f"{PREFIX}{name}", ChecksumMode="ENABLED")
        for name in ("small.snap", "large.snap")
    }
    digest = hashlib.sha256(b"small")
    assert found["small.snap"]["Metadata"]["sha256"] == digest.hexdigest() == store.properties("small.snap").sha256
    assert found["small.snap"]["ChecksumSHA256"] == base64.b64encode(digest.digest()).decode()
    # Each part has its own SHA-256 in the store; that of the whole is the manifest's.
    assert found["large.snap"]["ChecksumSHA256"].endswith("-3")
    assert found["large.snap"]["Metadata"]["part-size"] == str(8 << 20)
    assert store.properties("large.snap").sha256 is None
    told = {name for head in found.values() for name in head["Metadata"]}
    assert told == {"sha256", "part-size", "writer"}


def test_objects_of_other_programs_are_read(subject: Subject) -> None:
    data = data_of(9)
    subject.server.client().put_object(Bucket=subject.bucket, Key=f"{PREFIX}x.snap", Body=data)
    store = subject.store()
    assert read(store, "x.snap") == data
    assert read(store, "x.snap", start=8 << 20) == data[8 << 20 :]
    assert store.properties("x.snap").sha256 is None


def test_ten_thousand_objects_are_listed_in_pages(server: Callable[..., Any]) -> None:
    gateway = server("versitygw")
    subject = Subject(gateway, gateway.bucket())
    names = {f"{number:05}.snap" for number in range(10_000)}
    # As files where this server keeps objects: that many requests would take a minute.
    directory = gateway.directory / "data" / subject.bucket / PREFIX
    directory.mkdir()
    for name in names:
        (directory / name).touch()
    with FaultServer(gateway.endpoint, keeps_host=True) as between:
        store = subject.store(endpoint_url=f"http://{LOOPBACK}:{between.port}")
        assert {item.name for item in store.list()} == names
        assert between.count("GET", f"/{subject.bucket}") == 10
        assert len(list(store.list("0123"))) == 10
        assert between.count("GET", f"/{subject.bucket}") == 11
