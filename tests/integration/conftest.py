# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clusters, started when a test first asks for them, for all tests of its file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import durations
from support.calls import Calls
from support.clusters import end
from support.modules import Runner

from lab import Cluster, binaries, ports

ClusterOf = Callable[..., Cluster]

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Measure how long each file takes, in the process that hears of all tests; give the others ports of their own."""
    if hasattr(config, "workerinput"):
        number = int(config.workerinput["workerid"].removeprefix("gw"))
        count = int(config.workerinput["workercount"])
        # One that has died is replaced by another with a new number.
        ports.keep_to(number % count, count)
    else:
        config.pluginmanager.register(durations.Measure(HERE, partial=durations.is_partial(config)), "durations")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order, file by file."""
    measured = config.workerinput["durations"] if hasattr(config, "workerinput") else durations.expected()
    seconds = {HERE / name: value for name, value in measured.items()}
    files = durations.in_order(dict.fromkeys(item.path for item in items), seconds)
    turn = {path: number for number, path in enumerate(files)}
    items.sort(key=lambda item: turn[item.path])


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
        end(one)


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
        end(cluster)
