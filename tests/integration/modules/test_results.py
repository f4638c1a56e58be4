# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What modules return, on real servers and when they fail, is what their documentation says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.documented import faults_of, returns_of

from lab import Cluster

UNKNOWN = "11111111-2222-3333-4444-555555555555"


def check(module: str, result: dict[str, Any]) -> set[str]:
    """Hold a result against the documentation, and return its keys."""
    assert faults_of(module, result) == []
    return set(result)


@pytest.mark.every_version
def test_success(golden: Any, fresh: Callable[..., Cluster], calls: Calls, tmp_path: Path) -> None:
    target = fresh()
    seen: dict[str, set[str]] = {}

    def held(module: str, *, cluster: Cluster | None = target, **options: Any) -> dict[str, Any]:
        for only_check in (True, False):
            result = calls.ok(cluster, module, check=only_check, diff=True, **options)
            seen.setdefault(module, set()).update(check(module, result))
        return result

    held("cluster_info")
    saved = held("snapshot_save", dest=str(tmp_path))
    held("snapshot_save", dest=str(tmp_path))
    held("snapshot_save", dest=str(tmp_path), max_age=1000)
    held("snapshot_save", dest=str(tmp_path), stale=True, force=True)
    held("snapshot_info", cluster=None, path=saved["dest"])
    held("snapshot_info", cluster=None, path=str(golden.path), kv_depth=1)
    held("snapshot_restore", src=str(golden.path))
    held("snapshot_restore", src=str(golden.path))
    risks = {"accept_risks": ["replace_content"], "backup_dir": str(tmp_path)}
    held("snapshot_restore", src=saved["dest"], **risks)
    # Each documented key was there in one of them, so none is documented in vain.
    # What is downloaded first lies in a store, or is sealed: the tests of stores see to that.
    downloads = {"snapshot_restore": {"download"}}
    for module, keys in seen.items():
        assert set(returns_of(module)) - keys == {"failure"} | downloads.get(module, set())


def test_with_few_rights(playground: Cluster, calls: Calls) -> None:
    token = playground.put("/v1/acl/token", {"Description": "may nothing"})["SecretID"]

    check("cluster_info", calls.ok(playground, "cluster_info", token=token))


def test_without_a_leader(leaderless: Any, calls: Calls, tmp_path: Path, golden: Any) -> None:
    told = {"server": leaderless.alive[0], "retries": 0}
    check("cluster_info", calls.ok(leaderless.cluster, "cluster_info", **told))
    saved = calls.ok(leaderless.cluster, "snapshot_save", dest=str(tmp_path), stale=True, **told)
    check("snapshot_save", saved)
    restore = {**told, "src": str(golden.path), "wait_timeout": 1}
    plain = {**told, "dest": str(tmp_path / "plain.snap")}
    check("snapshot_save", calls.fails(leaderless.cluster, "snapshot_save", "cluster", **plain))
    late = {**told, "dest": str(tmp_path / "late.snap"), "stale": True, "max_stale": 1}
    check("snapshot_save", calls.fails(leaderless.cluster, "snapshot_save", "too_stale", **late))
    keys = check("snapshot_restore", calls.fails(leaderless.cluster, "snapshot_restore", "guard", **restore))
    assert "guards" in keys


def test_failure(golden: Any, three: Cluster, calls: Calls, tmp_path: Path) -> None:
    text = tmp_path / "text.snap"
    text.write_text("no archive")
    source = str(golden.path)
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("snapshot_save", "dest", {"dest": str(text)}),
        ("snapshot_save", "file", {"dest": "/nowhere/a.snap"}),
        ("snapshot_save", "token_unknown", {"dest": str(tmp_path), "token": UNKNOWN}),
        ("snapshot_save", "connection", {"dest": str(tmp_path), "port": 1}),
        ("snapshot_save", "option", {"dest": str(tmp_path), "max_age": -1}),
        ("snapshot_restore", "guard", {"src": source}),
        ("snapshot_restore", "guard", {"src": str(text)}),
        ("snapshot_restore", "guard", {"src": source, "token": UNKNOWN}),
        ("snapshot_restore", "file", {"src": "/nowhere/a.snap"}),
        ("snapshot_restore", "connection", {"src": source, "port": 1}),
        ("cluster_info", "connection", {"port": 1}),
        ("cluster_info", "token_unknown", {"token": UNKNOWN}),
        ("snapshot_info", "archive", {"path": str(text)}),
        ("snapshot_info", "file", {"path": "/nowhere/a.snap"}),
    ]
    for module, kind, options in rows:
        cluster = None if module == "snapshot_info" else three
        told = options if cluster is None else {"retries": 0, **options}
        check(module, calls.fails(cluster, module, kind, **told))
