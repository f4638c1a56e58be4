# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of both versions whose content tests change, and archives that Consul's own command takes of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import Cluster

Snapshot = Callable[[Cluster], Path]


@pytest.fixture(scope="module")
def playground(version: str, shared_cluster: Callable[..., Cluster]) -> Cluster:
    """One server whose content any test may change."""
    return shared_cluster(version=version, name_prefix="compared")


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Takes an archive with the consul command; no manifest lies beside it."""
    numbers = itertools.count(1)

    def taken(cluster: Cluster) -> Path:
        path = tmp_path / f"{next(numbers)}.snap"
        cluster.cli("snapshot", "save", path)
        return path

    return taken
