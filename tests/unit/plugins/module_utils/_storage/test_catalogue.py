# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives as it is found, with everything in it that somebody could put there."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.archives import META, STATE, SUMS, Part, archive_of, sums_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.listing import as_json
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.catalogue import (
    _BEGINNING,
    Catalogue,
    read_catalogue,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.chronology import DAY
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import entries_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

NOW = from_text("2026-11-26T00:00:00Z")
OURS = ClusterIdentity("dc1", "an-id", "1.22.7", ("s1", "s2"), "production")


def archive(servers: tuple[str, ...] = ("s1", "s2"), index: int = 7, taken_at: float = NOW - DAY) -> bytes:
    """Return bytes that begin as an archive does, and no more: nobody reads on."""
    configuration = {"Servers": [{"ID": one, "Address": "10.0.0.1:8300", "Suffrage": 0} for one in servers]}
    known = {"Version": 1, "Index": index, "Term": 2, "Peers": None, "ConfigurationIndex": 1, "Size": 0}
    meta = {**known, "ID": f"2-{index}-{int(taken_at * 1000)}"}
    parts = [Part(META, json.dumps({**meta, "Configuration": configuration}).encode()), Part(STATE, os.urandom(9000))]
    return archive_of([*parts, Part(SUMS, sums_of(parts))])


def manifest(
    data: bytes, *, cluster: ClusterIdentity = OURS, index: int = 7, taken_at: float = NOW - DAY, **more: Any
) -> Manifest:
    known = {
        "file": "a.snap",
        "size": len(data),
        "sha256": "ab" * 32,
        "meta_id": f"2-{index}-{int(taken_at * 1000)}",
        "index": index,
        "taken_at": taken_at,
        "confirmed_at": taken_at,
        "cluster": cluster,
        "consistency": Consistency(False, 0, True),
        "fingerprint": Fingerprint({"KVS": TypeDigest(1, index)}),
        "records": {},
        "user_records": {},
    }
    return Manifest(**{**known, **more})


def put(directory: Path, name: str, data: bytes | None = None, told: Manifest | bytes | None = None) -> str:
    data = archive() if data is None else data
    (directory / name).write_bytes(data)
    if told is not None:
        text = told if isinstance(told, bytes) else encode_manifest(told)
        Path(manifest_path(str(directory / name))).write_bytes(text)
    return str(directory / name)


NOBODY = ClusterIdentity(None, None, None)


def names(found: Catalogue) -> list[str]:
    return [os.path.basename(one.path) for one in found.archives]


def test_what_describes_an_archive(tmp_path: Path) -> None:
    data = archive(index=8, taken_at=NOW - 5 * DAY)
    put(tmp_path, "a-described.snap", data, manifest(data, index=8))
    put(tmp_path, "b-stale.snap", data[:-9], manifest(data, index=8, taken_at=NOW - 5 * DAY))
    put(tmp_path, "c-stale-of-another.snap", data[:-9], manifest(data, index=9))
    put(tmp_path, "d-alone.snap", data)
    put(tmp_path, "dc1-20261123T021500Z-3135.snap", b"no archive")
    os.utime(put(tmp_path, "e-nothing.snap", b""), (NOW, NOW))
    found = read_catalogue(LocalStore.at(str(tmp_path))).archives

    assert [(one.status, one.cluster.name, one.index, one.taken_at) for one in found] == [
        ("matches", "production", 8, NOW - DAY),
        # Cut, and still the archive that its manifest names; without a manifest it is known by itself.
        ("stale", "production", 8, NOW - 5 * DAY),
        ("stale", None, 8, NOW - 5 * DAY),
        ("absent", None, 8, NOW - 5 * DAY),
        ("absent", None, None, from_text("2026-11-23T02:15:00Z")),
        ("absent", None, None, NOW),
    ]
    assert [one.cluster.servers for one in found] == [("s1", "s2")] * 4 + [()] * 2
    assert [one.manifest is not None for one in found] == [True] + [False] * 5
    assert names(read_catalogue(LocalStore.at(str(tmp_path)), described=True)) == ["a-described.snap"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="look into"):
        read_catalogue(LocalStore.at(str(tmp_path / "absent")))


def test_old_manifests_get_their_servers_from_the_archive(tmp_path: Path) -> None:
    data = archive()
    put(tmp_path, "a.snap", data, manifest(data, cluster=OURS._replace(servers=())))
    # The first member of another archive of that length says nothing.
    put(tmp_path, "b.snap", data, manifest(data, index=99, cluster=OURS._replace(servers=())))
    found = {
        os.path.basename(one.path): one.cluster.servers for one in read_catalogue(LocalStore.at(str(tmp_path))).archives
    }
    assert found == {"a.snap": ("s1", "s2"), "b.snap": ()}


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(archive())
    place = tmp_path / "place"
    place.mkdir()
    (place / "link.snap").symlink_to(secret)
    (place / "dangling.snap").symlink_to(tmp_path / "nowhere")
    (place / "loop.snap").symlink_to(place / "loop.snap")
    (place / "directory.snap").mkdir()
    os.mkfifo(place / "pipe.snap")
    with open(os.fsencode(place) + b"/not\xffutf8.snap", "wb") as file:
        file.write(archive())
    os.mkfifo(place / "a.snap.manifest.json")
    put(place, "a.snap")
    (place / "b.snap.manifest.json").symlink_to("/dev/zero")
    put(place, "b.snap")
    (place / "c.snap.manifest.json").mkdir()
    put(place, "c.snap")
    (place / ".snapshot-x.partial").write_bytes(b"under way")
    (place / "notes.txt").write_bytes(b"nothing of ours")
    (place / "gone.snap.manifest.json").write_bytes(encode_manifest(manifest(b"gone")))

    found = read_catalogue(LocalStore.at(str(place)))
    assert names(found) == ["a.snap", "b.snap", "c.snap"]
    assert {one.status for one in found.archives} == {"unreadable"}
    reasons = {os.path.basename(one.path): one.reason for one in found.skipped}
    links = dict.fromkeys(["link.snap", "dangling.snap", "loop.snap"], "is a symbolic link")
    others = dict.fromkeys(["directory.snap", "pipe.snap"], "is not a regular file")
    assert reasons == {**links, **others, "not\\udcffutf8.snap": "its name is not UTF-8"}
    json.dumps([as_json(one, NOW) for one in found.archives], ensure_ascii=False).encode()
    # A save looks into such a directory, too.
    assert read_catalogue(LocalStore.at(str(place)), described=True).archives == []
    assert entries_of(LocalStore.at(str(place))) == []


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode_manifest(manifest(b"data"))), **changes}).encode()


HOSTILE = {
    "huge": b'{"a": "' + b"x" * (2 << 20) + b'"}',
    "deep": b"[" * 100_000,
    "deep in a known place": changed().replace(
        b'"records": {}', b'"records": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    ),
    "a million digits": changed().replace(b'"index": 7', b'"index": ' + b"9" * 1_000_000),
    "a float": changed().replace(b'"index": 7', b'"index": 7.5'),
    "infinite": changed().replace(b'"index": 7', b'"index": 1e999'),
    "NaN": changed().replace(b'"index": 7', b'"index": NaN'),
    "true for a number": changed().replace(b'"index": 7', b'"index": true'),
    "negative": changed().replace(b'"index": 7', b'"index": -7'),
    "beyond what raft counts to": changed().replace(b'"index": 7', b'"index": 18446744073709551616'),
    "text for a number": changed().replace(b'"index": 7', b'"index": "7"'),
    "an infinite count in the fingerprint": changed(
        fingerprint={"overall": "v2:0", "types": {"KVS": {"count": 0, "digest": "0"}}}
    ).replace(b'"count": 0', b'"count": 1e999'),
    "a number for a name": changed(cluster={**OURS.as_json(), "name": 7}),
    "a list for a datacenter": changed(cluster={**OURS.as_json(), "datacenter": ["dc1"]}),
    "a map for servers": changed(cluster={**OURS.as_json(), "servers": {"s1": 1}}),
    "text for servers": changed(cluster={**OURS.as_json(), "servers": "s1"}),
    "half a character": changed(cluster={**OURS.as_json(), "name": "\ud800"}),
    "text for a flag": changed(confirmed_by_leader="false"),
    "a number for a flag": changed(consistency={"stale": 0, "last_contact_ms": 0, "known_leader": True}),
    "a list for a file": changed(archive={"file": ["a"], "size": 4, "sha256": "ab"}),
    "a year that is none": changed(taken_at="0000-00-00T00:00:00Z"),
    "other digits": changed(taken_at="\uff12026-11-23T02:15:00Z"),
    "a number for a time": changed(confirmed_at=1e308),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_manifest_is_unreadable_at_once(text: bytes, tmp_path: Path) -> None:
    put(tmp_path, "a.snap", b"data", text)
    begun = time.process_time()
    assert [one.status for one in read_catalogue(LocalStore.at(str(tmp_path))).archives] == ["unreadable"]
    assert entries_of(LocalStore.at(str(tmp_path))) == []
    assert time.process_time() - begun < 2


def test_a_manifest_that_names_another_file_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.snap"
    outside.write_bytes(b"data")
    place = tmp_path / "place"
    place.mkdir()
    put(place, "a.snap", b"data", manifest(b"data", file="../outside.snap"))
    (place / "b.snap.manifest.json").write_bytes(encode_manifest(replace(manifest(b"data"), file=str(outside))))
    assert names(read_catalogue(LocalStore.at(str(place)))) == ["a.snap"]
    [entry] = entries_of(LocalStore.at(str(place)))
    assert entry.path == str(place / "a.snap")


def test_only_the_beginning_of_an_archive_is_read(tmp_path: Path) -> None:
    # A hundred megabytes of a first member that would have to be meta.json.
    put(tmp_path, "bomb.snap", archive_of([Part(META, bytes(100 << 20))]))
    begun = time.process_time()
    [one] = read_catalogue(LocalStore.at(str(tmp_path))).archives
    assert (one.index, one.cluster.servers) == (None, ())
    assert time.process_time() - begun < 1
    assert os.path.getsize(one.path) > _BEGINNING
