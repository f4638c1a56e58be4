# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bucket as it is found: how much of it is read, by how many, and what is made of an answer that is a refusal."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.catalogue import (
    _BATCH,
    READERS,
    read_catalogue,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.confirmation import (
    Confirmation,
    confirmation_name,
    encode_confirmation,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import Location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import encode_manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.protocol import (
    Item,
    Properties,
    Store,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import (
    Entry,
    confirm,
    entries_of,
    is_intact,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

from .test_store import OURS, keep, manifest_of

PLACE = "s3://bucket/backups/"


class Bucket(Store):
    """A bucket, as far as these tests go: it counts what is asked of it, and refuses what it is told to."""

    def __init__(self, path: Path) -> None:
        self.directory = str(path)
        self.location = Location("s3", "bucket", "backups/")
        self.told: Properties | None = None
        self.read: list[str] = []
        self.lists = 0
        self.threads: set[int] = set()
        self.refusals: dict[str, FailureKind] = {}

    def place(self, name: str) -> str:
        return f"{PLACE}{name}"

    def list(self, prefix: str = "") -> Iterator[Item]:
        self.lists += 1
        for name in os.listdir(self.directory):
            status = os.stat(os.path.join(self.directory, name))
            if name.startswith(prefix):
                yield Item(name, status.st_size, status.st_mtime)

    def read_small(self, name: str, limit: int) -> bytes:
        self.read.append(name)
        self.threads.add(threading.get_ident())
        for ending, kind in self.refusals.items():
            if name.endswith(ending):
                raise StoreError("refused", kind=kind)
        with open(os.path.join(self.directory, name), "rb") as file:
            return file.read(limit)

    def remove(self, name: str) -> None:
        for ending, kind in self.refusals.items():
            if name.endswith(ending):
                raise StoreError("refused", kind=kind)
        os.unlink(os.path.join(self.directory, name))

    def properties(self, name: str) -> Properties:
        if self.told is None:
            raise StoreError("none", kind=FailureKind.STORE_MISSING)
        return self.told

    def put_new(self, name: str, data: bytes) -> None:
        with open(os.path.join(self.directory, name), "xb") as file:
            file.write(data)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    """An empty bucket."""
    return Bucket(tmp_path)  # type: ignore[abstract]  # it does what these tests ask for


def archives(directory: Path, count: int) -> None:
    """Put archives there, the one of the highest number written last."""
    for number in range(count):
        manifest = manifest_of(b"data", index=number, taken_at=1_000 + number)
        path = keep(directory, f"{number}.snap", b"data", manifest)
        os.utime(path, (1_000 + number, 1_000 + number))


def test_one_list_and_one_reading_of_each_manifest_by_several_threads(bucket: Bucket, tmp_path: Path) -> None:
    archives(tmp_path, 40)
    found = read_catalogue(bucket).archives
    assert [one.path for one in found] == [f"{PLACE}{name}" for name in sorted(f"{n}.snap" for n in range(40))]
    assert {one.status for one in found} == {"matches"}
    assert bucket.lists == 1
    assert sorted(bucket.read) == sorted(f"{number}.snap.manifest.json" for number in range(40))
    assert 1 <= len(bucket.threads) <= READERS
    assert threading.main_thread().ident not in bucket.threads
    assert threading.active_count() == 1


def test_no_more_is_read_than_it_takes(bucket: Bucket, tmp_path: Path) -> None:
    archives(tmp_path, _BATCH + 40)
    # The oldest was confirmed last.
    note = tmp_path / confirmation_name("0.snap", 5_000)
    note.write_bytes(encode_confirmation(Confirmation(manifest_of(b"data").sha256, 5_000, OURS)))
    entries = entries_of(bucket, enough=lambda found: len(found) > 0)
    assert len(entries) == _BATCH
    indexes = {entry.manifest.index for entry in entries}
    assert indexes == {0, *range(41, _BATCH + 40)}
    assert {entry.manifest.confirmed_at for entry in entries if entry.manifest.index == 0} == {5_000}
    assert len(entries_of(bucket, enough=lambda found: False)) == _BATCH + 40


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FailureKind.STORE_MISSING, "absent"),
        (FailureKind.STORE_DENIED, "unreadable"),
        (FailureKind.STORE, "unreadable"),
    ],
)
def test_a_manifest_that_can_not_be_had(bucket: Bucket, tmp_path: Path, kind: FailureKind, status: str) -> None:
    archives(tmp_path, 2)
    bucket.refusals["0.snap.manifest.json"] = kind
    assert [one.status for one in read_catalogue(bucket).archives] == [status, "matches"]
    assert [entry.name for entry in entries_of(bucket)] == ["1.snap"]


@pytest.mark.parametrize("kind", [FailureKind.STORE_UNAVAILABLE, FailureKind.STORE_CREDENTIALS])
@pytest.mark.parametrize("ending", [".manifest.json", "Z", ".snap"])
def test_a_store_that_does_not_answer_is_not_taken_for_an_empty_one(
    bucket: Bucket, tmp_path: Path, kind: FailureKind, ending: str
) -> None:
    archives(tmp_path, 2)
    (tmp_path / confirmation_name("0.snap", 2_000)).write_bytes(b"{}")
    keep(tmp_path, "alone.snap", b"data", None)
    bucket.refusals[ending] = kind
    with pytest.raises(StoreError) as caught:
        read_catalogue(bucket)
    assert caught.value.kind is kind


def test_an_archive_that_may_not_be_read_is_left_alone(bucket: Bucket, tmp_path: Path) -> None:
    keep(tmp_path, "alone.snap", b"data", None)
    keep(tmp_path, "sealed.snap.age", b"data", None)
    bucket.refusals[".snap"] = FailureKind.STORE_DENIED
    found = read_catalogue(bucket)
    assert [(one.name, one.sealed) for one in found.archives] == [("sealed.snap.age", True)]
    assert found.skipped == [(f"{PLACE}alone.snap", "can't be read: permission denied")]
    # Nobody could tell anything from its first bytes.
    assert "sealed.snap.age" not in bucket.read


def test_a_bucket_is_asked_whether_an_archive_is_intact(bucket: Bucket, tmp_path: Path) -> None:
    keep(tmp_path, "a.snap", b"data", None)
    entry = Entry(f"{PLACE}a.snap", manifest_of(b"data"))
    assert not is_intact(bucket, entry)
    for size, sha256, intact in (
        (4, None, True),
        (4, entry.manifest.sha256, True),
        (4, "ab" * 32, False),
        (5, None, False),
    ):
        bucket.told = Properties(size, 0.0, "a version", sha256=sha256)
        assert is_intact(bucket, entry) is intact


NOW = from_text("2026-11-26T00:00:00Z")


def test_older_confirmations_go_until_one_may_not(bucket: Bucket, tmp_path: Path) -> None:
    keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    old = [confirmation_name("a.snap", NOW - hours * 3600) for hours in (3, 2, 1)]
    for name in old:
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / confirmation_name("b.snap", NOW - 3600)).write_bytes(b"{}")
    bucket.refusals[old[1]] = FailureKind.STORE_LOCKED
    confirm(bucket, Entry(f"{PLACE}a.snap", replace(manifest_of(b"data"), confirmed_at=NOW)))
    left = {name for name in os.listdir(tmp_path) if ".confirmed-" in name}
    others = {confirmation_name("a.snap", NOW), confirmation_name("b.snap", NOW - 3600)}
    assert left == {old[1], old[2], *others}
    # In the same second somebody else may have noted the same.
    bucket.refusals.clear()
    confirm(bucket, Entry(f"{PLACE}a.snap", replace(manifest_of(b"data"), confirmed_at=NOW + 1)))
    assert {name for name in os.listdir(tmp_path) if "a.snap.confirmed-" in name} == {
        confirmation_name("a.snap", NOW + 1)
    }


def test_hostile_names_of_confirmations_cost_no_reading(bucket: Bucket, tmp_path: Path) -> None:
    keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    for seconds in range(200):
        (tmp_path / confirmation_name("a.snap", 2_000 + seconds)).write_bytes(b"{")
    (tmp_path / "a.snap.confirmed-20260230T000000Z").write_bytes(b"{")
    [entry] = entries_of(bucket)
    assert entry.manifest == manifest_of(b"data")
    assert len(bucket.read) <= 4


def test_a_manifest_that_was_written_before_sealing_says_what_it_said(bucket: Bucket, tmp_path: Path) -> None:
    text = encode_manifest(manifest_of(b"data"))
    assert b"sealed" not in text
    (tmp_path / "a.snap").write_bytes(b"data")
    (tmp_path / "a.snap.manifest.json").write_bytes(text)
    [entry] = entries_of(bucket)
    assert (entry.manifest.sealed, entry.manifest.stored) == (None, (4, manifest_of(b"data").sha256))
