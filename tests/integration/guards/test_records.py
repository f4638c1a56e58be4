# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that kill a server: refused by the module, and, on servers that nobody needs, seen to kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from support import archives
from support.archives import STATE
from support.calls import Calls
from support.faults import FaultServer
from support.scene import RESTORE
from support.states import UNKNOWN, Record, packed, with_records

from lab import Cluster, binaries

from .conftest import Golden, GoldenOf, finding, wait_dead
from .test_versions import ALL_RISKS

Start = Callable[..., Cluster]
Change = Callable[[bytes], bytes]

CONFIG_ENTRY, ENTERPRISE = 22, 65
KIND = "no-such-kind"


def with_kind(archive: bytes) -> bytes:
    """Add a config entry of a kind that no Consul has: a string that holds the kind and the request."""
    request = {"Datacenter": "dc1", "Op": "upsert", "Entry": {"Kind": KIND, "Name": "cake"}}
    return with_records(archive, [Record(CONFIG_ENTRY, packed(KIND) + packed(request))])


# What is in the archive, which guard refuses it, what it says, and what the server says of it when it dies.
DEADLY: dict[str, tuple[Change, str, str, str]] = {
    "an unknown type": (
        lambda archive: with_records(archive, [Record(UNKNOWN, {"a": 1})]),
        "record_types",
        f"Unknown({UNKNOWN})",
        "",
    ),
    "an unknown type below 64": (
        lambda archive: with_records(archive, [Record(63, {"a": 1})]),
        "record_types",
        "Unknown(63)",
        "Unrecognized msg type 63",
    ),
    "an Enterprise type": (
        lambda archive: with_records(archive, [Record(ENTERPRISE, b"namespace")]),
        "record_types",
        f"Namespace ({ENTERPRISE})",
        "",
    ),
    "an unknown kind of config entry": (with_kind, "record_types", f"ConfigEntry {KIND}", "invalid config entry kind"),
    "cut inside a record": (
        lambda archive: archives.with_state(archive, archives.part_of(archive, STATE)[:-3]),
        "archive",
        "inside a record",
        "EOF",
    ),
}


@pytest.mark.parametrize(("change", "guard", "words", "_log"), DEADLY.values(), ids=DEADLY)
def test_is_refused_and_the_server_lives(
    change: Change, guard: str, words: str, _log: str, golden: Golden, calls: Calls, tmp_path: Path
) -> None:
    source = golden.source
    src = tmp_path / "deadly.snap"
    src.write_bytes(change(golden.path.read_bytes()))
    with FaultServer(source.servers[0].address("http")) as server:
        told = {"src": str(src), "backup_dir": str(tmp_path), "accept_risks": ALL_RISKS, "version_check": "off"}
        for check in (True, False):
            result = calls.fails(source, "snapshot_restore", "guard", port=server.port, check=check, **told)
            assert guard in result["failure"]["refused"]
            assert words in finding(result, guard)["detail"]
            assert finding(result, guard)["risk"] is None
        assert server.count(*RESTORE) == 0
    assert source.servers[0].running
    assert [path.name for path in tmp_path.iterdir()] == ["deadly.snap"]


@pytest.mark.parametrize(("change", "_guard", "_words", "log"), DEADLY.values(), ids=DEADLY)
def test_would_have_killed_it_for_good(
    change: Change, _guard: str, _words: str, log: str, golden: Golden, version: str, start: Start
) -> None:
    victim = start(version, name_prefix="victim")
    [server] = victim.servers
    with pytest.raises(requests.RequestException):
        victim.http("PUT", "/v1/snapshot", data=change(golden.path.read_bytes()))
    wait_dead(server)
    assert "failed to restore snapshot" in server.log_tail(60)
    assert log in server.log_tail(60)
    # And again at each start, because what it can't read is stored already.
    server.start()
    wait_dead(server)


def test_an_archive_of_a_newer_version_kills_an_older_server(golden_of: GoldenOf, start: Start) -> None:
    victim = start(binaries.OLD, name_prefix="victim")
    [server] = victim.servers
    with pytest.raises(requests.RequestException):
        victim.http("PUT", "/v1/snapshot", data=golden_of(binaries.NEW).path.read_bytes())
    wait_dead(server)
    assert "Unrecognized msg type" in server.log_tail(60)
