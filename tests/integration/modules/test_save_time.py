# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save: a clock that runs ahead, and a state that no leader confirmed, stand for nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.answers import real
from support.archives import META, archive_of, mended, part_of, replaced, with_meta
from support.calls import Calls
from support.faults import FaultServer
from support.scene import SNAPSHOT, archives_in, confirmations_of, contents, manifest_of
from support.waiting import wait_until

from lab import Cluster

from .conftest import IMPATIENT, KEEP_THE_DEAD

DAY = 86_400
AHEAD = 10 * DAY


def text(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def dated_ahead(archive: bytes) -> bytes:
    """Return what a server would have written whose clock runs ahead."""
    meta = part_of(archive, META)
    term, index, _moment = json.loads(meta)["ID"].split("-")
    identity = f"{term}-{index}-{int((time.time() + AHEAD) * 1000)}"
    return archive_of(mended(replaced(archive, META, with_meta(meta, ID=identity))))


def manifest_at(archive: str | Path) -> dict[str, Any]:
    return dict(json.loads(manifest_of(Path(archive)).read_text()))


def told_ahead(archive: str) -> None:
    """Make a manifest what earlier versions wrote beside an archive of a server whose clock ran ahead."""
    ahead = text(time.time() + AHEAD)
    manifest_of(Path(archive)).write_text(
        json.dumps({**manifest_at(archive), "taken_at": ahead, "confirmed_at": ahead})
    )


@pytest.fixture
def cluster(shared_cluster: Callable[..., Cluster]) -> Cluster:
    return shared_cluster(name_prefix="clock")


def write(cluster: Cluster) -> None:
    cluster.http("PUT", "/v1/kv/changes", data=os.urandom(8), check=True)


def test_a_server_whose_clock_runs_ahead(cluster: Cluster, calls: Calls, tmp_path: Path) -> None:
    write(cluster)
    with FaultServer(cluster.servers[0].address("http")) as server:
        server.on(*SNAPSHOT, real(dated_ahead))
        saved = calls.ok(cluster, "snapshot_save", port=server.port, dest=str(tmp_path))
        again = calls.ok(cluster, "snapshot_save", port=server.port, dest=str(tmp_path))
    assert not again["changed"]
    for result in (saved, again):
        assert result["taken_at"] <= text(time.time())
        assert result["confirmed_at"] <= text(time.time())
        manifest = manifest_at(result["dest"])
        assert manifest["taken_at"] <= text(time.time())
        assert manifest["confirmed_at"] <= text(time.time())
    [confirmation] = confirmations_of(Path(saved["dest"]))
    assert confirmation["confirmed_at"] == again["confirmed_at"]
    assert "clock of the server" in str(saved["warnings"])
    assert saved["taken_at"].replace("-", "").replace(":", "") in saved["dest"]
    # Its age is known, so it is young.
    assert "known_leader" not in calls.ok(cluster, "snapshot_save", dest=str(tmp_path), max_age=1000)


def test_one_archive_dated_ahead_freezes_nothing(cluster: Cluster, calls: Calls, tmp_path: Path) -> None:
    write(cluster)
    ahead = calls.ok(cluster, "snapshot_save", dest=str(tmp_path))
    told_ahead(ahead["dest"])
    write(cluster)

    saved = calls.ok(cluster, "snapshot_save", dest=str(tmp_path), max_age=1000)
    assert saved["changed"]
    # The newest is the newest by raft's index: no copy more for each run, and max_age is of use.
    for options in ({"max_age": 1000}, {}):
        again = calls.ok(cluster, "snapshot_save", dest=str(tmp_path), **options)
        assert (again["changed"], again["dest"]) == (False, saved["dest"])
    assert len(archives_in(tmp_path)) == 4
    assert ahead["dest"] in str(saved["warnings"])


def test_an_archive_dated_ahead_is_confirmed_at_a_time_that_was(cluster: Cluster, calls: Calls, tmp_path: Path) -> None:
    saved = calls.ok(cluster, "snapshot_save", dest=str(tmp_path))
    told_ahead(saved["dest"])
    # How long ago that was is not known.
    again = calls.ok(cluster, "snapshot_save", dest=str(tmp_path), max_age=1000)
    assert (again["changed"], again["known_leader"]) == (False, True)
    [confirmation] = confirmations_of(Path(saved["dest"]))
    assert confirmation["confirmed_at"] == again["confirmed_at"] <= text(time.time())


@pytest.mark.every_version
def test_a_save_without_a_leader_confirms_nothing(leaderless: Any, calls: Calls, tmp_path: Path) -> None:
    told = {"dest": str(tmp_path), "server": leaderless.alive[0], "stale": True}
    wait_until(lambda: _last_contact(leaderless) > 2000, "the contact with the leader does not grow old")
    saved = calls.ok(leaderless.cluster, "snapshot_save", **told)
    assert (saved["changed"], saved["confirmed_by_leader"], saved["confirmed_at"]) == (True, False, None)
    assert "no leader confirmed" in str(saved["warnings"])
    assert manifest_at(saved["dest"])["confirmed_by_leader"] is False
    # However young it is, it is not a backup to be content with.
    again = calls.ok(leaderless.cluster, "snapshot_save", max_age=1000, **told)
    assert (again["changed"], again["confirmed_at"]) == (False, None)
    assert again["last_contact_ms"] > 2000

    # An archive that a leader confirmed before is not confirmed by it either.
    earlier = text(time.time() - 5000)
    path = manifest_of(Path(saved["dest"]))
    path.write_text(json.dumps({**manifest_at(saved["dest"]), "confirmed_by_leader": True, "confirmed_at": earlier}))
    before = contents(tmp_path)
    kept = calls.ok(leaderless.cluster, "snapshot_save", **told)
    assert (kept["changed"], kept["confirmed_by_leader"], kept["confirmed_at"]) == (False, False, earlier)
    assert contents(tmp_path) == before


def test_an_older_state_without_a_leader_does_not_overwrite_a_newer_one(
    leaderless: Any, calls: Calls, tmp_path: Path
) -> None:
    told = {"dest": str(tmp_path / "a.snap"), "server": leaderless.alive[0], "stale": True}
    wait_until(lambda: _last_contact(leaderless) > 2000, "the contact with the leader does not grow old")
    calls.ok(leaderless.cluster, "snapshot_save", **told)
    # As if the leader had accepted more before it was lost.
    document = manifest_at(tmp_path / "a.snap")
    document["meta"]["index"] += 100
    document["fingerprint"] = {"overall": "v0:0", "types": {}}
    manifest_of(tmp_path / "a.snap").write_text(json.dumps(document))
    before = contents(tmp_path)

    kept = calls.ok(leaderless.cluster, "snapshot_save", **told)
    assert not kept["changed"]
    assert "is newer than this snapshot" in kept["reason"]
    assert contents(tmp_path) == before
    assert calls.ok(leaderless.cluster, "snapshot_save", force=True, **told)["changed"]


def _last_contact(wreck: Any) -> int:
    answer = wreck.cluster.http("GET", "/v1/catalog/nodes?stale", server=wreck.alive[0])
    return int(answer.headers.get("X-Consul-LastContact", 0))


def test_a_leader_confirms_it_later(version: str, start: Callable[..., Cluster], calls: Calls, tmp_path: Path) -> None:
    cluster = start(version, servers=3, name_prefix="back", extra_config={**KEEP_THE_DEAD, **IMPATIENT})
    write(cluster)
    leader = cluster.leader()
    left = next(server for server in cluster.servers if server is not leader)
    has_it = partial(cluster.http, "GET", "/v1/kv/changes?stale", server=left)
    wait_until(lambda: has_it().status_code == 200, "the follower does not follow")
    for server in cluster.servers:
        if server is not left:
            server.kill()
    # KnownLeader says true for a while; that it is some time ago is what tells.
    time.sleep(3)
    saved = calls.ok(cluster, "snapshot_save", server=left, dest=str(tmp_path), stale=True)
    assert (saved["changed"], saved["confirmed_by_leader"]) == (True, False)

    cluster.start()
    cluster.wait_ready()
    confirmed = calls.ok(cluster, "snapshot_save", dest=str(tmp_path), max_age=1000)
    assert (confirmed["changed"], confirmed["dest"]) == (False, saved["dest"])
    assert confirmed["confirmed_by_leader"] is True
    [confirmation] = confirmations_of(Path(saved["dest"]))
    assert confirmed["confirmed_at"] == confirmation["confirmed_at"]
    # The manifest says what was known when the archive was taken.
    assert manifest_at(saved["dest"])["confirmed_by_leader"] is False
    assert "known_leader" not in calls.ok(cluster, "snapshot_save", dest=str(tmp_path), max_age=1000)
