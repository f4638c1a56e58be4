# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_info: the same numbers as ``consul snapshot inspect``, on any archive."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.archives import META, part_of
from support.calls import Calls
from support.scene import contents, manifest_of
from support.states import KVS, REGISTER, UNKNOWN, Record, archive_around, kv, node, state_of

from lab import Cluster

Inspect = Callable[..., dict[str, Any]]
Told = dict[str, tuple[int, int]]


def by_type(result: dict[str, Any]) -> Told:
    return {name: (stats["count"], stats["size"]) for name, stats in result["records"].items()}


def by_prefix(result: dict[str, Any]) -> Told:
    return {one["prefix"]: (one["count"], one["size"]) for one in result["kv_prefixes"]}


def told(rows: list[dict[str, Any]] | None) -> Told:
    """Return what the CLI says in one of its tables."""
    return {row["Name"]: (row["Count"], row["Sum"]) for row in rows or []}


def check_as_the_cli_says(result: dict[str, Any], seen: dict[str, Any]) -> None:
    """Types, their counts and sizes, and the metadata are those that the CLI sees."""
    assert by_type(result) == told(seen["Stats"])
    assert result["total_size"] == seen["TotalSize"]
    assert sum(size for _count, size in by_type(result).values()) == seen["TotalSize"]
    meta = seen["Meta"]
    assert {name: result["meta"][name.lower()] for name in meta} == meta


@pytest.mark.every_version
@pytest.mark.parametrize("depth", [1, 2, 3, 9])
def test_as_the_cli_counts(depth: int, golden: Any, calls: Calls, inspect: Inspect) -> None:
    result = calls.ok(None, "snapshot_info", path=str(golden.path), kv_depth=depth)
    seen = inspect(golden.path, "-kvdetails", "-kvdepth", str(depth))

    check_as_the_cli_says(result, seen)
    assert by_prefix(result) == told(seen["StatsKV"])
    assert sum(one["size"] for one in result["kv_prefixes"]) == seen["TotalSizeKV"]
    assert sum(one["count"] for one in result["kv_prefixes"]) == len(golden.seen["kv"])
    sizes = [one["size"] for one in result["kv_prefixes"]]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize(
    "prefix", ["lab/team-a", "lab/team-a/", "lab/odd/ü", "lab", "lab-", "nothing", "lab/odd/with "]
)
def test_prefixes_within_another_as_the_cli_counts(prefix: str, golden: Any, calls: Calls, inspect: Inspect) -> None:
    result = calls.ok(None, "snapshot_info", path=str(golden.path), kv_depth=3, kv_prefix=prefix)
    seen = inspect(golden.path, "-kvdetails", "-kvdepth", "3", "-kvfilter", prefix)

    assert by_prefix(result) == told(seen["StatsKV"])
    # Types are counted whole whatever is asked of the keys.
    assert by_type(result) == told(seen["Stats"])


def test_without_prefixes(golden: Any, calls: Calls) -> None:
    result = calls.ok(None, "snapshot_info", path=str(golden.path), kv_depth=0)

    assert result["kv_prefixes"] == []
    assert result["records"]["KVS"]["count"] == len(golden.seen["kv"])


@pytest.mark.every_version
def test_an_archive_of_the_cli(seeded: Cluster, golden: Any, calls: Calls, inspect: Inspect, tmp_path: Path) -> None:
    path = tmp_path / "cli.snap"
    seeded.cli("snapshot", "save", path)
    before = contents(tmp_path)
    results = [calls.ok(None, "snapshot_info", path=str(path), check=check) for check in (True, False)]

    assert contents(tmp_path) == before
    result = results[0]
    unlike = {"invocation": None, "duration": None}
    assert {**results[1], **unlike} == {**result, **unlike}
    assert result["changed"] is False
    check_as_the_cli_says(result, inspect(path))
    assert result["verified"] is True
    assert result["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result["size"] == path.stat().st_size
    assert result["fingerprint"] == golden.result["fingerprint"]
    assert result["manifest"] == {"path": str(manifest_of(path)), "status": "absent"}
    identity = (seeded.trust_domain() or "").partition(".")[0]
    assert result["origin"] == {"datacenter": "dc1", "id": identity, "consul_version": seeded.version}
    meta = json.loads(part_of(path.read_bytes(), META))
    assert result["meta"]["servers"] == [
        {"id": one["ID"], "address": one["Address"], "suffrage": "Voter"} for one in meta["Configuration"]["Servers"]
    ]
    assert result["meta"]["servers"][0]["address"] == seeded.servers[0].rpc_address


def test_the_manifest_beside_it(golden: Any, calls: Calls, tmp_path: Path) -> None:
    path = Path(shutil.copy2(golden.path, tmp_path))

    def status() -> dict[str, Any]:
        return dict(calls.ok(None, "snapshot_info", path=str(path))["manifest"])

    assert status()["status"] == "absent"
    shutil.copy2(manifest_of(golden.path), tmp_path)
    text = json.loads(manifest_of(path).read_text())
    assert status() == {"path": str(manifest_of(path)), "status": "matches", "confirmed_at": text["confirmed_at"]}
    text["archive"]["sha256"] = "00" * 32
    manifest_of(path).write_text(json.dumps(text))
    assert status() == {"path": str(manifest_of(path)), "status": "stale"}
    manifest_of(path).write_text("{")
    assert status() == {"path": str(manifest_of(path)), "status": "unreadable"}


def changed(record: Record, **fields: Any) -> Record:
    """Return a record with some fields more, in the order that Consul's encoder gives them."""
    return Record(record.type_id, dict(sorted({**record.value, **fields}.items())))


# Each key once as the community edition writes it, and once with a field that Enterprise has, which another code reads.
KEYS = ["a/b/c", "a/b/d", "a/e", "f", "ü/x/y", "a/b/" + "long" * 100]
FAST = [kv(key, b"v" * 40) for key in KEYS]
SLOW = [changed(record, Namespace="default") for record in FAST]


@pytest.mark.parametrize(
    "records", [FAST, SLOW, [*FAST, *SLOW], [*SLOW[:3], *FAST]], ids=["fast", "slow", "both", "mixed"]
)
def test_keys_are_counted_alike_whatever_way_they_are_read(
    records: list[Record], calls: Calls, inspect: Inspect, tmp_path: Path
) -> None:
    path = tmp_path / "built.snap"
    path.write_bytes(archive_around(state_of([node("external"), *records])))
    result = calls.ok(None, "snapshot_info", path=str(path), kv_depth=2)
    seen = inspect(path, "-kvdetails", "-kvdepth", "2")

    check_as_the_cli_says(result, seen)
    assert by_prefix(result) == told(seen["StatsKV"])
    assert result["records"]["KVS"]["count"] == len(records)
    assert {record.type_id for record in records} == {KVS}


def test_the_states_header_counts_with_its_first_record(calls: Calls, inspect: Inspect, tmp_path: Path) -> None:
    path = tmp_path / "built.snap"
    path.write_bytes(archive_around(state_of(FAST)))
    result = calls.ok(None, "snapshot_info", path=str(path))

    check_as_the_cli_says(result, inspect(path))


def test_types_without_a_name_are_counted(calls: Calls, tmp_path: Path) -> None:
    path = tmp_path / "built.snap"
    records = [Record(65, b"a namespace of Enterprise"), Record(UNKNOWN, {"of": "a version to come"}), *FAST]
    path.write_bytes(archive_around(state_of(records)))
    result = calls.ok(None, "snapshot_info", path=str(path))

    counts = {name: stats["count"] for name, stats in result["records"].items()}
    assert counts == {"Unknown(65)": 1, f"Unknown({UNKNOWN})": 1, "KVS": len(FAST)}
    assert result["origin"] == {"datacenter": None, "id": None, "consul_version": None}


def test_an_empty_state(calls: Calls, tmp_path: Path) -> None:
    path = tmp_path / "built.snap"
    path.write_bytes(archive_around(state_of([])))
    result = calls.ok(None, "snapshot_info", path=str(path))

    assert (result["records"], result["total_size"], result["kv_prefixes"]) == ({}, 0, [])


def test_what_is_no_archive_is_told(golden: Any, calls: Calls, tmp_path: Path) -> None:
    path = tmp_path / "broken.snap"
    for content, fault in ((golden.path.read_bytes()[:-9], "truncated"), (b"text", "not_gzip"), (b"", "truncated")):
        path.write_bytes(content)
        result = calls.fails(None, "snapshot_info", "archive", path=str(path))
        assert result["failure"]["fault"] == fault
        assert result["failure"]["hint"]
    broken = [Record(REGISTER, {"Node": "a"}), *FAST]
    path.write_bytes(archive_around(state_of(broken)[:-3]))
    assert calls.fails(None, "snapshot_info", "archive", path=str(path))["failure"]["fault"] == "records"
    assert "absent" in calls.fails(None, "snapshot_info", "file", path=str(tmp_path / "absent"))["msg"]
    calls.fails(None, "snapshot_info", "file", path=str(tmp_path))
    calls.fails(None, "snapshot_info", "option", path=str(golden.path), kv_depth=-1)
