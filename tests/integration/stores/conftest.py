# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real object stores, and archives of a real cluster to put into them: by the SDKs themselves."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support import keys, stores
from support.calls import Calls
from support.keys import Key
from support.modules import collections_root
from support.stores import VersityGw

from lab import Cluster, binaries
from lab.oracle import Observation, observe
from lab.seed import seed

# The code under test runs in the test's own process here, below its full name.
sys.path.insert(0, str(collections_root()))
sys.path.insert(0, str(Path(__file__).parent))

MANIFEST, SIGNATURE = ".manifest.json", ".manifest.json.sig"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Return a running server of a name, the same one each time."""
    running: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:

        def find(name: str, **options: Any) -> Any:
            key = f"{name}-{sorted(options.items())}"
            if key not in running:
                running[key] = stack.enter_context(stores.running(name, tmp_path_factory.mktemp(name), **options))
            return running[key]

        yield find


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VersityGw]:
    """A real S3 server on loopback."""
    with VersityGw(tmp_path_factory.mktemp("versitygw")) as server:
        yield server


class Bucket:
    """A new bucket, looked at and filled by boto3 itself."""

    def __init__(self, gateway: VersityGw) -> None:
        self.gateway = gateway
        self.name = gateway.bucket()
        self._client = gateway.client()

    @property
    def store(self) -> dict[str, Any]:
        """The option ``store``."""
        return self.gateway.options()

    def url(self, name: str = "") -> str:
        """Return the URL of an object in the bucket, or of the store."""
        return self.gateway.url(self.name, f"backups/{name}")

    def put(self, name: str, data: bytes) -> str:
        """Put an object into it, over what is there, and return its URL."""
        self._client.put_object(Bucket=self.name, Key=f"backups/{name}", Body=data)
        return self.url(name)

    def take(self, archive: Path, name: str | None = None) -> str:
        """Copy an archive into it, with what lies beside it; return its URL."""
        for ending in (MANIFEST, SIGNATURE, ""):
            path = archive.with_name(archive.name + ending)
            if path.exists():
                self.put((name or archive.name) + ending, path.read_bytes())
        return self.url(name or archive.name)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self._client.delete_object(Bucket=self.name, Key=f"backups/{name}")

    def names(self) -> set[str]:
        """Return the names in the store."""
        return {key.partition("/")[2] for key in self.gateway.objects(self.name)}

    def get(self, name: str) -> bytes:
        """Return an object."""
        return self.gateway.objects(self.name)[f"backups/{name}"]


@pytest.fixture
def bucket(gateway: VersityGw) -> Bucket:
    """An empty bucket."""
    return Bucket(gateway)


class Saved(NamedTuple):
    """An archive in a directory, with its manifest; what the module said, and what the oracle saw in its cluster."""

    path: Path
    result: dict[str, Any]
    seen: Observation
    source: Cluster

    @property
    def data(self) -> bytes:
        """Its bytes as they are stored."""
        return self.path.read_bytes()

    def copy_to(self, directory: Path) -> Path:
        """Copy it with what lies beside it; return where it is then."""
        for ending in ("", MANIFEST, SIGNATURE):
            path = self.path.with_name(self.path.name + ending)
            if path.exists():
                shutil.copy2(path, directory)
        return directory / self.path.name


SavedOf = Callable[..., Saved]


@pytest.fixture(scope="module")
def saved_of(shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path_factory: pytest.TempPathFactory) -> SavedOf:
    """Save an archive of a cluster that holds what real clusters hold; the same one for the same wishes."""
    made: dict[tuple[str, ...], Saved] = {}
    seeded: set[Path] = set()

    def saved(version: str = binaries.NEW, *, home: str = "home", **options: Any) -> Saved:
        key = (version, home, *(f"{name}={value}" for name, value in sorted(options.items())))
        if key not in made:
            source = shared_cluster(version=version, name_prefix=home)
            if source.directory not in seeded:
                seed(source, keys=40)
                seeded.add(source.directory)
            directory = tmp_path_factory.mktemp("saved")
            result = calls.ok(source, "snapshot_save", dest=f"{directory}/", **options)
            made[key] = Saved(Path(result["dest"]), result, observe(source), source)
        return made[key]

    return saved


class Keys(NamedTuple):
    """What seals, opens, signs, and says who may sign; ``other`` and ``stranger`` are of somebody else."""

    age: Key
    other: Key
    signing: Key
    stranger: Key
    signers: Path

    @property
    def sealing(self) -> dict[str, Any]:
        """Options with which a save seals."""
        return {"encrypt_to": [self.age.public, self.other.public]}


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Keys of age and of OpenSSH."""
    directory = tmp_path_factory.mktemp("keys")
    signing = keys.ssh_key(directory / "signing")
    signers = keys.allowed_signers(directory / "signers", ("ops@example.com", signing))
    return Keys(
        keys.age_key(directory / "age"),
        keys.age_key(directory / "other"),
        signing,
        keys.ssh_key(directory / "stranger"),
        signers,
    )
