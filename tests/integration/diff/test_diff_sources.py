# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_diff: where its two sides come from, what a manifest spares, and what becomes of sides that are spoilt."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.answers import CHUNKED, real, says
from support.archives import STATE, part_of, with_state
from support.calls import Calls, connection
from support.faults import FaultServer
from support.modules import finish, start
from support.scene import SNAPSHOT, contents, manifest_of
from support.states import UNKNOWN, Record, with_records

from lab import Cluster

Snapshot = Callable[[Cluster], Path]

VALUE = "a-value-that-nobody-may-see-1174"


@pytest.fixture
def saved(playground: Cluster, calls: Calls, tmp_path: Path) -> Path:
    """An archive with its manifest."""
    return Path(calls.ok(playground, "snapshot_save", dest=str(tmp_path / "saved.snap"), force=True)["dest"])


def put(cluster: Cluster, key: str, value: str = VALUE) -> None:
    cluster.http("PUT", f"/v1/kv/{key}", data=value, check=True)


@pytest.mark.every_version
def test_an_archive_and_the_live_cluster(playground: Cluster, calls: Calls, snapshot: Snapshot, tmp_path: Path) -> None:
    for key in ("live/same", "live/gone", "live/other"):
        put(playground, key)
    before = snapshot(playground)
    assert calls.ok(playground, "snapshot_diff", before=str(before))["equal"]
    put(playground, "live/new")
    put(playground, "live/other", "x")
    playground.http("DELETE", "/v1/kv/live/gone", check=True)
    files = contents(tmp_path)

    outcome = calls.run(playground, "snapshot_diff", before=str(before), diff=True)
    result = outcome.result
    assert result["types"]["KVS"]["names"] == {
        "added": ["live/new"],
        "removed": ["live/gone"],
        "changed": ["live/other"],
    }
    assert result["summary"] == "KVS: 1 added, 1 removed, 1 changed"
    assert (result["changed"], result["quick"], result["after"]["path"]) == (False, False, None)
    assert result["after"]["index"] > result["before"]["index"]
    assert result["diff"]["after"] == "KVS live/new\nKVS live/other (content b)\n"
    assert VALUE not in outcome.stdout
    assert contents(tmp_path) == files
    checked = calls.ok(playground, "snapshot_diff", before=str(before), check=True)
    assert checked["types"] == result["types"]


def test_equal_manifests_are_enough(saved: Path, playground: Cluster, calls: Calls, tmp_path: Path) -> None:
    again = tmp_path / "again.snap"
    calls.ok(playground, "snapshot_save", dest=str(again), force=True)
    result = calls.ok(None, "snapshot_diff", before=str(saved), after=str(again))
    assert (result["equal"], result["quick"]) == (True, True)
    assert result["after"]["path"] == str(again)
    assert set(result["types"]) >= {"ACLPolicy", "ACLToken", "Autopilot"}
    narrowed = calls.ok(None, "snapshot_diff", before=str(saved), after=str(again), types=["KVS", "ACLRole"])
    assert (narrowed["quick"], set(narrowed["types"])) == (True, {"KVS", "ACLRole"})

    # What Consul moves by itself is in no fingerprint, so that it has to be read.
    for options in ({"volatile": True}, {"types": ["KVS", "Session"]}):
        assert not calls.ok(None, "snapshot_diff", before=str(saved), after=str(again), **options)["quick"]

    # Not one byte of the state is read: bytes that are no archive, with a manifest written for them, go unnoticed.
    again.write_bytes(b"no archive at all")
    manifest = json.loads(manifest_of(again).read_text())
    manifest["archive"]["size"] = again.stat().st_size
    manifest["archive"]["sha256"] = hashlib.sha256(again.read_bytes()).hexdigest()
    manifest_of(again).write_text(json.dumps(manifest))
    assert calls.ok(None, "snapshot_diff", before=str(saved), after=str(again))["quick"]
    # And without that nothing is believed.
    manifest_of(again).unlink()
    failed = calls.fails(None, "snapshot_diff", "archive", before=str(saved), after=str(again))
    assert failed["failure"]["path"] == str(again)


def test_a_damaged_copy_is_not_believed(saved: Path, calls: Calls, tmp_path: Path) -> None:
    copy = tmp_path / "copy.snap"
    state = part_of(saved.read_bytes(), STATE)
    damaged = bytearray(saved.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    shutil.copy(manifest_of(saved), manifest_of(copy))
    for option, other in (("before", "after"), ("after", "before")):
        copy.write_bytes(damaged)
        failed = calls.fails(None, "snapshot_diff", "archive", **{option: str(copy), other: str(saved)})
        assert failed["failure"]["path"] == str(copy)
        assert f"{option}: {copy}" in failed["msg"]
    # A copy that is whole and another: its manifest is not its own, and it is read.
    copy.write_bytes(with_state(saved.read_bytes(), state))
    result = calls.ok(None, "snapshot_diff", before=str(saved), after=str(copy))
    assert (result["equal"], result["quick"]) == (True, False)


def test_only_what_differs_is_read_again(saved: Path, playground: Cluster, calls: Calls, tmp_path: Path) -> None:
    put(playground, f"again/{os.urandom(4).hex()}")
    later = tmp_path / "later.snap"
    calls.ok(playground, "snapshot_save", dest=str(later))
    result = calls.ok(None, "snapshot_diff", before=str(saved), after=str(later))

    assert (result["summary"], result["quick"]) == ("KVS: 1 added", False)
    # All that was compared is reported, by manifest or by record.
    assert set(result["types"]) >= {"ACLPolicy", "ACLToken", "Autopilot", "KVS"}
    quick = calls.ok(None, "snapshot_diff", before=str(saved), after=str(later), types=["ACLToken", "ACLPolicy"])
    assert (quick["equal"], quick["quick"]) == (True, True)


def test_records_that_nobody_knows(saved: Path, calls: Calls, tmp_path: Path) -> None:
    strange = tmp_path / "strange.snap"
    strange.write_bytes(with_records(saved.read_bytes(), [Record(UNKNOWN, {"SecretID": VALUE}), Record(UNKNOWN, 7)]))
    outcome = calls.run(None, "snapshot_diff", before=str(saved), after=str(strange), diff=True)

    names = [f"#{number} of Unknown({UNKNOWN})" for number in (1, 2)]
    assert outcome.result["types"][f"Unknown({UNKNOWN})"]["names"]["added"] == names
    assert VALUE not in outcome.stdout


@pytest.fixture
def spoilt(playground: Cluster) -> Iterator[FaultServer]:
    with FaultServer(playground.servers[0].address("http")) as server:
        yield server


def test_a_live_answer_that_was_cut_is_taken_again(
    playground: Cluster, spoilt: FaultServer, calls: Calls, snapshot: Snapshot
) -> None:
    put(playground, f"cut/{os.urandom(4).hex()}", VALUE * 1000)
    before = str(snapshot(playground))
    key = f"cut/{os.urandom(4).hex()}"
    put(playground, key)
    cut = real(lambda body: body[: len(body) * 3 // 4], framing=CHUNKED)
    spoilt.on(*SNAPSHOT, cut)
    options = {**connection(playground), "port": spoilt.port, "retries": 1, "retry_delay": 0.01}
    outcome = finish(start("snapshot_diff", before=before, **options))

    assert outcome.failure.get("kind") == "archive", outcome.result
    assert spoilt.count(*SNAPSHOT) == 2
    # The second answer is whole: what the first one used up was learned anew.
    spoilt.on(*SNAPSHOT, cut, real())
    result = finish(start("snapshot_diff", before=before, **options)).result
    assert result["summary"] == "KVS: 1 added", result
    assert len(result["warnings"]) == 1


def test_a_token_that_may_not(playground: Cluster, spoilt: FaultServer, calls: Calls, snapshot: Snapshot) -> None:
    before = str(snapshot(playground))
    spoilt.on(*SNAPSHOT, says(403, "Permission denied"))
    outcome = finish(start("snapshot_diff", before=before, **{**connection(playground), "port": spoilt.port}))
    assert outcome.failure["kind"] == "permission_denied"
    anonymous = calls.fails(playground, "snapshot_diff", "permission_denied", before=before, token=None)
    assert anonymous["failure"]["hint"]


def test_files_that_are_not_there(saved: Path, calls: Calls, tmp_path: Path) -> None:
    nothing = str(tmp_path / "nothing")
    for options in ({"before": nothing}, {"before": str(saved), "after": nothing}, {"before": str(tmp_path)}):
        calls.fails(None, "snapshot_diff", "file", **{"after": str(saved), **options})
