# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of archives as it is listed, with everything in it that somebody could put there."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

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
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.chronology import DAY
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    encode_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text, to_text

from .._storage.test_catalogue import NOW, OURS, archive, manifest, put


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
        "sealed": False,
        "signed": False,
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


def test_a_directory_that_is_not_there_or_is_none(tmp_path: Path) -> None:
    assert listed(tmp_path / "absent") == Listing(False, [], [], None, [])
    assert listed(tmp_path) == Listing(True, [], [], None, [])
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="is not a directory"):
        listed(tmp_path / "file")


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
