# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of test files: what took longest goes first, so that workers end at about the same time.

How long a file took is measured by each run that is whole, and kept in the cache that all checkouts share. Until then
tests/integration/durations.json tells, for a fresh machine: only the order of its seconds counts.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from env import places

COMMITTED = places.CHECKOUT / "tests" / "integration" / "durations.json"
USUAL = "not nightly"
"""The tests that a run takes unless others are asked for; the same ones each time, so that it is whole."""


def kept() -> Path:
    """The file that holds the seconds of each test file."""
    return places.cache() / "durations.json"


def read(path: Path | None = None) -> dict[str, float]:
    """Return the seconds that files took, by their path below the root of all; nothing where nothing was measured."""
    try:
        seconds = json.loads((path or kept()).read_text(encoding="utf-8"))
        return {str(name): float(value) for name, value in seconds.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def expected() -> dict[str, float]:
    """Return the seconds that files will take: as they were measured here, else as the repository has them."""
    return {**read(COMMITTED), **read()}


def in_order(files: Iterable[Path], seconds: Mapping[Path, float]) -> list[Path]:
    """Return the files, those first that were never measured, then those that took longest.

    Of the former each directory's take turns with the others': tests of one directory are alike.
    """
    unknown: dict[Path, list[Path]] = defaultdict(list)
    known = []
    for path in files:
        if path in seconds:
            known.append(path)
        else:
            unknown[path.parent].append(path)
    mixed = [path for turn in zip_longest(*unknown.values()) for path in turn if path is not None]
    return [*mixed, *sorted(known, key=lambda path: -seconds[path])]


def is_partial(config: pytest.Config) -> bool:
    """Whether a run may leave out tests of a file, so that it says nothing of how long the file takes."""
    marked = config.option.markexpr not in ("", USUAL)
    return bool(marked or config.option.keyword or any("::" in name for name in config.args))


class Measure:
    """Sums up how long each file's tests took, and keeps it when the run ends well."""

    def __init__(self, root: Path, *, partial: bool) -> None:
        self._root = root
        self._partial = partial
        self._earlier = expected()
        self._seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give all workers the same seconds: they have to agree on the order, whatever other runs write meanwhile."""
        node.workerinput["durations"] = self._earlier

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what one part of a test took."""
        path = Path(report.fspath)
        path = path if path.is_absolute() else places.CHECKOUT / path
        if path.is_relative_to(self._root):
            self._seconds[str(path.relative_to(self._root))] += report.duration

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Keep the seconds, beside those of files that were not run."""
        if self._partial or exitstatus != pytest.ExitCode.OK or not self._seconds:
            return
        seconds = {**read(), **{name: round(value, 1) for name, value in self._seconds.items()}}
        fresh = kept().with_name(f"{kept().name}.{os.getpid()}")
        fresh.write_text(json.dumps(seconds, indent=1, sort_keys=True), encoding="utf-8")
        fresh.replace(kept())
