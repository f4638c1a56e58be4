# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rehearsal is shown, whatever it came to, and how old its archive is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.states import archive_around, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ServerDied
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.result import (
    Ending,
    Examined,
    age_of,
    result_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.rehearse.verdict import Conclusion
from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox.binary import Binary
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest, Stamp

HOUR, DAY = 3_600, 86_400

# Seconds from now: taken, confirmed (None: not known); and the age.
AGES = [
    (-5 * HOUR, None, 5 * HOUR),
    (-5 * HOUR, -HOUR, HOUR),
    (-HOUR, -5 * HOUR, HOUR),
    (None, -HOUR, HOUR),
    (None, None, None),
    (10 * DAY, None, None),
    (10 * DAY, 10 * DAY, None),
    (10 * DAY, -HOUR, HOUR),
    (-HOUR, 10 * DAY, HOUR),
    (HOUR, None, 0),
]


NOW = 1_795_000_000.0


@pytest.mark.parametrize(("taken", "confirmed", "age"), AGES)
def test_age(taken: int | None, confirmed: int | None, age: int | None) -> None:
    dates = (None if ago is None else NOW + ago for ago in (taken, confirmed))
    assert age_of(*dates, NOW) == age


def examined(**changes: Any) -> Examined:
    origin = ClusterIdentity("dc1", "an-id", "1.8.7")
    archive = read_archive([archive_around(state_of([kv("a", b"x")]))])
    return replace(Examined(archive, Digest(10, "abc"), Stamp(0, 0, 0, 0), origin, 7), **changes)


ALWAYS = {"src", "passed", "verdict", "assertions", "targets", "rto", "memory_bytes", "isolation", "server_version"} | {
    "cleared",
    "kept_dir",
}
VERIFIED = {"sha256", "size", "taken_at", "age", "datacenter", "cluster_id", "archive_version", "records"} | {
    "fingerprint",
    "findings",
}


def test_nothing_has_happened() -> None:
    result = result_of("/a.snap", Ending())
    assert result.keys() == ALWAYS
    assert (result["src"], result["verdict"], result["passed"], result["rto"]) == ("/a.snap", "incomplete", False, {})


def test_what_is_known_of_a_verified_archive() -> None:
    result = result_of("/a.snap", Ending(Conclusion("refused", "why"), examined=examined(), cleared=("/x",)))
    assert result.keys() == ALWAYS | VERIFIED
    assert (result["sha256"], result["size"], result["age"], result["archive_version"]) == ("abc", 10, 7, "1.8.7")
    assert result["records"]["KVS"]["count"] == 1
    assert result["cleared"] == ["/x"]


def test_the_total_belongs_to_a_proof() -> None:
    rto = {"start": 1.0, "restore": 0.2, "ready": 0.1, "proof": 0.05}
    assert result_of("", Ending(Conclusion("proven"), rto=rto))["rto"] == {**rto, "total": 1.35}
    assert result_of("", Ending(Conclusion("not_proven"), rto=rto))["rto"] == rto


def test_a_death_is_a_finding() -> None:
    death = ServerDied("it ended", crash_log=["panic: a"])
    died = Ending(Conclusion("died", "why", cause=death), examined=examined(), binary=Binary("/c", "1.8.7"))
    [finding] = result_of("", died)["findings"]
    assert (finding["name"], finding["severity"], finding["crash_log"]) == ("server_died", "critical", ["panic: a"])
    # One that only lacked room, or did not start, is not what the archive does to a server.
    early = replace(died, conclusion=Conclusion("incomplete", "why", cause=death))
    assert result_of("", early)["findings"] == []


@pytest.mark.parametrize(
    ("archive", "server", "across"),
    [("1.8.7", "1.22.7", True), ("1.22.7", "1.22.7", False), (None, "1.22.7", False), ("1.8.7", None, False)],
)
def test_across_versions(archive: str | None, server: str | None, across: bool) -> None:
    origin = ClusterIdentity("dc1", "an-id", archive)
    ending = Ending(examined=examined(origin=origin), binary=Binary("/c", server) if server else None)
    assert ending.is_across is across
