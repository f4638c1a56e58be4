# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives: which one counts, what fits beside what, and what is put there how."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import (
    manifest_beside,
    manifest_path,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.new_archive import (
    NewArchive,
    archive_path,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import (
    Entry,
    confirm,
    entries_of,
    is_intact,
    newest_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import (
    Digest,
    digest_of,
    open_unchanged,
    stamp_of,
)

OURS, THEIRS = ClusterIdentity("dc1", "ours", "1.22.7", ("s1",)), ClusterIdentity("dc1", "theirs", "1.22.7", ("s2",))
NOW = 1_000.0


def manifest_of(data: bytes, *, cluster: ClusterIdentity = OURS, taken_at: float = 100, index: int = 1) -> Manifest:
    return Manifest(
        file="a.snap",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        meta_id="an id",
        index=index,
        taken_at=taken_at,
        confirmed_at=taken_at,
        cluster=cluster,
        consistency=Consistency(False, 0, True),
        fingerprint=Fingerprint({"KVS": TypeDigest(1, index)}),
        records={},
        user_records={},
    )


def keep(directory: Path, name: str, data: bytes, manifest: Manifest | None) -> str:
    """Put an archive there by hand, with or without a manifest."""
    path = directory / name
    path.write_bytes(data)
    if manifest:
        Path(manifest_path(str(path))).write_bytes(encode_manifest(manifest))
    return str(path)


def put(directory: Path, file: str | None, data: bytes, manifest: Manifest | None = None) -> Entry:
    """Publish an archive as a save does: under its name, or under a new one."""
    with NewArchive(LocalStore.at(str(directory)), file=file) as archive:
        archive.write(data)
        return archive.publish(manifest or manifest_of(data))


def newest(directory: Path, cluster: ClusterIdentity = OURS) -> Entry | None:
    """Return the newest archive of a cluster that lies in a directory."""
    return newest_of(entries_of(LocalStore.at(str(directory))), cluster, NOW)


def test_the_newest_of_a_cluster_is_found_by_its_manifest(tmp_path: Path) -> None:
    keep(tmp_path, "z.snap", b"old", manifest_of(b"old", taken_at=100, index=9))
    latest = keep(tmp_path, "a.snap", b"new", manifest_of(b"new", taken_at=200, index=10))
    keep(tmp_path, "y.snap", b"of another cluster", manifest_of(b"of another cluster", cluster=THEIRS, taken_at=300))
    keep(tmp_path, "x.snap", b"without a manifest", None)
    keep(tmp_path, "w.snap", b"cut", manifest_of(b"cut short", taken_at=300))
    (tmp_path / "v.snap.manifest.json").write_bytes(encode_manifest(manifest_of(b"gone", taken_at=300)))
    keep(tmp_path, "u.snap", b"spoiled", None)
    (tmp_path / "u.snap.manifest.json").write_bytes(b"{")
    (tmp_path / "t.snap").mkdir()
    (tmp_path / "t.snap.manifest.json").write_bytes(encode_manifest(manifest_of(b"", taken_at=300)))

    found = newest(tmp_path)

    assert found is not None
    assert (found.path, found.manifest.taken_at) == (latest, 200)


def test_of_two_taken_in_one_second_the_higher_index_is_newer(tmp_path: Path) -> None:
    higher = keep(tmp_path, "a.snap", b"1", manifest_of(b"1", index=11))
    keep(tmp_path, "b.snap", b"2", manifest_of(b"2", index=9))

    found = newest(tmp_path)
    assert found is not None
    assert found.path == higher


def test_a_directory_without_archives(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    with pytest.raises(FileError, match="look into"):
        newest(tmp_path / "absent")


def test_intact_means_the_very_bytes(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", None)
    store, entry = LocalStore.at(str(tmp_path)), Entry(path, manifest_of(b"data"))

    assert is_intact(store, entry)
    Path(path).write_bytes(b"Data")
    assert not is_intact(store, entry)
    os.unlink(path)
    assert not is_intact(store, entry)


@pytest.fixture
def open_umask() -> None:
    """Nothing but the code itself keeps files private."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_put_leaves_two_private_files_and_nothing_else(tmp_path: Path) -> None:
    dest = tmp_path / "a.snap"
    with LocalStore.at(str(tmp_path)).writer() as writer:
        assert os.stat(writer.file.path).st_mode & 0o777 == 0o600
    put(tmp_path, "a.snap", b"data")

    assert dest.read_bytes() == b"data"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.snap", "a.snap.manifest.json"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert manifest_beside(str(dest), Digest(4, hashlib.sha256(b"data").hexdigest())).status == "matches"


@pytest.mark.usefixtures("open_umask")
def test_put_replaces_what_was_there_and_its_permissions(tmp_path: Path) -> None:
    dest = Path(keep(tmp_path, "a.snap", b"old", manifest_of(b"old")))
    dest.chmod(0o644)
    put(tmp_path, "a.snap", b"new")

    assert dest.read_bytes() == b"new"
    assert dest.stat().st_mode & 0o777 == 0o600


def test_a_new_archive_overwrites_nobodys(tmp_path: Path) -> None:
    manifest = manifest_of(b"data", taken_at=1_700_000_000)
    names = []
    for number in range(3):
        entry = put(tmp_path, None, b"data", manifest)
        names.append(os.path.basename(entry.path))
        assert entry.manifest.file == names[-1]
        if number == 0:
            # A manifest that lost its archive stays, too.
            (tmp_path / "dc1-20231114T221320Z-1-2.snap.manifest.json").write_bytes(b"")
    assert names == [f"dc1-20231114T221320Z-1{number}.snap" for number in ("", "-3", "-4")]
    assert len(entries_of(LocalStore.at(str(tmp_path)))) == 3


def test_a_new_archive_stays_in_its_directory(tmp_path: Path) -> None:
    for datacenter in ("../../x", "/x", "..", "", "a/b", "a\0b"):
        path = archive_path(str(tmp_path), OURS._replace(datacenter=datacenter), 0, 1)
        assert os.path.dirname(os.path.abspath(path)) == str(tmp_path)


@pytest.mark.parametrize("named", [True, False])
def test_the_newest_of_a_name(named: bool, tmp_path: Path) -> None:
    production = OURS._replace(name="production")
    keep(tmp_path, "a.snap", b"1", manifest_of(b"1", cluster=production if named else OURS))
    keep(tmp_path, "b.snap", b"2", manifest_of(b"2", cluster=THEIRS._replace(name="staging"), taken_at=200))
    keep(tmp_path, "c.snap", b"3", manifest_of(b"3", cluster=THEIRS, taken_at=300))
    found = newest(tmp_path, production)
    assert found is not None
    assert os.path.basename(found.path) == "a.snap"
    assert newest(tmp_path, OURS) == found
    # A name goes on when the servers are new; without one nothing is of this cluster.
    rebuilt = newest(tmp_path, production._replace(servers=("new",)))
    assert rebuilt == (found if named else None)
    assert newest(tmp_path, OURS._replace(servers=("new",))) is None
    assert newest(tmp_path, production._replace(name="staging")) != found


def test_what_is_dated_ahead_and_beyond_the_clusters_index_is_not_of_its_history(tmp_path: Path) -> None:
    keep(tmp_path, "a.snap", b"1", manifest_of(b"1", index=900, taken_at=NOW + 1e6))
    keep(tmp_path, "b.snap", b"2", manifest_of(b"2", index=20, taken_at=NOW - 60))
    entries = entries_of(LocalStore.at(str(tmp_path)))
    found = newest_of(entries, OURS, NOW, reached=21)
    assert found is not None
    assert os.path.basename(found.path) == "b.snap"


def test_a_confirmed_archive_is_not_old(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    os.utime(path, (1_000, 1_000))
    confirm(LocalStore.at(str(tmp_path)), Entry(path, replace(manifest_of(b"data"), confirmed_at=500)))
    assert os.stat(path).st_mtime > 1_000_000
    assert Path(path).read_bytes() == b"data"


def test_an_archive_that_is_confirmed_while_it_is_used_is_unchanged(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"data", manifest_of(b"data"))
    stamp, digest = stamp_of(path), digest_of(path)
    os.utime(path, (1_000, 1_000))
    with pytest.raises(FileError, match="was changed"):
        open_unchanged(path, stamp)
    with open_unchanged(path, stamp, digest) as archive:
        assert archive.read() == b"data"
    Path(path).write_bytes(b"Data")
    with pytest.raises(FileError, match="was changed"):
        open_unchanged(path, stamp, digest)


def test_an_archive_whose_manifest_has_no_place_does_not_replace_the_old_one(tmp_path: Path) -> None:
    path = keep(tmp_path, "a.snap", b"old", manifest_of(b"old"))
    manifest = Path(manifest_path(path))
    manifest.unlink()
    manifest.mkdir()
    with pytest.raises(FileError, match="a directory is in the way"):
        put(tmp_path, "a.snap", b"new")
    assert Path(path).read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["a.snap", "a.snap.manifest.json"]
