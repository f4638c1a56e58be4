# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One contract for all backends, each on real servers. What only S3 has is in test_s3_*.py, and so on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from contract import Local, Subject, data_of, listed, publish, read, worker

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import SnapshotError, StoreError

STRONG = ["local", "versitygw", "seaweedfs", "fake-gcs-server", "azurite"]
WRITERS = 8
PART = 8 << 20
SIZES = [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 12345]


@pytest.fixture(scope="module", params=STRONG)
def subject_server(request: pytest.FixtureRequest, server: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """Return a server that keeps every promise."""
    return Local(tmp_path_factory.mktemp("local")) if request.param == "local" else server(request.param)


@pytest.fixture
def subject(subject_server: Any) -> Subject:
    """Return a fresh bucket."""
    return Subject(subject_server, subject_server.bucket())


@pytest.fixture
def weak(server: Callable[..., Any]) -> Subject:
    """Return a bucket of a store that ignores conditions, checksums and ranges."""
    found = server("rclone")
    return Subject(found, found.bucket())


@pytest.mark.parametrize("size", SIZES)
def test_what_is_published_is_what_was_written(subject: Subject, size: int) -> None:
    data, store = data_of(size // (1 << 20) + 1)[:size], subject.store()
    assert publish(store, "x.snap", data) == "x.snap"
    assert subject.objects() == {"x.snap": data}
    assert read(store, "x.snap") == data
    found = store.properties("x.snap")
    assert (found.size, found.locked_until, found.legal_hold) == (size, None, False)
    (item,) = store.list()
    assert (item.name, item.size) == ("x.snap", size)
    assert abs(item.modified - found.modified) < 2


def test_nothing_is_visible_before_it_is_published(subject: Subject) -> None:
    store, data = subject.store(), data_of(20)
    with store.writer() as writer:
        writer.restart("x.snap")
        writer.write(data)
        writer.sync()
        assert subject.objects() == {}
        assert listed(store) == []
        # Begun anew, under another name, without anything of before.
        writer.restart("y.snap")
        writer.write(b"other")
        assert subject.objects() == {}
    assert subject.objects() == {}
    assert listed(store) == []


def test_a_writer_that_begins_anew_keeps_nothing(subject: Subject) -> None:
    store, data = subject.store(), data_of(9, "second")
    with store.writer() as writer:
        writer.restart("x.snap")
        writer.write(data_of(20, "first"))
        writer.restart("y.snap")
        writer.write(data)
        writer.publish(hashlib.sha256(data).hexdigest())
    assert subject.objects() == {"y.snap": data}


@pytest.mark.parametrize("pieces", [1, 20])
def test_nothing_is_overwritten(subject: Subject, pieces: int) -> None:
    store, data = subject.store(), data_of(pieces)
    publish(store, "x.snap", data)
    with pytest.raises(SnapshotError) as caught:
        publish(store, "x.snap", data_of(pieces, "other"))
    assert str(caught.value.kind) == "store_exists"
    assert subject.objects() == {"x.snap": data}


def test_a_small_object_is_created_only(subject: Subject) -> None:
    store = subject.store()
    store.put_new("x.json", b"{}")
    assert store.properties("x.json").size == 2
    with pytest.raises(SnapshotError) as caught:
        store.put_new("x.json", b"other")
    assert str(caught.value.kind) == "store_exists"
    assert subject.objects() == {"x.json": b"{}"}


@pytest.mark.every_version
@pytest.mark.parametrize("pieces", [1, 10])
def test_of_eight_writers_at_once_one_wins(subject: Subject, pieces: int) -> None:
    with worker(subject.job("write", "x.snap", pieces=pieces, writers=WRITERS)) as writers:
        writers.wait_for("ready")
        writers.go_on()
        results = writers.results()
    won = [result for result in results if "published" in result]
    lost = [result for result in results if "failed" in result]
    if subject.server.name == "seaweedfs" and pieces > 1:
        # Seen with the SDK alone, too: it looks first and completes the upload then, so that now and then several
        # win. The last one stays, whole.
        assert won, results
    else:
        assert len(won) == 1, results
    assert {result["failed"] for result in lost} <= {"store_exists"}
    # A save tries again with another name, which has the time in it. In a directory it finds the name under the lock.
    assert {result["retryable"] for result in lost} <= {subject.server.name != "local"}
    assert subject.objects() in [{"x.snap": data_of(pieces, winner["seed"])} for winner in won]


@pytest.mark.parametrize("moment", [0, 1, 9, 20])
def test_a_writer_that_is_killed_leaves_nothing_to_see(
    subject: Subject, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worker(subject.job("write", "x.snap", pieces=20, pause_after=moment)) as writer:
        writer.wait_for("ready")
        writer.go_on()
        writer.wait_for("paused")
        writer.kill()
    assert subject.objects() == {}
    store = subject.store()
    assert listed(store) == []
    with pytest.raises(SnapshotError):
        store.properties("x.snap")
    # The next run gets through.
    publish(store, "x.snap", b"whole")
    assert subject.objects() == {"x.snap": b"whole"}


@pytest.mark.parametrize("start", [0, 1, PART - 1, PART, PART + 1, 2 * PART + 4, 2 * PART + 5, 3 * PART])
def test_a_read_may_begin_anywhere(subject: Subject, start: int) -> None:
    store, data = subject.store(), data_of(17)[: 2 * PART + 5]
    publish(store, "x.snap", data)
    assert read(store, "x.snap", start=start) == data[start:]


def test_one_version_is_read(subject: Subject) -> None:
    store = subject.store()
    store.put_new("x.json", b"first")
    version = store.properties("x.json").version
    assert read(store, "x.json", version=version) == b"first"
    store.remove("x.json")
    store.put_new("x.json", b"again")
    assert store.properties("x.json").version != version
    with pytest.raises(SnapshotError):
        read(store, "x.json", version=version)


def test_small_reads_are_bounded(subject: Subject) -> None:
    store = subject.store()
    store.put_new("x.json", b"0123456789")
    store.put_new("empty", b"")
    assert store.read_small("x.json", 100) == b"0123456789"
    assert store.read_small("x.json", 10) == b"0123456789"
    assert store.read_small("x.json", 4) == b"0123"
    assert store.read_small("empty", 4) == b""


def test_a_store_is_one_level_of_its_prefix(subject: Subject) -> None:
    store = subject.store()
    names = ["a.snap", "a.snap.manifest.json", "b.snap", "\u00e4 +&?#%.json"]
    for name in names:
        store.put_new(name, name.encode())
    other = subject.store("deeper/")
    other.put_new("c.snap", b"not in this store")
    assert listed(store) == sorted(names)
    assert listed(store, "a.") == ["a.snap", "a.snap.manifest.json"]
    assert listed(store, "c") == []
    assert listed(other) == ["c.snap"]
    assert {name: read(store, name) for name in names} == {name: name.encode() for name in names}
    assert subject.objects() == {**{name: name.encode() for name in names}, "deeper/c.snap": b"not in this store"}


def test_removed_is_removed(subject: Subject) -> None:
    store = subject.store()
    store.put_new("x.json", b"{}")
    store.put_new("y.json", b"{}")
    store.remove("x.json")
    assert subject.objects() == {"y.json": b"{}"}
    store.remove("x.json")
    assert listed(store) == ["y.json"]


@pytest.mark.parametrize("method", ["properties", "read", "read_small"])
def test_what_is_not_there_is_said_to_be_missing(subject: Subject, method: str) -> None:
    store = subject.store()
    actions = {
        "properties": lambda: store.properties("x.snap"),
        "read": lambda: read(store, "x.snap"),
        "read_small": lambda: store.read_small("x.snap", 10),
    }
    with pytest.raises(SnapshotError) as caught:
        actions[method]()
    assert str(caught.value.kind) in ("store_missing", "file")
    assert store.place("x.snap") in caught.value.message


def test_another_digest_than_that_of_the_bytes_is_refused(subject: Subject) -> None:
    # Of an object that goes in one request; the parts of larger ones are checked by the store, each on its own.
    if subject.server.name == "local":
        pytest.skip("a directory is told the digest by the one that wrote the bytes")
    with pytest.raises(StoreError, match="other bytes"):
        publish(subject.store(), "x.snap", b"these", sha256="0" * 64)
    assert subject.objects() == {}


def test_memory_does_not_grow_with_the_object(subject: Subject) -> None:
    if subject.server.name in ("seaweedfs", "fake-gcs-server"):
        pytest.skip("one server of each protocol is enough, and this one is slow or keeps all objects in memory")
    peaks = {}
    for pieces in (64, 512):
        for do in ("write", "read"):
            with worker(subject.job(do, f"{pieces}.snap", pieces=pieces)) as one:
                if do == "write":
                    one.wait_for("ready")
                    one.go_on()
                (result,) = one.results()
            peaks[do, pieces] = result["peak_kib"]
            assert "sha256" in result
    for do in ("write", "read"):
        assert peaks[do, 512] < peaks[do, 64] + (12 << 10), peaks
        assert peaks[do, 512] < (120 << 10), peaks


def test_a_weak_store_still_works_and_is_not_trusted(weak: Subject) -> None:
    store, data = weak.store(), data_of(20)
    publish(store, "x.snap", data)
    assert read(store, "x.snap", start=PART + 1) == data[PART + 1 :]
    assert weak.objects() == {"x.snap": data}
    # What it lets through, and what store_check has to say of it.
    publish(store, "x.snap", b"overwritten")
    assert weak.objects() == {"x.snap": b"overwritten"}
    assert store.accepts_wrong_checksum("canary", b"bytes") is True
    # A request for a lock would have replaced the object by the request's own text.
    with pytest.raises(StoreError, match="no object lock"):
        store.hold("x.snap", on=True)
    with pytest.raises(StoreError, match="no object lock"):
        weak.store(object_lock={"mode": "COMPLIANCE", "days": 1}).put_new("y.json", b"{}")
    assert weak.objects()["x.snap"] == b"overwritten"
