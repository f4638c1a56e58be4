# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that a restore harmed; the recipes of docs/runbook.md are carried out on them by hand: files, HTTP, CLI."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from support.states import UNKNOWN, Record, with_records
from support.waiting import wait_until

from lab import Cluster, Server


class Source(NamedTuple):
    """A cluster, and an archive of it that Consul's own command took."""

    cluster: Cluster
    archive: Path


@pytest.fixture(scope="module")
def source(version: str, shared_cluster: Callable[..., Cluster], tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A cluster whose archive is restored elsewhere."""
    cluster = shared_cluster(version=version, name_prefix="source")
    archive = tmp_path_factory.mktemp("source") / f"{version}.snap"
    cluster.http("PUT", "/v1/kv/from/source", data=b"x", check=True)
    cluster.cli("snapshot", "save", archive)
    return Source(cluster, archive)


@pytest.fixture
def start(version: str, start: Callable[..., Cluster]) -> Callable[..., Cluster]:
    """Starts clusters of the version that the recipe is carried out on."""
    return functools.partial(start, version)


def kill_with_archive(cluster: Cluster, archive: bytes, server: Server | None = None) -> Server:
    """Send what kills the leader, by plain HTTP; returns it when it is dead."""
    leader = cluster.leader()
    assert leader is not None
    deadly = with_records(archive, [Record(UNKNOWN, {"a": 1})])
    try:
        answer = cluster.http("PUT", "/v1/snapshot", data=deadly, server=server or leader)
    except requests.RequestException:
        pass
    else:
        # A server that passed it on answers that its leader is gone.
        assert answer.status_code == 500
    wait_until(lambda: not leader.running, f"{leader.name} lives on")
    return leader


def newest_snapshot(server: Server) -> Path:
    """Return the newest directory below <data_dir>/raft/snapshots, by the index in its name."""
    listed = (server.data_dir / "raft" / "snapshots").iterdir()
    return max(listed, key=lambda path: [int(part) for part in path.name.split("-")])


def remove_newest_snapshot(server: Server) -> None:
    """Do what the runbook says to a server that is down."""
    assert not server.running
    shutil.rmtree(newest_snapshot(server))


def configure(server: Server, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a server's configuration file."""
    config = json.loads(server.config_file.read_text())
    change(config)
    server.configure(config)


def value_of(cluster: Cluster, key: str, **options: Any) -> bytes | None:
    """Return a key's value; None when it is not there."""
    answer = cluster.http("GET", f"/v1/kv/{key}?raw", **options)
    return answer.content if answer.status_code == 200 else None
