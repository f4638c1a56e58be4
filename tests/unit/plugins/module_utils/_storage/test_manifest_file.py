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
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import encode_manifest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    ManifestMatch,
    manifest_beside,
    manifest_path,
    read_manifest,
    write_manifest,
)
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


def test_a_manifest_is_replaced_beside_an_archive_that_stays(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    before = os.stat(path)
    write_manifest(path, replace(manifest_of(b"data"), confirmed_at=500))

    assert read_manifest(path) == replace(manifest_of(b"data"), confirmed_at=500)
    assert (os.stat(path).st_ino, os.stat(path).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_one_has_the_permissions_of_the_old_one(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    os.chmod(manifest_path(path), 0o640)
    write_manifest(path, manifest_of(b"data", taken_at=500))
    assert os.stat(manifest_path(path)).st_mode & 0o777 == 0o640
    os.unlink(manifest_path(path))
    write_manifest(path, manifest_of(b"data"))
    assert os.stat(manifest_path(path)).st_mode & 0o777 == 0o600
