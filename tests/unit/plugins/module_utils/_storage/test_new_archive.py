# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive on its way into a store: sealed, signed, and published with what lies beside it, or not at all."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    FailureKind,
    SignatureError,
    StoreError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import (
    LocalStore,
    LocalWriter,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import Location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import decode_manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    MATCHES,
    match_in,
    read_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.new_archive import NewArchive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.protocol import Writer
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import confirm, entries_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

from .test_store import manifest_of


class Reversing:
    """Stands in for encryption: each piece is written backwards, with a byte more in the end."""

    def __init__(self, inner: Writer) -> None:
        self._inner, self._all = inner, b""

    def __enter__(self) -> Reversing:
        self._inner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._inner.__exit__(*exc)

    def restart(self, name: str) -> None:
        self._all = b""
        self._inner.restart(name)

    def write(self, data: bytes) -> None:
        self._all += data[::-1]
        self._inner.write(data[::-1])

    def sync(self) -> None:
        self._inner.sync()

    def finish(self) -> Digest:
        self.write(b"!")
        return Digest(len(self._all), hashlib.sha256(self._all).hexdigest())

    def publish(self, sha256: str) -> str:
        raise AssertionError("the inner one is published")


class Bucket(LocalStore):
    """A directory that does only what a bucket can: nothing is put in place together, and some names are refused."""

    refused: tuple[str, ...] = ()

    @classmethod
    def below(cls, path: Path) -> Bucket:
        bucket = cls.at(str(path))
        bucket.location = Location("s3", "bucket", "backups/")
        return bucket

    def place(self, name: str) -> str:
        return os.path.join(self.directory, name)

    def put_new(self, name: str, data: bytes) -> None:
        if name.endswith(self.refused):
            raise StoreError("refused", kind=FailureKind.STORE_DENIED)
        super().put_new(name, data)


class BucketWriter:
    """A writer that is not known to be a directory's."""

    def __init__(self, inner: LocalWriter) -> None:
        self.__enter__, self.__exit__ = inner.__enter__, inner.__exit__  # type: ignore[method-assign]
        self.restart, self.write, self.sync, self.publish = inner.restart, inner.write, inner.sync, inner.publish


def names(directory: Path) -> list[str]:
    return sorted(os.listdir(directory))


PLAIN = manifest_of(b"data", taken_at=1_700_000_000)
NAME = "dc1-20231114T221320Z-1.snap"


def test_sealed_and_signed_in_a_directory(tmp_path: Path) -> None:
    store, signed = LocalStore.at(str(tmp_path)), []

    def sign(text: bytes) -> bytes:
        signed.append(text)
        return b"signature"

    with NewArchive(store, seal=Reversing, sign=sign) as archive:
        archive.restart("whatever")
        archive.write(b"data")
        entry = archive.publish(PLAIN)
    assert names(tmp_path) == [f"{NAME}.age", f"{NAME}.age.manifest.json", f"{NAME}.age.manifest.json.sig"]
    stored = (tmp_path / f"{NAME}.age").read_bytes()
    assert stored == b"atad!"
    assert entry.path == str(tmp_path / f"{NAME}.age")
    assert entry.signed
    # The plain bytes keep their digest, and the sealed ones have theirs.
    manifest = read_manifest(entry.path)
    assert (
        manifest
        == entry.manifest
        == replace(PLAIN, file=f"{NAME}.age", sealed=Digest(5, hashlib.sha256(stored).hexdigest()))
    )
    assert decode_manifest(signed[0]) == manifest
    assert match_in(store, entry.name, manifest.stored).status == MATCHES
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_what_can_not_be_signed_is_not_published(tmp_path: Path) -> None:
    def sign(text: bytes) -> bytes:
        raise SignatureError("no")

    with NewArchive(LocalStore.at(str(tmp_path)), sign=sign) as archive:
        archive.write(b"data")
        with pytest.raises(SignatureError):
            archive.publish(PLAIN)
    assert names(tmp_path) == []


def test_what_can_not_be_sealed_leaves_no_file(tmp_path: Path) -> None:
    def seal(inner: Writer) -> Reversing:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        NewArchive(LocalStore.at(str(tmp_path)), seal=seal)
    assert names(tmp_path) == []


def test_what_said_something_of_the_old_archive_goes_with_it(tmp_path: Path) -> None:
    store = LocalStore.at(str(tmp_path))
    with NewArchive(store, file="a.snap", sign=lambda text: b"signature") as archive:
        archive.write(b"data")
        entry = archive.publish(PLAIN)
    confirm(store, entry)
    assert len(names(tmp_path)) == 4
    with NewArchive(store, file="a.snap") as archive:
        archive.write(b"new")
        archive.publish(manifest_of(b"new"))
    assert names(tmp_path) == ["a.snap", "a.snap.manifest.json"]


@pytest.mark.parametrize("refused", [".sig", ".manifest.json", "nothing"])
def test_in_a_bucket_one_comes_after_the_other_and_all_are_there_or_none(tmp_path: Path, refused: str) -> None:
    bucket = Bucket.below(tmp_path)
    bucket.refused = (refused,)
    with NewArchive(bucket, seal=Reversing, sign=lambda text: b"signature") as archive:
        archive._inner = BucketWriter(archive._inner)  # type: ignore[arg-type]
        archive.restart("x.snap")
        archive.write(b"data")
        if refused == "nothing":
            entry = archive.publish(PLAIN)
            assert names(tmp_path) == ["x.snap.age", "x.snap.age.manifest.json", "x.snap.age.manifest.json.sig"]
            assert entries_of(bucket) == [entry]
        else:
            with pytest.raises(StoreError, match="refused"):
                archive.publish(PLAIN)
            assert [name for name in names(tmp_path) if not name.endswith(".partial")] == []


def test_in_a_bucket_nothing_is_overwritten(tmp_path: Path) -> None:
    bucket = Bucket.below(tmp_path)
    (tmp_path / "x.snap").write_bytes(b"somebody's")
    with NewArchive(bucket) as archive:
        archive._inner = BucketWriter(archive._inner)  # type: ignore[arg-type]
        archive.restart("x.snap")
        archive.write(b"data")
        with pytest.raises(StoreError) as caught:
            archive.publish(PLAIN)
    assert caught.value.kind is FailureKind.STORE_EXISTS
    assert names(tmp_path) == ["x.snap"]
    assert (tmp_path / "x.snap").read_bytes() == b"somebody's"
