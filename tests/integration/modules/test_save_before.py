# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save: ``diff.before`` is the archive that held the cluster's content, however little the token may ask."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.scene import manifest_of

from lab import Cluster


@pytest.fixture
def acl_only(playground: Cluster) -> str:
    """A token that may save and no more: the servers of the cluster are known from the snapshot alone."""
    policy = {"Name": f"acl-{uuid.uuid4().hex}", "Rules": 'acl = "write"'}
    playground.put("/v1/acl/policy", policy)
    return str(playground.put("/v1/acl/token", {"Policies": [{"Name": policy["Name"]}]})["SecretID"])


def changed(cluster: Cluster) -> None:
    cluster.http("PUT", "/v1/kv/before", data=os.urandom(8), check=True)


@pytest.mark.every_version
@pytest.mark.parametrize("place", ["{0}", "{0}/a.snap"], ids=["directory", "file"])
@pytest.mark.parametrize("options", [{}, {"cluster": "production"}, {"max_age": 1000}, {"force": True}], ids=str)
def test_a_token_that_may_not_see_the_servers(
    place: str, options: dict[str, Any], playground: Cluster, acl_only: str, calls: Calls, tmp_path: Path
) -> None:
    dest = place.format(tmp_path)
    first = calls.ok(playground, "snapshot_save", dest=dest, diff=True)
    changed(playground)

    told = {"dest": dest, "token": acl_only, "diff": True, **options}
    checked = calls.ok(playground, "snapshot_save", check=True, **told)
    second = calls.ok(playground, "snapshot_save", **told)
    assert second["changed"]
    assert checked["diff"]["before"] == second["diff"]["before"] == first["diff"]["after"]
    assert second["diff"]["after"]["dest"] == second["dest"]

    again = calls.ok(playground, "snapshot_save", **{**told, "force": False})
    assert not again["changed"]
    assert again["diff"]["before"] == again["diff"]["after"] == second["diff"]["after"]


def test_an_archive_that_is_overwritten_by_force(playground: Cluster, calls: Calls, tmp_path: Path) -> None:
    dest = tmp_path / "a.snap"
    first = calls.ok(playground, "snapshot_save", dest=str(dest), cluster="staging", diff=True)
    told = {"dest": str(dest), "cluster": "production", "force": True, "diff": True}
    second = calls.ok(playground, "snapshot_save", **told)
    assert second["diff"]["before"] == first["diff"]["after"]
    # Two names are two clusters here; nothing was rebuilt.
    assert (second["rebuilt"], second.get("warnings")) == (False, None)

    # Of an archive that no manifest describes nothing is known without reading it, and nobody asked for that.
    manifest_of(dest).unlink()
    assert calls.ok(playground, "snapshot_save", **told)["diff"]["before"] == {}
