# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real server, an archive that it made, an older one beside it, and a server that spoils what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.faults import FaultServer
from support.modules import Runner
from support.scene import Restoring, Saving
from support.states import incompressible, with_records

from lab import Cluster


@pytest.fixture(scope="module")
def consul(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One real server that holds a little of its users' content."""
    cluster = shared_cluster(name_prefix="behind-faults")
    for key, value in (("app/empty", b""), ("app/small", b"some text"), ("app/binary", bytes(range(256)) * 8)):
        cluster.http("PUT", f"/v1/kv/{key}", data=value, check=True)
    return cluster


@pytest.fixture(scope="module")
def token(consul: Cluster) -> str:
    """A token that may do everything, and must not be seen anywhere."""
    return consul.tokens.initial_management


@pytest.fixture(scope="module")
def older(consul: Cluster, token: str, runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with its manifest; the cluster's content has changed since."""
    path = tmp_path_factory.mktemp("older") / "backup.snap"
    port = consul.servers[0].http_port
    outcome = runner.run("snapshot_save", host="127.0.0.1", port=port, token=token, dest=str(path))
    assert outcome.result["changed"], outcome.stdout
    consul.http("PUT", "/v1/kv/app/later", data=b"not in the older archive", check=True)
    return path


@pytest.fixture(scope="module")
def archive(consul: Cluster, older: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive of the cluster as it is now, taken by Consul's own command."""
    path = tmp_path_factory.mktemp("archive") / "cli.snap"
    consul.cli("snapshot", "save", path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def huge(archive: bytes) -> bytes:
    """An archive that is larger than all buffers between a client and a server."""
    return with_records(archive, incompressible(20_000_000))


@pytest.fixture
def server(consul: Cluster) -> Iterator[FaultServer]:
    """A server that passes on what it is not told to spoil."""
    with FaultServer(consul.servers[0].address("http")) as ready:
        yield ready


@pytest.fixture
def saving(runner: Runner, server: FaultServer, token: str, older: Path, tmp_path: Path) -> Saving:
    """A save under way to a place where the older archive lies."""
    return Saving(runner, server, token, older=older, directory=tmp_path)


@pytest.fixture
def restoring(runner: Runner, server: FaultServer, token: str, older: Path, tmp_path: Path) -> Restoring:
    """A restore under way, of the older archive into the cluster whose content has changed since."""
    return Restoring(runner, server, token, archive=older, directory=tmp_path)
