# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive file: what is read of it, how often, and what its manifest is worth."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError, FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import archive_file, archive_source
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_file import read_archive_file
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import source_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    ABSENT,
    MATCHES,
    STALE,
    UNREADABLE,
    manifest_path,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.trust import Beside
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import (
    Digest,
    open_archive,
    stamp_of,
)

DATA = archive_around(state_of([kv("a", b"1"), kv("b", b"2")]))
DIGEST = Digest(len(DATA), hashlib.sha256(DATA).hexdigest())
MANIFEST = manifest_for(
    read_archive([DATA]),
    DIGEST,
    file="a.snap",
    cluster=ClusterIdentity("dc1", "an-id", "1.22.7"),
    consistency=Consistency(False, 0, True),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    src = tmp_path / "a.snap"
    src.write_bytes(DATA)
    return src


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that an archive is opened to be read."""
    opened: list[str] = []
    really = archive_source.open_unchanged

    def counted(name: str, *more: Any) -> Any:
        opened.append(name)
        return really(name, *more)

    monkeypatch.setattr(archive_source, "open_unchanged", counted)
    return opened


def describe(path: Path, manifest: Manifest | bytes) -> None:
    Path(manifest_path(str(path))).write_bytes(manifest if isinstance(manifest, bytes) else encode_manifest(manifest))


def of_the_same_length() -> Manifest:
    return replace(MANIFEST, sha256="00" * 32)


def read(path: Path, *, enough: bool) -> archive_file.ArchiveFile:
    return read_archive_file(source_of(str(path)), is_enough=lambda manifest: enough)


@pytest.mark.parametrize("enough", [False, True])
def test_without_a_manifest_one_pass_reads_the_records_and_the_digest(
    path: Path, passes: list[str], enough: bool
) -> None:
    file = read(path, enough=enough)
    assert file.archive == read_archive([DATA])
    assert (file.digest, file.seen) == (DIGEST, stamp_of(str(path)))
    assert (file.match.status, file.manifest) == (ABSENT, None)
    assert len(passes) == 1


def test_a_manifest_that_is_enough_leaves_the_records_unread(path: Path, passes: list[str]) -> None:
    describe(path, MANIFEST)
    file = read(path, enough=True)
    assert file.archive is None
    with pytest.raises(ValueError, match="were not read"):
        assert file.records
    assert (file.digest, file.match.status, file.manifest) == (DIGEST, MATCHES, MANIFEST)
    assert len(passes) == 1


def test_a_manifest_that_is_not_enough_is_returned_with_the_records(path: Path, passes: list[str]) -> None:
    describe(path, MANIFEST)
    file = read(path, enough=False)
    assert file.archive is not None
    assert (file.match.status, file.manifest) == (MATCHES, MANIFEST)
    assert len(passes) == 1


def test_a_manifest_of_other_bytes_of_the_same_length_costs_a_second_pass(path: Path, passes: list[str]) -> None:
    describe(path, of_the_same_length())
    file = read(path, enough=True)
    assert file.archive == read_archive([DATA])
    assert (file.digest, file.match.status, file.manifest) == (DIGEST, STALE, None)
    assert len(passes) == 2


@pytest.mark.parametrize(
    ("manifest", "status"),
    [(replace(MANIFEST, size=1), STALE), (b"{", UNREADABLE)],
    ids=["another length", "unreadable"],
)
def test_a_manifest_that_can_not_be_its_own_costs_nothing(
    path: Path, passes: list[str], manifest: Manifest | bytes, status: str
) -> None:
    describe(path, manifest)
    file = read(path, enough=True)
    assert file.archive is not None
    assert (file.match.status, file.manifest) == (status, None)
    assert len(passes) == 1


def test_what_does_not_verify_is_no_archive(path: Path) -> None:
    path.write_bytes(DATA[:-9])
    with pytest.raises(ArchiveError):
        read(path, enough=False)


@pytest.mark.parametrize("missing", ["missing.snap", ""], ids=["a missing file", "a directory"])
def test_what_is_not_there_can_not_be_read(path: Path, missing: str) -> None:
    with pytest.raises(FileError):
        read(path.parent / missing, enough=False)


def test_a_file_that_is_swapped_before_it_is_opened_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swapped(name: str) -> Any:
        monkeypatch.undo()
        stamp = stamp_of(name)
        (path.parent / "other").write_bytes(DATA)
        (path.parent / "other").replace(path)
        return stamp

    monkeypatch.setattr(archive_source, "stamp_of", swapped)
    with pytest.raises(FileError, match="was changed"):
        read(path, enough=False)


def test_a_file_that_changes_between_two_passes_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = archive_around(state_of([kv("a", b"1"), kv("b", b"3")]))
    describe(path, of_the_same_length())
    really, stamp = Beside.match, stamp_of(str(path))

    def overwritten(beside: Beside, *digests: Digest) -> Any:
        path.write_bytes(other)
        return really(beside, *digests)

    monkeypatch.setattr(Beside, "match", overwritten)
    monkeypatch.setattr(archive_source, "open_unchanged", lambda name, _stamp: open_archive(name))
    with pytest.raises(FileError, match="was changed while it was read"):
        read(path, enough=True)
    assert stamp.size == len(DATA)
