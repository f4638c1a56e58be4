# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same task again after a restore: the cluster knows the archive's tokens by now, and no longer its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.faults import FaultServer
from support.scene import RESTORE, contents

from lab import Cluster

from .conftest import Golden
from .test_tokens import stranger

Start = Callable[..., Cluster]
UNHEARD = "5e4dbf5c-2ff8-4c2d-8d32-2f5f0c3d5e11"


@pytest.mark.every_version
def test_the_same_task_again_changes_nothing(
    golden: Golden, version: str, start: Start, calls: Calls, tmp_path: Path
) -> None:
    target = start(version)
    token = stranger(target)
    told: dict[str, Any] = {
        "src": str(golden.path),
        "token": token,
        "post_restore_token": golden.token,
        "backup_dir": str(tmp_path / "replaced"),
        "accept_risks": ["replace_content"],
    }
    with FaultServer(target.servers[0].address("http")) as server:
        done = calls.ok(target, "snapshot_restore", port=server.port, **told)
        assert done["changed"]
        assert target.http("GET", "/v1/acl/token/self", token=token).status_code == 403
        for check in (True, False):
            again = calls.run(target, "snapshot_restore", port=server.port, check=check, **told)
            assert not again.failed, again.result
            assert (again.result["changed"], again.result["proof"]["equal"]) == (False, True)
            assert golden.token not in again.stdout
        assert server.count(*RESTORE) == 1
    # What tells a role about the cluster sees it with the one or the other, too.
    both = {"token": token, "fallback_token": golden.token}
    info = calls.run(target, "cluster_info", **both)
    assert not info.failed, info.result
    assert info.result["fallback_token_used"]
    assert info.result["permissions"]["snapshot"]
    assert not calls.ok(target, "cluster_info", fallback_token=golden.token)["fallback_token_used"]
    # Where neither is known the one that was given first is complained of.
    calls.fails(target, "cluster_info", "token_unknown", token=token, fallback_token=UNHEARD)
    refused = calls.fails(target, "snapshot_restore", "guard", **{**told, "post_restore_token": UNHEARD})
    assert "token" in refused["failure"]["refused"]


def test_the_directory_for_the_safety_archive_is_made(
    golden: Golden, version: str, start: Start, calls: Calls, tmp_path: Path
) -> None:
    target = start(version)
    target.http("PUT", "/v1/kv/precious", data=b"x", check=True)
    directory = tmp_path / "new" / "replaced"
    told: dict[str, Any] = {"src": str(golden.path), "backup_dir": str(directory), "cluster": "staging/../x"}
    # Neither a look nor a refusal leaves anything behind.
    calls.ok(target, "snapshot_restore", check=True, accept_risks=["replace_content"], **told)
    calls.fails(target, "snapshot_restore", "guard", **told)
    assert contents(tmp_path) == {}
    done = calls.ok(target, "snapshot_restore", accept_risks=["replace_content"], **told)
    kept = Path(done["backup_file"])
    assert kept.parent == directory
    assert directory.stat().st_mode & 0o777 == 0o700
    assert done["cluster"]["name"] == "staging/../x"
    # An archive of one cluster that is meant for another one: said beforehand, and no obstacle.
    named = {"src": str(kept), "cluster": "production", "backup_dir": str(directory)}
    checked = calls.ok(target, "snapshot_restore", check=True, accept_risks=["replace_content"], **named)
    [remark] = checked["remarks"]
    assert "saved for the cluster staging/../x" in remark
    assert "the target is production" in remark
    assert remark in str(checked["warnings"])
    same = calls.ok(target, "snapshot_restore", check=True, accept_risks=["replace_content"], **told)
    assert same["remarks"] == []
