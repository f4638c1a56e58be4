# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No token at all is told from one that may not do what is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.calls import Calls

from lab import Cluster

GIVE_ONE = "no token was given"


def test_no_token_is_told_from_a_weak_one(
    version: str, shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path: Path
) -> None:
    cluster = shared_cluster(version=version, name_prefix="asked")
    weak = cluster.put("/v1/acl/token", {"Description": "may do nothing"})["SecretID"]
    src = tmp_path / "a.snap"
    cluster.cli("snapshot", "save", src)

    for token, given in (("", False), (weak, True)):
        info = calls.ok(cluster, "cluster_info", token=token)
        assert (info["token_given"], info["permissions"]["snapshot"]) == (given, False)
        saved = calls.fails(cluster, "snapshot_save", "permission_denied", dest=str(tmp_path), token=token)
        assert (GIVE_ONE in saved["msg"]) != given
        assert 'acl = "write"' in saved["failure"]["hint"]
        restored = calls.fails(cluster, "snapshot_restore", "guard", src=str(src), token=token)
        assert (GIVE_ONE in restored["msg"]) != given
    assert calls.ok(cluster, "cluster_info")["token_given"]
