# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save with ``stale``: from a server that does not lead, and when that is all that is left."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.scene import contents

from lab import Cluster

Inspect = Callable[..., dict[str, Any]]


@pytest.mark.every_version
def test_from_a_follower(three: Cluster, calls: Calls, tmp_path: Path, inspect: Inspect) -> None:
    follower = three.followers()[0]
    told = {"dest": str(tmp_path / "stale.snap"), "server": follower, "stale": True, "max_stale": 60_000}
    plain = calls.ok(three, "snapshot_save", dest=str(tmp_path / "plain.snap"))
    saved = calls.ok(three, "snapshot_save", **told)
    again = calls.ok(three, "snapshot_save", **told)

    assert saved["fingerprint"] == plain["fingerprint"]
    assert inspect(saved["dest"])["Meta"]["Index"] == saved["index"]
    assert saved["known_leader"] is True
    # A follower that was told of the leader less than a millisecond ago says 0.
    assert 0 <= saved["last_contact_ms"] < 60_000
    manifest = json.loads(Path(saved["manifest"]).read_text())
    assert manifest["consistency"] == {
        "stale": True,
        "last_contact_ms": saved["last_contact_ms"],
        "known_leader": True,
    }
    assert not again["changed"]


def test_without_a_quorum_a_plain_save_fails_and_names_the_way_out(
    leaderless: Any, calls: Calls, tmp_path: Path
) -> None:
    told = {"dest": str(tmp_path), "server": leaderless.alive[0], "retries": 2, "retry_delay": 0.05}
    for check in (True, False):
        outcome = calls.run(leaderless.cluster, "snapshot_save", check=check, **told)
        assert outcome.failed
        assert outcome.failure["kind"] in ("cluster", "no_leader", "no_quorum")
        assert "stale: true" in outcome.failure["hint"]
        assert "stale: true" in outcome.result["msg"]
        assert len(outcome.result["attempts"]) == 2
    assert contents(tmp_path) == {}


@pytest.mark.every_version
def test_without_a_quorum_a_stale_save_is_whole(
    leaderless: Any, calls: Calls, tmp_path: Path, inspect: Inspect
) -> None:
    told = {"dest": str(tmp_path), "server": leaderless.alive[0], "stale": True}
    checked = calls.ok(leaderless.cluster, "snapshot_save", check=True, **told)
    assert (checked["changed"], contents(tmp_path)) == (True, {})

    saved = calls.ok(leaderless.cluster, "snapshot_save", **told)
    assert saved["changed"]
    assert saved["fingerprint"] == leaderless.fingerprint
    counts = {name: stats["count"] for name, stats in saved["records"].items()}
    assert counts == {one["Name"]: one["Count"] for one in inspect(saved["dest"])["Stats"]}
    assert counts["KVS"] == len(leaderless.seen["kv"])
    assert saved["cluster"]["datacenter"] == "dc1"
    assert saved["last_contact_ms"] > 0

    assert not calls.ok(leaderless.cluster, "snapshot_save", **told)["changed"]
    # Aged by the clock, not by the server's contact: it is still the newest there is.
    assert not calls.ok(leaderless.cluster, "snapshot_save", max_age=1000, **told)["changed"]


def test_too_stale_is_refused(leaderless: Any, calls: Calls, tmp_path: Path) -> None:
    told = {"dest": str(tmp_path), "server": leaderless.alive[0], "stale": True, "retries": 1, "retry_delay": 0.05}
    time.sleep(0.1)
    for check in (True, False):
        result = calls.fails(leaderless.cluster, "snapshot_save", "too_stale", max_stale=10, check=check, **told)
        assert result["failure"]["last_contact_ms"] > 10
        assert "max_stale is 10" in result["msg"]
        assert len(result["attempts"]) == 1
    assert contents(tmp_path) == {}

    saved = calls.ok(leaderless.cluster, "snapshot_save", max_stale=3_600_000, **told)
    assert saved["last_contact_ms"] > result["failure"]["last_contact_ms"]


def test_the_quorum_stands_with_one_of_three_down(
    crippled: Any, calls: Calls, tmp_path: Path, inspect: Inspect
) -> None:
    for server in crippled.alive:
        saved = calls.ok(crippled.cluster, "snapshot_save", dest=str(tmp_path / "a.snap"), server=server)
        assert saved["fingerprint"] == crippled.fingerprint
        assert saved["last_contact_ms"] == 0
    assert inspect(tmp_path / "a.snap")["Meta"]["Index"] == saved["index"]
