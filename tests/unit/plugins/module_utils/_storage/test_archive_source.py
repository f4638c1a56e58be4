# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where archives come from: what is asked of a file and of a store, and when."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ArchiveError,
    FailureKind,
    FileError,
    OptionError,
    StoreError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import archive_source
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_file import read_archive_file
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import source_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.protocol import Properties
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import (
    SealingSettings,
    StoreSettings,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.scratch_file import ScratchFile

DATA = archive_around(state_of([kv("a", b"1"), kv("b", bytes(300_000))]))
DIGEST = Digest(len(DATA), hashlib.sha256(DATA).hexdigest())


class Bucket:
    """A store of three objects at most, which notes what it is asked."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.asked: list[str] = []

    def properties(self, name: str) -> Properties:
        self.asked.append(f"properties {name}")
        self._require(name)
        return Properties(len(self.objects[name]), 0.0, hashlib.sha256(self.objects[name]).hexdigest())

    @contextlib.contextmanager
    def read(self, name: str, *, start: int = 0, version: str | None = None) -> Iterator[Iterator[bytes]]:
        self.asked.append(f"read {name}")
        data = self.objects[name]
        if version != hashlib.sha256(data).hexdigest():
            raise StoreError("it was changed", retryable=True)
        yield (data[at : at + 1000] for at in range(start, len(data), 1000))

    def read_small(self, name: str, limit: int) -> bytes:
        self.asked.append(f"read_small {name}")
        self._require(name)
        return self.objects[name][:limit]

    def _require(self, name: str) -> None:
        if name not in self.objects:
            raise StoreError("there is none", kind=FailureKind.STORE_MISSING)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    store = Bucket({"a.snap": DATA})
    opened: list[Any] = []

    def open_store(location: Any, settings: StoreSettings) -> Bucket:
        assert (str(location), settings.region) == ("s3://bucket/prefix/", "here")
        opened.append(settings)
        return store

    monkeypatch.setattr(archive_source, "open_store", open_store)
    return store


def of_bucket(name: str = "a.snap", **sealing: Any) -> archive_source.ArchiveSource:
    url = f"s3://bucket/prefix/{name}"
    return source_of(url, "src", StoreSettings(region="here"), SealingSettings(**sealing))


@pytest.mark.parametrize("text", ["/b/a.snap", "file:///b/a.snap"])
def test_a_file(text: str) -> None:
    source = source_of(text)
    assert (source.shown, source.name, source.path) == (text, "a.snap", "/b/a.snap")
    assert (source.is_sealed, source.is_plain_file) == (False, True)
    assert not source_of(f"{text}.age").is_plain_file


def test_an_object_is_asked_for_only_when_it_is_needed(bucket: Bucket) -> None:
    source = of_bucket()
    assert (source.shown, source.name, source.path) == ("s3://bucket/prefix/a.snap", "a.snap", None)
    assert (source.is_sealed, source.is_plain_file, source.is_private(".manifest.json")) == (False, False, False)
    assert bucket.asked == []


@pytest.mark.parametrize("url", ["s3://bucket", "s3://bucket/", "gs://bucket/prefix/"])
def test_a_store_is_no_archive(url: str) -> None:
    with pytest.raises(OptionError, match="is a store") as raised:
        source_of(url, "before")
    assert raised.value.message.startswith("before: ")


def test_an_object_is_read_once_and_checked_against_what_lies_beside_it(bucket: Bucket) -> None:
    file = read_archive_file(of_bucket())
    assert (file.stored, file.digest, file.match.status) == (DIGEST, DIGEST, "absent")
    assert bucket.asked == ["properties a.snap", "read_small a.snap.manifest.json", "read a.snap"]
    assert file.records.state.fingerprint.counts == {"KVS": 2}
    with pytest.raises(ValueError, match="has to be copied first"):
        file.open()


def test_the_version_that_was_seen_first_is_the_one_that_is_read(bucket: Bucket) -> None:
    source = of_bucket()
    assert b"".join(source.plain()) == DATA
    bucket.objects["a.snap"] = archive_around(state_of([kv("planted", b"")]))
    with pytest.raises(StoreError, match="was changed"):
        list(source.plain())
    # So it is for another process, which has a connection of its own.
    with pytest.raises(StoreError, match="was changed"):
        list(source.again().plain())
    assert b"".join(of_bucket().plain()) == bucket.objects["a.snap"]


def test_what_is_not_there_is_said(bucket: Bucket) -> None:
    with pytest.raises(StoreError):
        of_bucket("b.snap").look()
    assert bucket.asked == ["properties b.snap"]


def test_a_copy_gets_the_plain_bytes_and_is_what_is_read_again(bucket: Bucket, tmp_path: Path) -> None:
    with ScratchFile(str(tmp_path)) as copy:
        file = read_archive_file(of_bucket(), copy=copy)
        bucket.objects.clear()
        assert b"".join(file.plain()) == DATA
        with file.open() as opened:
            assert opened.read() == DATA


def mirrored(pieces: Iterable[bytes], identity_file: str | None) -> Iterator[bytes]:
    """Stand in for what opens sealed archives: every byte is turned over."""
    assert identity_file == "/key"
    for piece in pieces:
        yield piece.translate(bytes(range(255, -1, -1)))


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(archive_source, "unsealed", mirrored)
    return DATA.translate(bytes(range(255, -1, -1)))


def test_both_sides_of_a_sealed_archive_have_a_digest(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.snap.age"
    path.write_bytes(sealed)
    source = source_of(str(path), sealing=SealingSettings(identity_file="/key"))
    with ScratchFile(str(tmp_path)) as copy:
        file = read_archive_file(source, copy=copy)
        with file.open() as opened:
            assert opened.read() == DATA
    assert file.stored == Digest(len(sealed), hashlib.sha256(sealed).hexdigest())
    assert file.digest == DIGEST
    assert b"".join(source.plain()) == DATA


def test_what_opens_it_has_to_read_it_to_its_end(
    sealed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hasty(pieces: Iterable[bytes], identity_file: str | None) -> Iterator[bytes]:
        yield from itertools.islice(mirrored([sealed], identity_file), 1)

    monkeypatch.setattr(archive_source, "unsealed", hasty)
    path = tmp_path / "a.snap.age"
    path.write_bytes(sealed)
    with pytest.raises((ArchiveError, FileError), match=r"was changed|does not have the length"):
        read_archive_file(source_of(str(path), sealing=SealingSettings(identity_file="/key")))
