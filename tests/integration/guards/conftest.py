# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of both versions, clusters to restore them into, and servers that may die."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls
from support.waiting import wait_until

from lab import Cluster, Server, binaries
from lab.oracle import Observation, observe
from lab.seed import seed

VERSIONS = [binaries.NEW, binaries.OLD]


class Golden(NamedTuple):
    """An archive with its manifest, and what the oracle saw in its cluster when it was taken."""

    path: Path
    seen: Observation
    source: Cluster
    result: dict[str, Any]

    @property
    def token(self) -> str:
        """The management token of the cluster it comes from."""
        return self.source.tokens.initial_management


GoldenOf = Callable[[str], Golden]


@pytest.fixture(scope="module")
def golden_of(
    shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path_factory: pytest.TempPathFactory
) -> GoldenOf:
    """Return an archive of a cluster of a version that holds what real clusters hold."""
    made: dict[str, Golden] = {}

    def golden(of: str) -> Golden:
        if of not in made:
            source = shared_cluster(version=of, name_prefix="old-home")
            seed(source, keys=40)
            path = tmp_path_factory.mktemp("golden") / f"{of}.snap"
            result = calls.ok(source, "snapshot_save", dest=str(path))
            made[of] = Golden(path, observe(source), source, result)
        return made[of]

    return golden


@pytest.fixture(scope="module")
def golden(version: str, golden_of: GoldenOf) -> Golden:
    """An archive of this version."""
    return golden_of(version)


def wait_dead(server: Server, seconds: float = 60) -> None:
    """Wait until a server has died by itself."""
    wait_until(lambda: not server.running, f"{server.name} lives on", seconds)


def finding(result: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what one guard found."""
    return next(one for one in result["guards"] if one["name"] == name)


def nodes(cluster: Cluster) -> dict[str, str]:
    """Return the datacenter of each node that the cluster lists."""
    return {node["Node"]: node["Datacenter"] for node in cluster.get("/v1/catalog/nodes")}
