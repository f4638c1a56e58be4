# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file beside an archive: where it lies, whether it is the archive's, and how it is written."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, SnapshotError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import encode_manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    ManifestMatch,
    manifest_beside,
    manifest_path,
    read_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import Entry, confirm
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

from .test_store import keep, manifest_of

DIGEST = Digest(4, hashlib.sha256(b"data").hexdigest())


def test_it_lies_beside_its_archive() -> None:
    assert manifest_path("/b/dc1.snap") == "/b/dc1.snap.manifest.json"


def test_what_lies_beside(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", None)
    manifest = Path(manifest_path(path))

    assert manifest_beside(path, DIGEST) == ManifestMatch("absent", None)
    manifest.write_bytes(encode_manifest(manifest_of(b"data")))
    assert manifest_beside(path, DIGEST) == ManifestMatch("matches", manifest_of(b"data"))
    manifest.write_bytes(encode_manifest(manifest_of(b"Data")))
    assert manifest_beside(path, DIGEST) == ManifestMatch("stale", None)
    manifest.write_bytes(b"{")
    assert manifest_beside(path, DIGEST) == ManifestMatch("unreadable", None)
    manifest.unlink()
    manifest.mkdir()
    assert manifest_beside(path, DIGEST) == ManifestMatch("unreadable", None)


def written(archive: Path, text: bytes) -> str:
    Path(manifest_path(str(archive))).write_bytes(text)
    return str(archive)


def test_what_is_read(tmp_path: Path) -> None:
    manifest = manifest_of(b"data")
    assert read_manifest(str(tmp_path / "a.snap")) is None
    assert read_manifest(written(tmp_path / "a.snap", encode_manifest(manifest))) == manifest
    # Whitespace is JSON's to ignore, and a limit bounds how much of it is read.
    padded = encode_manifest(manifest) + b" " * (1 << 20)
    with pytest.raises(SnapshotError, match="too large"):
        read_manifest(written(tmp_path / "a.snap", padded))
    assert read_manifest(written(tmp_path / "a.snap", padded[: 1 << 20])) == manifest


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    archive = str(tmp_path / "a.snap")
    os.mkfifo(manifest_path(archive))
    with pytest.raises(FileError, match="not a regular file"):
        read_manifest(archive)


def test_an_archive_that_is_confirmed_stays_and_so_does_its_manifest(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    before = [os.stat(path), os.stat(manifest_path(path))]
    confirm(LocalStore.at(str(tmp_path)), Entry(path, replace(manifest_of(b"data"), confirmed_at=500)))

    assert manifest_beside(path, DIGEST).manifest == replace(manifest_of(b"data"), confirmed_at=500)
    assert read_manifest(path) == manifest_of(b"data")
    assert [one.st_ino for one in before] == [os.stat(path).st_ino, os.stat(manifest_path(path)).st_ino]


def test_a_confirmation_has_the_permissions_of_the_manifest(tmp_path: Path) -> None:
    store = LocalStore.at(str(tmp_path))
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    os.chmod(manifest_path(path), 0o640)
    confirm(store, Entry(path, replace(manifest_of(b"data"), confirmed_at=500)))
    assert os.stat(f"{path}.confirmed-19700101T000820Z").st_mode & 0o777 == 0o640
    os.unlink(manifest_path(path))
    # One that was known by its bytes alone gets a manifest.
    confirm(store, Entry(path, replace(manifest_of(b"data"), confirmed_at=501)))
    assert os.stat(manifest_path(path)).st_mode & 0o777 == 0o600
    assert read_manifest(path) == replace(manifest_of(b"data"), confirmed_at=501)


def test_a_manifest_of_other_bytes_is_replaced_once_the_archive_is_confirmed(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"other data"))
    os.chmod(manifest_path(path), 0o640)
    confirm(LocalStore.at(str(tmp_path)), Entry(path, manifest_of(b"data", taken_at=500)))
    assert read_manifest(path) == manifest_of(b"data", taken_at=500)
    assert os.stat(manifest_path(path)).st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["a.snap", "a.snap.manifest.json"]
