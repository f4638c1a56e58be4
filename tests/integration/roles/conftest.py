# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters for the roles, and playbooks that are run on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support import keys, stores
from support.booted import Booted
from support.buckets import Bucket, Sealing
from support.playbooks import Ansible, hosts_of
from support.scheduler import Scheduler
from support.stores import VersityGw
from support.yard import Yard

from lab import Cluster, binaries, observe
from lab.oracle import Observation
from lab.seed import seed

KEYS = 120
CANARY = "a-value-that-nobody-may-see-4711"


class Golden(NamedTuple):
    """An archive with its manifest, and what the oracle saw in the cluster when it was taken."""

    archive: Path
    seen: Observation


@pytest.fixture(scope="module")
def three(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """Three servers that hold what real clusters hold; nobody changes or stops them."""
    cluster = shared_cluster(servers=3, name_prefix="role")
    seed(cluster, keys=KEYS)
    assert cluster.http("PUT", "/v1/kv/canary", data=CANARY).status_code == 200
    return cluster


@pytest.fixture(scope="module")
def one(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """Another cluster, of one server and of an old Consul; nobody stops it or counts on what it holds."""
    return shared_cluster(version=binaries.OLD, name_prefix="other")


@pytest.fixture
def fresh(three: Cluster, tmp_path: Path) -> Iterator[Cluster]:
    """A new cluster of one server, with the tokens of ``three`` in its configuration."""
    with Cluster(tmp_path / "fresh", servers=1, name_prefix="fresh", tokens=three.tokens) as cluster:
        yield cluster


@pytest.fixture
def secrets(three: Cluster) -> list[str]:
    """What no output and no file but an archive may hold."""
    listed = [three.get(f"/v1/acl/token/{one['AccessorID']}")["SecretID"] for one in three.get("/v1/acl/tokens")]
    return [CANARY, *(secret for secret in listed if secret != "anonymous")]


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str]) -> Ansible:
    """Runs playbooks; every output is searched for secrets."""
    return Ansible(tmp_path, secrets)


@pytest.fixture(scope="module")
def golden(three: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Golden:
    """An archive of ``three``."""
    directory = tmp_path_factory.mktemp("golden")
    ansible = Ansible(directory, [CANARY])
    seen = observe(three)
    ansible.ok("backup", ansible.inventory(hosts_of(three), backup_cluster="three"), backup_dir=str(directory / "kept"))
    (archive,) = (directory / "kept").glob("*.snap")
    return Golden(archive, seen)


@pytest.fixture
def yard(ansible: Ansible, golden: Golden, tmp_path: Path) -> Yard:
    """Directories of archives that are copies of the golden one, each as if another cluster had taken it."""
    return Yard(ansible, golden.archive, tmp_path)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGw]:
    """A real S3 server."""
    with stores.running("versitygw", tmp_path_factory.mktemp("versitygw")) as server:
        yield server


@pytest.fixture
def bucket(gateway: VersityGw) -> Bucket:
    """A bucket of it."""
    return Bucket(gateway, gateway.bucket())


@pytest.fixture
def sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sealing:
    """Keys that age-keygen and ssh-keygen made; age is on the PATH."""
    monkeypatch.setenv("PATH", keys.with_programs()["PATH"])
    own, escrow = (keys.age_key(tmp_path / name) for name in ("key.txt", "escrow.txt"))
    signing = keys.ssh_key(tmp_path / "signing")
    signers = keys.allowed_signers(tmp_path / "signers", ("backup@example.com", signing))
    return Sealing([own.public, escrow.public], own, signing.path, signers)


@pytest.fixture
def booted(tmp_path: Path) -> Iterator[Booted]:
    """A system with this test's directory as /srv."""
    with Booted(tmp_path) as system:
        yield system


@pytest.fixture
def scheduler(booted: Booted, ansible: Ansible) -> Scheduler:
    """Plays the role schedule there."""
    return Scheduler(booted, ansible)
