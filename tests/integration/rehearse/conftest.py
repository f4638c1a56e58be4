# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of both versions to rehearse, and what must hold after each rehearsal."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls

from lab import Cluster, binaries
from lab.seed import seed

VERSIONS = [binaries.NEW, binaries.OLD]


class Sample(NamedTuple):
    """An archive that the consul command took, and the cluster that it is of."""

    path: Path
    source: Cluster

    @property
    def version(self) -> str:
        """The version that it comes from."""
        return self.source.version


SampleOf = Callable[[str], Sample]


@pytest.fixture(scope="module")
def sample_of(shared_cluster: Callable[..., Cluster], tmp_path_factory: pytest.TempPathFactory) -> SampleOf:
    """Return an archive of a cluster of a version that holds what real clusters hold."""
    made: dict[str, Sample] = {}

    def sample(of: str) -> Sample:
        if of not in made:
            source = shared_cluster(version=of, name_prefix="rehearsed")
            seed(source, keys=40)
            path = tmp_path_factory.mktemp("sample") / f"{of}.snap"
            source.cli("snapshot", "save", path)
            made[of] = Sample(path, source)
        return made[of]

    return sample


@pytest.fixture(scope="module")
def sample(version: str, sample_of: SampleOf) -> Sample:
    """An archive of this version."""
    return sample_of(version)


@pytest.fixture
def work_dir() -> Iterator[Path]:
    """A directory for throwaway servers, in which nothing must be left, nor any process that works there."""
    # Not below pytest's own, whose long paths are a test of their own.
    with tempfile.TemporaryDirectory(prefix="rehearse-") as directory:
        path = Path(directory)
        yield path
        assert processes_in(path) == []
        assert [one.name for one in path.iterdir() if not one.name.startswith("kept-")] == []


def processes_in(directory: Path) -> list[str]:
    """Return the command lines of the processes that work in a directory, or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(process / "cwd")
        except OSError:
            continue
        if process.name != str(os.getpid()) and (f"{directory}/" in line or place.startswith(f"{directory}/")):
            found.append(line)
    return found


class Rehearse:
    """Runs the module in a work directory."""

    def __init__(self, calls: Calls, work_dir: Path) -> None:
        self._calls = calls
        self.work_dir = work_dir

    def options(self, src: Path, binary: str | Path = binaries.NEW, **options: Any) -> dict[str, Any]:
        """Return its options; ``binary`` is a version or a path."""
        path = binaries.consul(binary) if binary in VERSIONS else binary
        told = {"src": str(src), "consul_binary": str(path), "work_dir": str(self.work_dir), **options}
        return {name: value for name, value in told.items() if value is not None}

    def ok(self, src: Path, binary: str | Path = binaries.NEW, **options: Any) -> dict[str, Any]:
        """Rehearse what must pass."""
        result = self._calls.ok(None, "snapshot_rehearse", **self.options(src, binary, **options))
        assert not result["changed"]
        return result

    def fails(
        self, src: Path, binary: str | Path = binaries.NEW, *, kind: str = "rehearsal", **options: Any
    ) -> dict[str, Any]:
        """Rehearse what must not."""
        result = self._calls.fails(None, "snapshot_rehearse", kind, **self.options(src, binary, **options))
        assert result["passed"] is False
        return result


@pytest.fixture
def rehearse(calls: Calls, work_dir: Path) -> Rehearse:
    """Rehearses archives."""
    return Rehearse(calls, work_dir)
