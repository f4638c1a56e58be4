# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clusters, started when a test first asks for them, for all tests of its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.modules import Runner

from lab import Cluster, binaries

ClusterOf = Callable[..., Cluster]

# What takes longest goes first, so that the workers end at about the same time; and files that keep a processor busy in
# turn with files that mostly wait for Consul.
BUSY = ("roles", "upgrade", "fleet", "rehearse", "report")
WAITING = ("guards", "runbook")
LAST = ("modules", "diff", "faults")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in order, file by file."""
    files: dict[str, list[Path]] = {}
    for path in dict.fromkeys(item.path for item in items):
        files.setdefault(path.parent.name, []).append(path)
    busy, waiting, last = ([path for name in names for path in files.get(name, [])] for names in (BUSY, WAITING, LAST))
    mixed = [path for pair in zip_longest(busy, waiting) for path in pair if path is not None]
    turn = {path: number for number, path in enumerate([*mixed, *last])}
    items.sort(key=lambda item: turn.get(item.path, len(turn)))


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOf]:
    """Return a running cluster for these options of ``lab.Cluster``, the same one for the same options.

    Tests that share a cluster must not harm it; one that does starts its own. Each lives as long as the tests of one
    file: a server that idles takes a part of a processor, too.
    """
    running: dict[str, Cluster] = {}

    def cluster(*, version: str = binaries.NEW, servers: int = 1, **options: Any) -> Cluster:
        key = json.dumps([version, servers, options], sort_keys=True)
        if key not in running:
            fresh = Cluster(tmp_path_factory.mktemp("cluster"), version=version, servers=servers, **options)
            # Entered here and left below, whichever test came first.
            running[key] = fresh.__enter__()
        return running[key]

    yield cluster
    for one in running.values():
        one.stop()


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """Runs modules, each in a process of its own that is quickly there."""
    with Runner() as ready:
        yield ready


@pytest.fixture(scope="session")
def calls(runner: Runner) -> Calls:
    """Runs modules on clusters."""
    return Calls(runner)


@pytest.fixture(scope="session", params=[binaries.NEW, binaries.OLD], ids=lambda version: f"consul-{version}")
def version(request: pytest.FixtureRequest) -> str:
    """Every test that asks for it, or for a cluster of it, runs on both versions."""
    return str(request.param)


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOf]:
    """Starts clusters for one test: of a version, of one server unless told otherwise."""
    started: list[Cluster] = []

    def begin(version: str, *, servers: int = 1, **options: Any) -> Cluster:
        cluster = Cluster(tmp_path_factory.mktemp("cluster"), version=version, servers=servers, **options)
        started.append(cluster)
        return cluster.__enter__()

    yield begin
    for cluster in started:
        cluster.stop()
