# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of both versions for the modules' tests, and the oracle that judges what they did."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls
from support.clusters import end

from lab import Cluster, Server, binaries
from lab.oracle import Observation, observe
from lab.seed import seed

KEYS = 150


class Golden(NamedTuple):
    """An archive of the seeded cluster, and what the oracle saw in that cluster when it was taken."""

    path: Path
    result: dict[str, Any]
    seen: Observation
    source: Cluster


@pytest.fixture(scope="module")
def seeded(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One server that holds what real clusters hold; nobody changes it."""
    return _seeded(shared_cluster(version=version, name_prefix="seeded"))


@pytest.fixture(scope="module")
def three(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    """Three servers that hold the same; nobody changes or stops them."""
    return _seeded(shared_cluster(version=version, servers=3, name_prefix="three"))


@pytest.fixture(scope="module")
def playground(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One server whose content any test may change."""
    return shared_cluster(version=version, name_prefix="playground")


_blank: dict[Path, Path] = {}
"""Of each shared cluster, by its directory, what it was before a test used it."""


@pytest.fixture
def fresh(
    version: str, shared_cluster: Callable[..., Cluster], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Cluster]]:
    """Gives clusters with nothing in them; with options a new one, without any the shared one, emptied by the CLI."""
    started: list[Cluster] = []

    def start(**options: Any) -> Cluster:
        if options:
            cluster = Cluster(tmp_path_factory.mktemp("fresh"), version=version, name_prefix="fresh", **options)
            started.append(cluster)
            return cluster.__enter__()
        cluster = shared_cluster(version=version, name_prefix="fresh")
        if cluster.directory in _blank:
            cluster.cli("snapshot", "restore", _blank[cluster.directory])
            cluster.wait_ready()
        else:
            _blank[cluster.directory] = tmp_path_factory.mktemp("blank") / "blank.snap"
            cluster.cli("snapshot", "save", _blank[cluster.directory])
        return cluster

    yield start
    for cluster in started:
        end(cluster)


# A dead server stays where it is, so that what is seen does not depend on when one looks.
KEEP_THE_DEAD = {"autopilot": {"cleanup_dead_servers": False}}
# A server without a leader holds questions back for seven seconds before it says so.
IMPATIENT = {"performance": {"rpc_hold_timeout": "500ms"}}


class Wreck(NamedTuple):
    """Three servers of which some were killed; what the oracle saw before, and an archive of then."""

    cluster: Cluster
    alive: list[Server]
    dead: list[Server]
    seen: Observation
    fingerprint: str


WreckOf = Callable[[str, int], Wreck]


@pytest.fixture(scope="module")
def wreck_of(calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WreckOf]:
    """Makes a cluster of three servers and kills some, followers first; the same one for the same wishes."""
    made: dict[tuple[str, int], Wreck] = {}

    def wreck(version: str, killed: int) -> Wreck:
        if (version, killed) not in made:
            directory = tmp_path_factory.mktemp("wreck")
            cluster = Cluster(
                directory / "cluster",
                version=version,
                servers=3,
                name_prefix=f"wreck-{killed}",
                extra_config={**KEEP_THE_DEAD, **IMPATIENT},
            )
            made[version, killed] = _wrecked(cluster.__enter__(), killed, calls, directory)
        return made[version, killed]

    yield wreck
    for one in made.values():
        end(one.cluster)


def _wrecked(cluster: Cluster, killed: int, calls: Calls, directory: Path) -> Wreck:
    seed(cluster, keys=20)
    saved = calls.ok(cluster, "snapshot_save", dest=str(directory / "before.snap"))
    seen = observe(cluster)
    leader = cluster.leader()
    ordered = sorted(cluster.servers, key=lambda server: server is leader)
    dead, alive = ordered[:killed], ordered[killed:]
    if killed > 1:
        # The quorum goes with the leader, so that the one that is left was a follower.
        dead, alive = ordered[3 - killed :], ordered[: 3 - killed]
    for server in dead:
        server.kill()
    return Wreck(cluster, alive, dead, seen, saved["fingerprint"])


@pytest.fixture(scope="module")
def crippled(version: str, wreck_of: WreckOf) -> Wreck:
    """One of three servers is dead, and autopilot knows it; the quorum stands."""
    wreck = wreck_of(version, 1)
    _wait(lambda: wreck.cluster.http("GET", "/v1/operator/autopilot/health", server=wreck.alive[-1]).status_code == 429)
    return wreck


@pytest.fixture(scope="module")
def leaderless(version: str, wreck_of: WreckOf) -> Wreck:
    """Two of three servers are dead, and the one that is left knows that there is no leader."""
    wreck = wreck_of(version, 2)
    _wait(lambda: wreck.cluster.http("GET", "/v1/status/leader", server=wreck.alive[0]).text.strip() == '""')
    return wreck


def _wait(ready: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "the servers do not notice"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def golden(seeded: Cluster, calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """An archive of the seeded cluster, with its manifest; copy it before it is changed."""
    path = tmp_path_factory.mktemp("golden") / "golden.snap"
    result = calls.ok(seeded, "snapshot_save", dest=str(path))
    return Golden(path, result, observe(seeded), seeded)


@pytest.fixture(scope="session")
def inspect() -> Callable[..., dict[str, Any]]:
    """What the ``consul snapshot inspect`` of 1.22.7 says of an archive (1.8.7 prints less)."""

    def inspected(archive: Path | str, *options: str) -> dict[str, Any]:
        command = [str(binaries.consul(binaries.NEW)), "snapshot", "inspect", "-format=json", *options, str(archive)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    return inspected


_filled: set[Path] = set()


def _seeded(cluster: Cluster) -> Cluster:
    if cluster.directory not in _filled:
        seed(cluster, keys=KEYS)
        _filled.add(cluster.directory)
    return cluster
