# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_info finds what won't restore well, in real archives, and servers do what the findings say.

Where a server can't be brought to write such an archive, a real one is changed in that one point.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from support.calls import Calls
from support.records import Change, with_changed
from support.states import UNKNOWN, Record, with_records

from lab import Cluster

Snapshot = Callable[[Cluster], Path]

SESSION, CA, CA_CONFIG, TOKEN = 3, 13, 15, 17
LONG_AGO = b"\1" + (62_135_596_800 + 1_500_000_000).to_bytes(8, "big") + bytes(4) + b"\xff\xff"
MARK = "to be found"


def having(field: bytes, value: Any, *, where: tuple[bytes, bytes] | None = None) -> Change:
    """Set a field of the records that hold something in another."""

    def change(record: dict[bytes, Any]) -> dict[bytes, Any] | None:
        return {**record, field: value} if where is None or record.get(where[0]) == where[1] else None

    return change


@pytest.fixture
def findings(calls: Calls, tmp_path: Path) -> Callable[[Path | bytes], dict[str, Any]]:
    """Reads an archive and returns what is found, by name."""

    def found(archive: Path | bytes) -> dict[str, Any]:
        path = archive if isinstance(archive, Path) else tmp_path / "changed.snap"
        if isinstance(archive, bytes):
            path.write_bytes(archive)
        return {one["name"]: one for one in calls.ok(None, "snapshot_info", path=str(path))["findings"]}

    return found


Find = Callable[[Path | bytes], dict[str, Any]]


@pytest.fixture(scope="module")
def held(playground: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """An archive with a token and a session of which there is nothing to find yet, and the token's accessor."""
    path = tmp_path_factory.mktemp("held") / "held.snap"
    token = playground.put("/v1/acl/token", {"Description": MARK})
    playground.put("/v1/catalog/register", {"Node": "held", "Address": "192.0.2.1"})
    session = {"Name": MARK, "Node": "held", "Checks": [], "NodeChecks": [], "ServiceChecks": []}
    playground.put("/v1/session/create", session)
    playground.cli("snapshot", "save", path)
    return path.read_bytes(), token["AccessorID"]


@pytest.mark.every_version
def test_a_healthy_cluster_has_none(held: tuple[bytes, str], findings: Find) -> None:
    assert set(findings(held[0])) <= {"services_of_agents"}


def test_services_of_agents(playground: Cluster, snapshot: Snapshot, findings: Find) -> None:
    server = playground.servers[0].name
    playground.put("/v1/agent/service/register", {"ID": "web-1", "Name": "web"})
    found = findings(snapshot(playground))["services_of_agents"]

    assert (found["severity"], found["count"], found["names"]) == ("info", 1, [f"service web-1 on {server}"])
    playground.put("/v1/agent/service/deregister/web-1")


def test_node_names_that_differ_in_case(
    playground: Cluster, snapshot: Snapshot, findings: Find, tmp_path: Path
) -> None:
    # A server takes the other spelling for the same node, and leaves its check as it is.
    check = {"Node": "spelled", "CheckID": "ping", "Name": "ping", "Status": "passing"}
    playground.put("/v1/catalog/register", {"Node": "spelled", "Address": "192.0.2.1", "Check": check})
    playground.put("/v1/catalog/register", {"Node": "SPELLED", "Address": "192.0.2.2"})
    archive = snapshot(playground).read_bytes()
    found = findings(archive)["node_names_differ_in_case"]

    assert (found["severity"], found["count"], found["names"]) == ("critical", 1, ["SPELLED, spelled"])
    assert survives(playground, archive, tmp_path) == (playground.version != "1.8.7")
    playground.put("/v1/catalog/deregister", {"Node": "spelled"})


def test_a_token_without_accessor(playground: Cluster, held: tuple[bytes, str], findings: Find, tmp_path: Path) -> None:
    archive = with_changed(held[0], TOKEN, having(b"AccessorID", b"", where=(b"AccessorID", held[1].encode())))
    found = findings(archive)["token_without_accessor"]

    assert (found["severity"], found["count"], found["names"]) == ("critical", 1, ["a token without accessor"])
    assert survives(playground, archive, tmp_path) == (playground.version == "1.8.7")


def survives(like: Cluster, archive: bytes, directory: Path) -> bool:
    """Send an archive to a new server of the same version, by plain HTTP, and see whether it lives."""
    with Cluster(directory / "throwaway", version=like.version, servers=1) as cluster:
        try:
            answer = cluster.http("PUT", "/v1/snapshot", data=archive)
        except requests.ConnectionError:
            cluster.servers[0].wait_stopped(20)
            assert "failed to restore snapshot" in cluster.servers[0].log_file.read_text(errors="replace")
            return False
        assert answer.status_code == 200, answer.text
        return cluster.servers[0].running


CHANGED: list[tuple[str, str, int, Change, list[str]]] = [
    ("ca_provider_empty", "warning", CA_CONFIG, having(b"Provider", b""), ["configuration"]),
    ("ca_certificate_expired", "warning", CA, having(b"NotAfter", LONG_AGO), []),
    ("token_expired", "warning", TOKEN, having(b"ExpirationTime", LONG_AGO, where=(b"Description", MARK.encode())), []),
    ("session_without_node", "warning", SESSION, having(b"Node", b"gone", where=(b"Name", MARK.encode())), ["gone"]),
]


@pytest.mark.parametrize("case", CHANGED, ids=[case[0] for case in CHANGED])
def test_records_that_were_changed(
    case: tuple[str, str, int, Change, list[str]], held: tuple[bytes, str], playground: Cluster, findings: Find
) -> None:
    name, severity, type_id, change, names = case
    found = findings(with_changed(held[0], type_id, change))
    expected = (
        names
        or {
            "ca_certificate_expired": [root["ID"] for root in playground.get("/v1/connect/ca/roots")["Roots"]],
            "token_expired": [held[1]],
        }[name]
    )

    assert set(found) - {"services_of_agents"} == {name}
    assert (found[name]["severity"], found[name]["count"], found[name]["names"]) == (severity, 1, expected)


def test_types_that_nobody_knows(held: tuple[bytes, str], findings: Find) -> None:
    archive = with_records(held[0], [Record(UNKNOWN, {"SecretID": "x"}), Record(65, {"Name": "team"})])
    found = findings(archive)["unnamed_records"]

    assert (found["count"], found["names"]) == (2, ["Unknown(65)", f"Unknown({UNKNOWN})"])
