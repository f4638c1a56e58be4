# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory as a store: what is put there how, and what is never followed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, FileError, StoreError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import GOVERNANCE, ObjectLock


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """An empty directory."""
    return LocalStore.at(str(tmp_path))


def kind_of(caught: pytest.ExceptionInfo[StoreError]) -> FailureKind:
    return FailureKind(caught.value.kind)


def written(store: LocalStore, name: str, data: bytes) -> str:
    with store.writer() as writer:
        writer.restart("another")
        writer.write(b"what an earlier try left")
        writer.restart(name)
        writer.write(data)
        writer.sync()
        return writer.publish(hashlib.sha256(data).hexdigest())


def test_a_writer_publishes_what_was_written_last_in_one_step(store: LocalStore, tmp_path: Path) -> None:
    assert written(store, "a.snap", b"data") == "a.snap"
    assert [path.name for path in tmp_path.iterdir()] == ["a.snap"]
    assert (tmp_path / "a.snap").read_bytes() == b"data"
    assert (tmp_path / "a.snap").stat().st_mode & 0o777 == 0o600


def test_what_is_not_published_is_gone(store: LocalStore, tmp_path: Path) -> None:
    with store.writer() as writer:
        writer.restart("a.snap")
        writer.write(b"half")
        assert [item.name for item in store.list("a")] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["file", "link", "directory"])
def test_nothing_is_overwritten(store: LocalStore, tmp_path: Path, there: str) -> None:
    path = tmp_path / "a.snap"
    if there == "file":
        path.write_bytes(b"somebody's")
    elif there == "link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.mkdir()
    before = os.lstat(path)
    for attempt in (lambda: written(store, "a.snap", b"data"), lambda: store.put_new("a.snap", b"data")):
        with pytest.raises(StoreError, match="exists already") as caught:
            attempt()
        assert kind_of(caught) is FailureKind.STORE_EXISTS
    assert os.lstat(path).st_ino == before.st_ino
    assert [one.name for one in tmp_path.iterdir()] == ["a.snap"]


def test_a_list_is_of_this_directory_and_says_what_is_no_file(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a.snap").write_bytes(b"data")
    (tmp_path / "b.snap").symlink_to(tmp_path / "a.snap")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.snap").write_bytes(b"data")
    os.utime(tmp_path / "a.snap", (1_000, 1_000))
    items = {item.name: item for item in store.list()}
    assert set(items) == {"a.snap", "b.snap", "deep"}
    assert (items["a.snap"].size, items["a.snap"].modified, items["a.snap"].fault) == (4, 1_000, None)
    assert items["b.snap"].fault == "is a symbolic link"
    assert items["deep"].fault == "is not a regular file"
    assert [item.name for item in store.list("a.")] == ["a.snap"]


def test_what_is_read_is_what_was_seen(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a.snap").write_bytes(bytes(300_000) + b"end")
    version = store.properties("a.snap").version
    with store.read("a.snap", version=version) as pieces:
        assert b"".join(pieces) == bytes(300_000) + b"end"
    with store.read("a.snap", start=299_999, version=version) as pieces:
        assert b"".join(pieces) == b"\0end"
    assert store.read_small("a.snap", 3) == bytes(3)
    (tmp_path / "a.snap").write_bytes(b"another")
    with pytest.raises(FileError, match="was changed"), store.read("a.snap", version=version):
        raise AssertionError("another version was read")


def test_what_is_not_there_is_missing(store: LocalStore) -> None:
    for attempt in (lambda: store.properties("a.snap"), lambda: store.read_small("a.snap", 9)):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert kind_of(caught) is FailureKind.STORE_MISSING
    store.remove("a.snap")


def test_a_pipe_is_not_waited_for(store: LocalStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.snap")
    with pytest.raises(FileError, match="not a regular file"):
        store.read_small("a.snap", 9)


def test_leftovers_of_dead_writers_go_and_those_of_living_ones_stay(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / ".snapshot-dead.partial").write_bytes(b"half")
    with store.writer() as writer:
        assert store.clean() == [str(tmp_path / ".snapshot-dead.partial")]
        assert os.path.exists(writer.file.path)


def test_several_files_are_all_put_in_place_or_none(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "a.manifest").mkdir()
    with store.writer() as writer:
        writer.write(b"data")
        with pytest.raises(FileError, match="a directory is in the way"):
            store.put_together(writer, lambda: ("a", [("a.sig", b"s"), ("a.manifest", b"m")]))
    assert [path.name for path in tmp_path.iterdir()] == ["a.manifest"]
    (tmp_path / "a.manifest").rmdir()
    with store.writer() as writer:
        writer.write(b"data")
        assert store.put_together(writer, lambda: ("a", [("a.sig", b"s"), ("a.manifest", b"m")])) == "a"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a": b"data",
        "a.sig": b"s",
        "a.manifest": b"m",
    }


def test_a_directory_has_neither_locks_nor_versions(store: LocalStore) -> None:
    store.put_new("a", b"1")
    assert store.extend_lock("a") is None
    assert (store.versioning(), store.lock_default(), store.accepts_wrong_checksum("b", b"")) == (None, None, None)
    with pytest.raises(StoreError, match="no legal holds"):
        store.hold("a", on=True)
    with pytest.raises(StoreError, match="no locks"):
        store.put_locked("b", b"", ObjectLock(GOVERNANCE, 1), 0.0)
    store.overwrite("a", b"2")
    assert store.read_small("a", 9) == b"2"
    assert store.purge("a") == []
    assert list(store.list()) == []


def test_a_directory_that_others_write_to_is_not_private(store: LocalStore, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert store.is_private
    tmp_path.chmod(0o770)
    assert not store.is_private
