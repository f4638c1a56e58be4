# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two archives compared, side by side in two processes and one after the other: the same answers, the same failures."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.states import Record, archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import Selection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ArchiveError,
    FileError,
    MissingLibraryError,
    SnapshotError,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations import diff
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.diff import (
    DiffRequest,
    DiffResult,
    compare,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records import stream
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_file import ArchiveFile
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.archive_source import ArchiveSource
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    encode_manifest,
    manifest_for,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system import child_task
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest, digest_of

OLDER = [kv("same", b"v"), kv("gone", b"v"), kv("other", b"v"), Record(19, {"ID": "p", "Name": "readers"})]
EVERYTHING = Selection()
NEWER = [kv("new", b"v"), kv("other", b"w"), kv("same", b"v", index=90), Record(19, {"ID": "p", "Name": "readers"})]


@pytest.fixture(autouse=True, params=[True, False], ids=["in two processes", "in one"])
def processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(child_task, "is_of_use", lambda: request.param)
    yield
    assert multiprocessing.active_children() == []


def archive(path: Path, records: list[Record], *, index: int = 100) -> str:
    path.write_bytes(archive_around(state_of(records), index=index))
    return str(path)


def describe(path: Path) -> None:
    """Write the manifest beside an archive, as a save does."""
    read = read_archive([path.read_bytes()])
    manifest = manifest_for(
        read,
        digest_of(str(path)),
        file=path.name,
        cluster=read.state.origin,
        consistency=Consistency(False, 0, True),
    )
    Path(manifest_path(str(path))).write_bytes(encode_manifest(manifest))


def nobody() -> Client:
    raise AssertionError("two archives need no client")


def ignored(error: SnapshotError) -> None:
    raise AssertionError(f"nothing is tried again: {error}")


def compared(before: str, after: str, selection: Selection = EVERYTHING, limit: int = 10) -> DiffResult:
    request = DiffRequest(before=before, after=after, datacenter=None, selection=selection, limit=limit)
    return compare(request, nobody, ignored)


def test_what_differs(tmp_path: Path) -> None:
    before, after = archive(tmp_path / "a", OLDER, index=100), archive(tmp_path / "b", NEWER, index=200)
    result = compared(before, after)

    assert result.types["KVS"].names == {"added": ["new"], "removed": ["gone"], "changed": ["other"]}
    assert result.types["ACLPolicy"].equal
    assert (result.equal, result.quick) == (False, False)
    assert (result.before.path, result.before.index, result.after.path, result.after.index) == (before, 100, after, 200)
    assert result.before.fingerprint.counts == {"KVS": 3, "ACLPolicy": 1}
    assert compared(before, before).equal


def test_a_selection_holds_for_both_sides(tmp_path: Path) -> None:
    before, after = archive(tmp_path / "a", OLDER), archive(tmp_path / "b", NEWER)

    narrowed = compared(before, after, Selection(types=frozenset({"KVS", "ACLToken"}), prefix=b"o"))
    assert {name: change.names["changed"] for name, change in narrowed.types.items()} == {
        "KVS": ["other"],
        "ACLToken": [],
    }
    assert not narrowed.types["KVS"].removed


@pytest.mark.parametrize("spoilt", [("before",), ("after",), ("before", "after")])
def test_an_archive_that_does_not_verify_is_named(tmp_path: Path, spoilt: tuple[str, ...]) -> None:
    paths = {"before": tmp_path / "a", "after": tmp_path / "b"}
    for option, path in paths.items():
        archive(path, OLDER)
        if option in spoilt:
            path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(ArchiveError) as caught:
        compared(str(paths["before"]), str(paths["after"]))
    assert caught.value.message.startswith(f"{spoilt[0]}: {paths[spoilt[0]]} does not verify")
    assert caught.value.facts["path"] == str(paths[spoilt[0]])
    assert caught.value.fault == "truncated"


@pytest.mark.parametrize("described", [(), ("a",), ("a", "b")])
def test_an_archive_is_read_a_second_time_only_beside_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, described: tuple[str, ...]
) -> None:
    hashed: list[str] = []
    really = diff.stored_digest

    def counted(source: ArchiveSource) -> Digest:
        hashed.append(source.name)
        return really(source)

    monkeypatch.setattr(diff, "stored_digest", counted)
    before, after = archive(tmp_path / "a", OLDER), archive(tmp_path / "b", NEWER)
    for name in described:
        describe(tmp_path / name)
    assert compared(before, after).types["KVS"].names["changed"] == ["other"]
    assert hashed == list(described)


def test_an_archive_that_changes_after_its_manifest_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = archive(tmp_path / "a", OLDER), archive(tmp_path / "b", NEWER)
    describe(tmp_path / "a")
    describe(tmp_path / "b")
    read = diff.read_archive_file

    def changing(source: ArchiveSource, **options: Any) -> ArchiveFile:
        archive(Path(source.shown), NEWER if source.shown == before else OLDER)
        return read(source, **options)

    monkeypatch.setattr(diff, "read_archive_file", changing)
    with pytest.raises(FileError, match=r"^before: .* was changed while it was read"):
        compared(before, after)


def test_a_library_that_is_missing_is_told_before_a_child_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = archive(tmp_path / "a", OLDER), archive(tmp_path / "b", NEWER)
    monkeypatch.setattr(stream, "msgpack", None)
    with pytest.raises(MissingLibraryError):
        compared(before, after)
