# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives as it is listed, with everything in it that somebody could put there."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.archives import META, STATE, SUMS, Part, archive_of, sums_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FileError, OptionError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.listing import (
    Listing,
    ListRequest,
    as_json,
    list_archives,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import (
    Fingerprint,
    TypeDigest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage import catalogue as _catalogue
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.chronology import DAY
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.store import entries_of
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text, to_text

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


def described(directory: Path, name: str, **facts: Any) -> str:
    return put(directory, name, b"data", manifest(b"data", **facts))


def listed(directory: Path, **options: Any) -> Listing:
    return list_archives(ListRequest(str(directory), **options), Journal(), NOW)


def names(listing: Listing) -> list[str]:
    return [os.path.basename(one.path) for one in listing.archives]


def test_what_is_listed_of_an_archive(tmp_path: Path) -> None:
    path = described(tmp_path, "a.snap", confirmed_at=NOW - 60)
    [one] = [as_json(one, NOW) for one in listed(tmp_path).archives]
    assert one == {
        "path": path,
        "manifest": f"{path}.manifest.json",
        "manifest_status": "matches",
        "cluster": {
            "name": "production",
            "datacenter": "dc1",
            "id": "an-id",
            "consul_version": "1.22.7",
            "servers": ["s1", "s2"],
        },
        "taken_at": to_text(NOW - DAY),
        "confirmed_at": to_text(NOW - 60),
        "confirmed_by_leader": True,
        "dated_ahead": False,
        "index": 7,
        "size": 4,
        "sha256": "ab" * 32,
        "fingerprint": Fingerprint({"KVS": TypeDigest(1, 7)}).overall,
    }


def test_without_a_manifest_the_first_member_tells(tmp_path: Path) -> None:
    path = put(tmp_path, "a.snap")
    [one] = [as_json(one, NOW) for one in listed(tmp_path).archives]
    assert (one["path"], one["manifest"], one["manifest_status"]) == (path, None, "absent")
    assert (one["index"], one["taken_at"]) == (7, to_text(NOW - DAY))
    assert one["cluster"]["servers"] == ["s1", "s2"]
    assert (one["confirmed_at"], one["confirmed_by_leader"]) == (None, None)
    assert one["cluster"]["name"] is one["cluster"]["datacenter"] is None


TIMES = {
    "dc1-20261120T101500Z-31.snap": "2026-11-20T10:15:00Z",
    "dc1-20261120T101500Z-31-2.snap": "2026-11-20T10:15:00Z",
    "consul-1795600000000000000.snap": "2026-11-25T09:46:40Z",
    "garbage.snap": "2026-11-19T00:00:00Z",
}


@pytest.mark.parametrize(("name", "taken"), TIMES.items(), ids=TIMES)
def test_what_is_not_readable_is_dated_by_its_name_or_its_file(name: str, taken: str, tmp_path: Path) -> None:
    path = put(tmp_path, name, b"not an archive")
    os.utime(path, (0, from_text("2026-11-19T00:00:00Z")))
    [one] = [as_json(one, NOW) for one in listed(tmp_path).archives]
    assert (one["taken_at"], one["index"]) == (taken, None)


def test_manifests_that_stand_to_an_archive_otherwise(tmp_path: Path) -> None:
    whole = archive()
    put(tmp_path, "cut.snap", whole[: len(whole) // 2], manifest(whole))
    put(tmp_path, "of-another.snap", whole, manifest(whole + b"x", index=99))
    put(tmp_path, "spoilt.snap", whole, b"{")
    put(tmp_path, "empty.snap", b"", manifest(whole))
    found = {os.path.basename(one.path): as_json(one, NOW) for one in listed(tmp_path).archives}

    states = {name: one["manifest_status"] for name, one in found.items()}
    assert states == {
        "cut.snap": "stale",
        "of-another.snap": "stale",
        "spoilt.snap": "unreadable",
        "empty.snap": "stale",
    }
    # Half of it is still of that cluster; what belongs to another archive says nothing.
    assert [found[name]["cluster"]["name"] for name in ("cut.snap", "empty.snap")] == ["production"] * 2
    assert [found[name]["cluster"]["name"] for name in ("of-another.snap", "spoilt.snap")] == [None] * 2
    assert {one["confirmed_at"] for one in found.values()} == {None}
    assert listed(tmp_path).newest_confirmed_at is None


def test_the_newest_first_and_a_pick(tmp_path: Path) -> None:
    for day, index in ((1, 30), (2, 20), (3, 10)):
        described(tmp_path, f"{day}.snap", taken_at=NOW - day * DAY, index=index)
    assert names(listed(tmp_path)) == ["1.snap", "2.snap", "3.snap"]
    assert names(listed(tmp_path, pick="newest")) == ["1.snap"]
    assert names(listed(tmp_path, pick=to_text(NOW - 2 * DAY))) == ["2.snap", "3.snap"]
    assert names(listed(tmp_path, pick="2026-01-01")) == []
    for wrong in ("yesterday", "", "0001-01-01T00:00:00+99:99", "\x1b[2J"):
        with pytest.raises(OptionError, match="pick: ") as refused:
            listed(tmp_path, pick=wrong)
        assert refused.value.as_text().isprintable()


def test_the_newest_confirmation_wherever_it_stands(tmp_path: Path) -> None:
    described(tmp_path, "old-content-again.snap", taken_at=NOW - 9 * DAY, index=1, confirmed_at=NOW - 7)
    described(tmp_path, "new.snap", taken_at=NOW - DAY, index=9)
    assert names(listed(tmp_path)) == ["new.snap", "old-content-again.snap"]
    assert listed(tmp_path).newest_confirmed_at == NOW - 7


def test_dates_ahead_are_named_and_not_believed(tmp_path: Path) -> None:
    ahead = described(tmp_path, "ahead.snap", taken_at=NOW + 9 * DAY, index=8)
    described(tmp_path, "today.snap", taken_at=NOW - 60, index=9)
    described(tmp_path, "slightly.snap", taken_at=NOW + 60, index=7, cluster=OURS._replace(servers=("s9",)))
    listing = listed(tmp_path)
    assert names(listing) == ["slightly.snap", "today.snap", "ahead.snap"]
    assert listing.newest_confirmed_at == NOW
    [remark] = listing.remarks
    assert ahead in remark
    assert to_text(NOW + 9 * DAY) in remark
    facts = [as_json(one, NOW) for one in listing.archives]
    assert [one["dated_ahead"] for one in facts] == [False, False, True]
    assert [one["taken_at"] for one in facts] == [to_text(NOW), to_text(NOW - 60), None]
    assert [one["confirmed_at"] for one in facts] == [to_text(NOW), to_text(NOW - 60), None]


def test_what_no_leader_confirmed_is_no_confirmation(tmp_path: Path) -> None:
    described(tmp_path, "a.snap", confirmed_by_leader=False)
    [one] = [as_json(one, NOW) for one in listed(tmp_path).archives]
    assert (one["confirmed_at"], one["confirmed_by_leader"]) == (None, False)
    assert listed(tmp_path).newest_confirmed_at is None


NAMELESS = OURS._replace(name=None)


def test_the_archives_of_a_name(tmp_path: Path) -> None:
    described(tmp_path, "ours.snap")
    described(tmp_path, "theirs.snap", cluster=OURS._replace(name="staging", servers=("t1",)))
    described(tmp_path, "before-names.snap", cluster=NAMELESS)
    described(tmp_path, "unknown.snap", cluster=ClusterIdentity(None, None, None))
    described(tmp_path, "of-a-clone.snap", cluster=NAMELESS._replace(servers=("c1",)))
    described(tmp_path, "theirs-before-names.snap", cluster=NAMELESS._replace(servers=("t1",)))
    described(tmp_path, "other-dc.snap", cluster=NAMELESS._replace(datacenter="dc2"))
    described(tmp_path, "other-id.snap", cluster=NAMELESS._replace(id="other"))
    put(tmp_path, "cli.snap", archive())
    put(tmp_path, "cli-of-others.snap", archive(("x",)))

    assert set(names(listed(tmp_path, cluster="production"))) == {
        *["ours.snap", "before-names.snap", "unknown.snap", "cli.snap"],
    }
    assert names(listed(tmp_path, cluster="production", unnamed=False)) == ["ours.snap"]
    assert names(listed(tmp_path, cluster="never saved", unnamed=False)) == []
    # Nothing tells which of them is meant, except that it is not one that has another name.
    listing = listed(tmp_path, cluster="never saved")
    assert "theirs-before-names.snap" not in names(listing)
    assert "before-names.snap" not in names(listing)
    assert "of-a-clone.snap" in names(listing)
    assert any("name the" in remark or "names the cluster never saved" in remark for remark in listing.remarks)
    assert listing.other_clusters == ("production", "staging")
    assert listed(tmp_path, cluster="production").other_clusters == ("staging",)
    assert listed(tmp_path).other_clusters == ()


def test_old_manifests_get_their_servers_from_the_archive(tmp_path: Path) -> None:
    data = archive()
    put(tmp_path, "a.snap", data, manifest(data, cluster=NAMELESS._replace(servers=())))
    # The first member of another archive of that length says nothing.
    put(tmp_path, "b.snap", data, manifest(data, index=99, cluster=NAMELESS._replace(servers=())))
    found = {os.path.basename(one.path): one.cluster.servers for one in listed(tmp_path).archives}
    assert found == {"a.snap": ("s1", "s2"), "b.snap": ()}


def test_a_directory_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    assert listed(tmp_path / "absent") == Listing(False, [], [], None, [])
    assert listed(tmp_path) == Listing(True, [], [], None, [])
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="is not a directory"):
        listed(tmp_path / "file")


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

    listing = listed(place)
    assert sorted(names(listing)) == ["a.snap", "b.snap", "c.snap"]
    assert {one.status for one in listing.archives} == {"unreadable"}
    reasons = {os.path.basename(one.path): one.reason for one in listing.skipped}
    links = dict.fromkeys(["link.snap", "dangling.snap", "loop.snap"], "is a symbolic link")
    others = dict.fromkeys(["directory.snap", "pipe.snap"], "is not a regular file")
    assert reasons == {**links, **others, "not\\udcffutf8.snap": "its name is not UTF-8"}
    json.dumps([as_json(one, NOW) for one in listing.archives], ensure_ascii=False).encode()
    # A save looks into such a directory, too.
    assert entries_of(str(place)) == []


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
    assert [one.status for one in listed(tmp_path).archives] == ["unreadable"]
    assert entries_of(str(tmp_path)) == []
    assert time.process_time() - begun < 2


def test_a_manifest_that_names_another_file_leads_nowhere(tmp_path: Path) -> None:
    outside = tmp_path / "outside.snap"
    outside.write_bytes(b"data")
    place = tmp_path / "place"
    place.mkdir()
    described(place, "a.snap", file="../outside.snap")
    (place / "b.snap.manifest.json").write_bytes(encode_manifest(replace(manifest(b"data"), file=str(outside))))
    assert names(listed(place)) == ["a.snap"]
    [entry] = entries_of(str(place))
    assert entry.path == str(place / "a.snap")


def test_only_the_beginning_of_an_archive_is_read(tmp_path: Path) -> None:
    # A hundred megabytes of a first member that would have to be meta.json.
    put(tmp_path, "bomb.snap", archive_of([Part(META, bytes(100 << 20))]))
    begun = time.process_time()
    [one] = listed(tmp_path).archives
    assert (one.index, one.cluster.servers) == (None, ())
    assert time.process_time() - begun < 1
    assert os.path.getsize(one.path) > _catalogue._BEGINNING


def test_many_archives_take_little_time(tmp_path: Path) -> None:
    text = encode_manifest(manifest(b"data"))
    for number in range(2_000):
        put(tmp_path, f"{number}.snap", b"data", text)
    begun = time.process_time()
    assert len(listed(tmp_path, cluster="production").archives) == 2_000
    assert time.process_time() - begun < 4


@pytest.mark.parametrize("pick", ["newest", "all", "2026-11-25T23:00:00Z"])
def test_a_newest_archive_that_holds_nothing_is_said(tmp_path: Path, pick: str) -> None:
    rebuilt = OURS._replace(servers=("s8", "s9"))
    full = described(tmp_path, "full.snap", taken_at=NOW - 3 * DAY, user_records={"KVS": 9})
    empty = described(tmp_path, "empty.snap", taken_at=NOW - DAY / 2, cluster=rebuilt)
    (remark,) = list_archives(ListRequest(str(tmp_path), "production", pick=pick), Journal(), NOW).remarks
    assert empty in remark
    assert full in remark
    assert "holds nothing that users stored" in remark
    # Neither of an earlier time, nor once the cluster holds something again, nor where nothing was ever stored.
    assert list_archives(ListRequest(str(tmp_path), "production", pick="2026-11-24"), Journal(), NOW).remarks == []
    described(tmp_path, "again.snap", taken_at=NOW - DAY / 4, index=9, cluster=rebuilt, user_records={"KVS": 1})
    assert list_archives(ListRequest(str(tmp_path), "production", pick="newest"), Journal(), NOW).remarks == []
    assert list_archives(ListRequest(str(tmp_path), "staging", pick="newest"), Journal(), NOW).remarks == []
