# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract suite and the tests of single backends have in common: a store, and an independent look at it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from support import store_worker
from support.modules import environment, interpreter

from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.opening import open_store
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.settings import (
    ObjectLock,
    StoreSettings,
)

PATIENCE = 120.0
PREFIX = "backups/"


class Local:
    """A directory in the place of a server."""

    name = "local"

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def bucket(self) -> str:
        """Return a new directory."""
        place = self.directory / f"store-{len(list(self.directory.iterdir()))}"
        place.mkdir(parents=True, mode=0o700)
        return str(place)

    def url(self, bucket: str, prefix: str = "") -> str:
        """Return its path."""
        (Path(bucket) / prefix).mkdir(exist_ok=True)
        return f"{bucket}/{prefix}"

    def options(self, **changed: Any) -> dict[str, Any]:
        """There is nothing to set."""
        return changed

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return all files but hidden ones: those are how a directory keeps what is not published."""
        paths = [path for path in Path(bucket).rglob("*") if path.is_file() and not path.name.startswith(".")]
        return {str(path.relative_to(bucket)): path.read_bytes() for path in paths}


class Subject(NamedTuple):
    """A server and one bucket of it, which belongs to one test."""

    server: Any
    bucket: str

    @property
    def url(self) -> str:
        """The store of the test."""
        return str(self.server.url(self.bucket, PREFIX))

    def store(self, below: str = "", **changed: Any) -> Any:
        """Open it, or what is below, with the code under test; keywords change its options."""
        return opened(
            str(self.server.url(self.bucket, PREFIX + below)), self.server.options(**{"retries": 1, **changed})
        )

    def objects(self) -> dict[str, bytes]:
        """Return what is there, by the independent client, without the prefix."""
        return {name.removeprefix(PREFIX): data for name, data in self.server.objects(self.bucket).items()}

    def job(self, do: str, name: str, **more: Any) -> dict[str, Any]:
        """Return what a worker is told."""
        return {"url": self.url, "options": self.server.options(), "do": do, "name": name, "pieces": 1, **more}


def opened(url: str, options: dict[str, Any]) -> Any:
    """Open a store."""
    options = dict(options)
    if "object_lock" in options:
        options["object_lock"] = ObjectLock(**options["object_lock"])
    return open_store(parse_location(url, "dest"), StoreSettings(**options))


def data_of(pieces: int, seed: str = "0") -> bytes:
    """Return what a worker writes."""
    return b"".join(store_worker.content(seed, pieces))


def publish(store: Any, name: str, data: bytes, *, sha256: str | None = None) -> str:
    """Write and publish an object, in pieces that fit nothing."""
    with store.writer() as writer:
        writer.restart(name)
        for start in range(0, len(data), 300_007):
            writer.write(data[start : start + 300_007])
        writer.sync()
        return str(writer.publish(sha256 or hashlib.sha256(data).hexdigest()))


def read(store: Any, name: str, **options: Any) -> bytes:
    """Read an object."""
    with store.read(name, **options) as pieces:
        return b"".join(pieces)


def listed(store: Any, prefix: str = "") -> list[str]:
    """Return the names in a store, in order. A directory also lists what is under way there."""
    items = [item for item in store.list(prefix) if not getattr(item, "fault", None)]
    return sorted(item.name for item in items if not (store.location.is_local and item.name.startswith(".")))


class Worker:
    """A process of ``store_worker``."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.writers = job.get("writers", 1)
        self._process = subprocess.Popen(
            [interpreter(), store_worker.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
        )
        self._tell(json.dumps(job))

    def wait_for(self, word: str) -> None:
        """Wait until each writer has said a word."""
        for _writer in range(self.writers):
            assert self._line() == word

    def go_on(self) -> None:
        """Let them go on from where they wait."""
        self._tell("\n" * (self.writers - 1))

    def kill(self) -> None:
        """End it as kill -9 does, and wait."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def results(self) -> Sequence[dict[str, Any]]:
        """Return how each writer ended."""
        results = [json.loads(self._line()) for _writer in range(self.writers)]
        assert self._process.wait(PATIENCE) == 0
        return results

    def close(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.communicate()

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended early: see its error above"
        return line.decode().rstrip("\n")


@contextmanager
def worker(job: dict[str, Any]) -> Iterator[Worker]:
    """Start a worker, and end it."""
    running = Worker(job)
    try:
        yield running
    finally:
        running.close()
