# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that verify and that no server can take: refused before anything is sent, and deadly where it is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from support.calls import Calls
from support.faults import FaultServer
from support.records import with_changed
from support.scene import RESTORE
from support.states import Record, packed, with_records

from lab import Cluster, binaries

from .conftest import GoldenOf, finding, wait_dead
from .test_findings import once
from .test_versions import ALL_RISKS

Start = Callable[..., Cluster]
Change = Callable[[bytes], bytes]

KVS, REGISTER, QUERY, TOKEN, POLICY, ENTRY, ROLE, PEERING = 2, 0, 7, 17, 19, 22, 23, 35
UUID = "6b50a97a-0ff0-909c-5dcd-58cc767aa108"


def having(type_id: int, field: bytes, value: Any) -> Change:
    """Set a field of the first record of a type."""
    return lambda archive: once(archive, type_id, lambda record: {**record, field: value})


def entry(kind: str, body: Any) -> Change:
    """Add a config entry."""
    text = packed(kind) + packed({"Entry": body})
    return lambda archive: with_records(archive, [Record(ENTRY, text)])


# What is named, and the archive that has it.
CASES: dict[str, Change] = {
    "KVS 1: Flags": having(KVS, b"Flags", b"a text where a number belongs"),
    "KVS 1: Key": having(KVS, b"Key", b""),
    "ACLToken 1: Local": having(TOKEN, b"Local", [1]),
    "ACLToken 1: ExpirationTime": having(TOKEN, b"ExpirationTime", b"\x07"),
    "ACLPolicy 1: Name": having(POLICY, b"Name", None),
    "ACLRole 1: ID": having(ROLE, b"ID", b"no uuid"),
    "Register 1: TaggedAddresses": having(REGISTER, b"TaggedAddresses", [b"a list"]),
    "PreparedQuery 1: Template.Type": having(QUERY, b"Template", {b"Type": b"unheard of"}),
    "Peering 2: the whole record": lambda archive: with_records(archive, [Record(PEERING, b"\xff\xff\xff")]),
    "ConfigEntry 13: Entry.Sources[]": entry("service-intentions", {"Name": "db", "Sources": [None]}),
}


@pytest.mark.parametrize("named", CASES)
def test_refused_and_named_by_type_number_and_field(
    named: str, golden_of: GoldenOf, shared_cluster: Start, calls: Calls, tmp_path: Path
) -> None:
    target, src = shared_cluster(version=binaries.NEW, name_prefix="elsewhere"), tmp_path / "changed.snap"
    src.write_bytes(CASES[named](golden_of(binaries.NEW).path.read_bytes()))
    found = {one["name"]: one for one in calls.ok(None, "snapshot_info", path=str(src))["findings"]}
    assert (found["unreadable_record"]["count"], found["unreadable_record"]["names"]) == (1, [named])
    with FaultServer(target.servers[0].address("http")) as server:
        told = {"src": str(src), "accept_risks": ALL_RISKS, "port": server.port}
        result = calls.fails(target, "snapshot_restore", "guard", **told)
        assert result["failure"]["refused"] == ["findings"]
        assert result["failure"]["state"] == "nothing_sent"
        # Nobody can accept it.
        assert finding(result, "findings")["risk"] is None
        assert server.count(*RESTORE) == 0


@pytest.mark.parametrize("named", CASES)
def test_what_the_server_does_with_it(named: str, golden_of: GoldenOf, start: Start) -> None:
    target = start(binaries.NEW, name_prefix="victim")
    archive = CASES[named](golden_of(binaries.NEW).path.read_bytes())
    with pytest.raises(requests.RequestException):
        target.http("PUT", "/v1/snapshot", data=archive)
    wait_dead(target.servers[0])


def test_a_field_of_a_version_to_come_is_no_reason(
    golden_of: GoldenOf, start: Start, calls: Calls, tmp_path: Path
) -> None:
    golden, target, src = golden_of(binaries.NEW), start(binaries.NEW), tmp_path / "changed.snap"
    archive = with_changed(golden.path.read_bytes(), POLICY, lambda record: {**record, b"Zone": [{b"a": 1}]})
    src.write_bytes(archive)
    told = {"src": str(src), "post_restore_token": golden.token}
    checked = calls.ok(target, "snapshot_restore", check=True, **told)
    assert finding(checked, "findings")["status"] == "passed"
    assert target.http("PUT", "/v1/snapshot", data=archive).status_code == 200


def test_a_record_that_stands_there_twice_is_said(golden_of: GoldenOf, calls: Calls, tmp_path: Path) -> None:
    src = tmp_path / "changed.snap"
    again = Record(POLICY, {"ID": UUID, "Name": "again"})
    src.write_bytes(with_records(golden_of(binaries.NEW).path.read_bytes(), [again, again]))
    found = {one["name"]: one for one in calls.ok(None, "snapshot_info", path=str(src))["findings"]}
    assert found["doubled_record"]["names"] == ["ACLPolicy again"]
    assert "unreadable_record" not in found
