# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories of archives for the tests of pruning: real files, with manifests, that hold no snapshot."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.prune.view import PruneRequest
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.records.fingerprint import Fingerprint
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.location import parse_location
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest import (
    Consistency,
    Manifest,
    encode_manifest,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.manifest_file import manifest_path
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.retention.policy import Policy

DAY = 86_400.0
NOW = 1_800_000_000.0


def name_of(day: int) -> str:
    """Return the name of the archive of a day before now."""
    return f"d{day}.snap"


def put(
    directory: Path,
    day: int,
    *,
    cluster: str = "production",
    keys: int = 5,
    name: str | None = None,
    server: str = "s1",
) -> str:
    """Put an archive of a day before now into a directory, and return its path."""
    path = directory / (name or name_of(day))
    data = f"archive of day {day}".encode()
    path.write_bytes(data)
    manifest = Manifest(
        file=path.name,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        meta_id="an id",
        index=1000 - day,
        taken_at=NOW - day * DAY,
        confirmed_at=NOW - day * DAY,
        cluster=ClusterIdentity("dc1", "ours", "1.22.7", (server,), cluster),
        consistency=Consistency(False, 0, True),
        fingerprint=Fingerprint({}),
        records={},
        user_records={"KVS": keys},
    )
    Path(manifest_path(str(path))).write_bytes(encode_manifest(manifest))
    return str(path)


def age(path: str, seconds: float) -> None:
    """Make a file older than it is."""
    os.utime(path, (NOW - seconds, NOW - seconds))


def request(
    directory: Path, *, cluster: str | None = None, rehearsed: frozenset[str] = frozenset(), **rules: int
) -> PruneRequest:
    """Return a request to prune a directory, without a limit to what may go unless one is given."""
    location = parse_location(str(directory), "path").as_store()
    policy = Policy(**{"max_remove": 1000, **rules})  # type: ignore[arg-type]
    return PruneRequest(location, policy, cluster=cluster, rehearsed=rehearsed)


def left(directory: Path) -> set[str]:
    """Return the names of what is in a directory."""
    return set(os.listdir(directory))
