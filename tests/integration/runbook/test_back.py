# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back to what a restore replaced, and locks after a restore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.calls import Calls
from support.waiting import wait_until

from lab import Cluster

from .conftest import Source, value_of

Start = Callable[..., Cluster]


def test_back_to_the_safety_archive(source: Source, start: Start, calls: Calls, tmp_path: Path) -> None:
    cluster = start(name_prefix="wronged")
    cluster.http("PUT", "/v1/kv/precious", data=b"old state", check=True)
    told: dict[str, Any] = {"backup_dir": str(tmp_path), "accept_risks": ["replace_content"]}
    done = calls.ok(cluster, "snapshot_restore", src=str(source.archive), **told)
    assert value_of(cluster, "precious") is None

    back = calls.ok(cluster, "snapshot_restore", src=done["backup_file"], **told)
    assert back["proof"]["equal"]
    assert (value_of(cluster, "precious"), value_of(cluster, "from/source")) == (b"old state", None)
    # What was wrong is kept, too, and Consul's own command takes either.
    cluster.cli("snapshot", "restore", back["backup_file"])
    assert value_of(cluster, "from/source") == b"x"
    cluster.cli("snapshot", "restore", done["backup_file"])
    assert value_of(cluster, "precious") == b"old state"


def session(cluster: Cluster, name: str) -> str:
    """Return a session of a node that no agent stands for, so that it outlives restores."""
    cluster.put("/v1/catalog/register", {"Node": "outside", "Address": "192.0.2.1"})
    told = {"Name": name, "Node": "outside", "Checks": [], "NodeChecks": [], "ServiceChecks": [], "LockDelay": "1s"}
    return str(cluster.put("/v1/session/create", told)["ID"])


def acquired(cluster: Cluster, holder: str) -> bool:
    return cluster.http("PUT", f"/v1/kv/lock?acquire={holder}", data=b"", check=True).text.strip() == "true"


def test_a_lock_that_a_restore_gave_back(start: Start, tmp_path: Path) -> None:
    cluster = start(name_prefix="locks")
    archive = tmp_path / "a.snap"
    old = session(cluster, "old holder")
    assert acquired(cluster, old)
    cluster.cli("snapshot", "save", archive)
    # The lock has another holder by now, and then the archive is restored.
    cluster.put(f"/v1/session/destroy/{old}")
    new = session(cluster, "new holder")
    wait_until(lambda: acquired(cluster, new), "the lock is not free")
    cluster.cli("snapshot", "restore", archive)

    # Its session is unknown, so it holds nothing, whatever it believes; the old one holds it again.
    assert cluster.get(f"/v1/session/info/{new}") == []
    assert cluster.get("/v1/kv/lock")[0]["Session"] == old
    # The recipe: name it, end it, and let the holder take the lock anew.
    assert [one["Name"] for one in cluster.get(f"/v1/session/info/{old}")] == ["old holder"]
    cluster.put(f"/v1/session/destroy/{old}")
    anew = session(cluster, "new holder")
    wait_until(lambda: acquired(cluster, anew), "the lock is not free")


def test_a_lock_of_an_agent_that_is_gone(source: Source, start: Start, tmp_path: Path) -> None:
    lost = start(name_prefix="lost")
    holder = str(lost.put("/v1/session/create", {"Name": "of an agent", "LockDelay": "1s"})["ID"])
    assert acquired(lost, holder)
    archive = tmp_path / "a.snap"
    lost.cli("snapshot", "save", archive)
    cluster = start(name_prefix="rebuilt")
    cluster.cli("snapshot", "restore", archive)
    token = lost.tokens.initial_management

    def held_by() -> str | None:
        return cluster.http("GET", "/v1/kv/lock", token=token, check=True).json()[0].get("Session")

    assert held_by() == holder
    # Its node is reaped, and the lock is free by itself.
    wait_until(lambda: held_by() is None, "the lock is never released")
