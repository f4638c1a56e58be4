# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens that a restore would take away, on real servers of both versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.scene import contents
from support.waiting import wait_until

from lab import Cluster, Tokens

from .conftest import Golden, finding

Start = Callable[..., Cluster]


def stranger(cluster: Cluster) -> str:
    """Return a token that may do everything, and that no other cluster knows."""
    return str(cluster.put("/v1/acl/token", {"Policies": [{"Name": "global-management"}]})["SecretID"])


@pytest.mark.every_version
@pytest.mark.parametrize("manifest", [True, False], ids=["with a manifest", "without"])
def test_a_token_that_dies(
    golden: Golden, version: str, start: Start, calls: Calls, tmp_path: Path, manifest: bool
) -> None:
    target = start(version)
    token, unheard = stranger(target), "5e4dbf5c-2ff8-4c2d-8d32-2f5f0c3d5e11"
    src = golden.path
    if not manifest:
        src = tmp_path / "archive.snap"
        src.write_bytes(golden.path.read_bytes())
    # The token that was made just now is content, so something is replaced, too.
    told: dict[str, Any] = {"src": str(src), "token": token, "backup_dir": str(tmp_path), "wait_timeout": 5}
    risks = ["replace_content"]
    before = contents(tmp_path)
    for more in ({}, {"post_restore_token": unheard}):
        refused = calls.run(target, "snapshot_restore", accept_risks=risks, **told, **more)
        assert refused.failure["refused"] == ["token_survival"], refused.result["msg"]
        assert "not in the archive" in refused.result["msg"]
        assert "accept_risks: [token_loss]" in refused.result["msg"]
        assert unheard not in refused.stdout
        assert token not in refused.stdout
    assert contents(tmp_path) == before

    passed = calls.run(
        target, "snapshot_restore", accept_risks=risks, post_restore_token=golden.token, check=True, **told
    )
    assert finding(passed.result, "token_survival")["status"] == "passed"
    assert golden.token not in passed.stdout
    done = calls.ok(target, "snapshot_restore", accept_risks=risks, post_restore_token=golden.token, **told)
    assert done["proof"]["equal"]
    assert target.http("GET", "/v1/acl/token/self", token=token).status_code == 403


def test_a_token_that_dies_accepted(golden: Golden, version: str, start: Start, calls: Calls, tmp_path: Path) -> None:
    target = start(version)
    token = stranger(target)
    told = {"src": str(golden.path), "token": token, "backup_dir": str(tmp_path), "wait_timeout": 3}
    outcome = calls.run(target, "snapshot_restore", accept_risks=["replace_content", "token_loss"], **told)
    # It is in place, but nobody is left to prove it; the message says so, and what is left to do is told all the same.
    assert outcome.failure["state"] == "replaced"
    assert "post_restore_token" in outcome.result["msg"]
    assert outcome.result["next_steps"]
    assert [one["node"] for one in outcome.result["servers_gone"]] == [golden.source.servers[0].name]
    assert (outcome.result["changed"], outcome.failure["option"]) == (True, "post_restore_token")
    assert target.http("GET", "/v1/acl/token/self", token=golden.token).status_code == 200


def test_a_post_restore_token_that_nobody_knows_is_not_used(
    golden: Golden, version: str, start: Start, calls: Calls
) -> None:
    # The servers' configuration re-creates the token of the connection, so that one is asked with.
    target = start(version)
    done = calls.ok(
        target,
        "snapshot_restore",
        src=str(golden.path),
        post_restore_token="5e4dbf5c-2ff8-4c2d-8d32-2f5f0c3d5e11",
    )
    assert done["proof"]["equal"]
    assert "configuration" in finding(done, "token_survival")["detail"]
    assert target.http("GET", "/v1/acl/token/self").status_code == 200


def test_an_expired_token_does_not_count(version: str, start: Start, calls: Calls, tmp_path: Path) -> None:
    source = start(version, name_prefix="expiring")
    token = source.put(
        "/v1/acl/token", {"Policies": [{"Name": "global-management"}], "ExpirationTTL": "61s", "Description": "short"}
    )["SecretID"]
    src = tmp_path / "a.snap"
    calls.ok(source, "snapshot_save", dest=str(src))
    checked = calls.ok(source, "snapshot_restore", src=str(src), token=token, check=True)
    assert finding(checked, "token_survival")["status"] == "passed"
    target = start(version, tokens=Tokens(initial_management=source.tokens.initial_management))
    wait_until(lambda: source.http("GET", "/v1/acl/token/self", token=token).status_code == 403, "it does not expire")
    # Of use in the target for now, and expired in the archive.
    target.put("/v1/acl/token", {"SecretID": token, "Policies": [{"Name": "global-management"}]})
    told = {"src": str(src), "token": token, "backup_dir": str(tmp_path), "accept_risks": ["replace_content"]}
    refused = calls.fails(target, "snapshot_restore", "guard", **told)
    assert refused["failure"]["refused"] == ["token_survival"]
    assert "token had expired in the archive" in refused["msg"]


@pytest.mark.every_version
def test_without_acls(version: str, start: Start, calls: Calls, tmp_path: Path) -> None:
    open_source, secured = start(version, acl=False, name_prefix="open"), start(version, name_prefix="secured")
    open_source.http("PUT", "/v1/kv/a", data=b"x", check=True)
    src = str(tmp_path / "open.snap")
    calls.ok(open_source, "snapshot_save", dest=src)
    token = stranger(secured)
    told = {"src": src, "backup_dir": str(tmp_path), "accept_risks": ["replace_content"]}
    refused = calls.fails(secured, "snapshot_restore", "guard", token=token, **told)
    assert refused["failure"]["refused"] == ["token_survival"]
    assert "no tokens at all" in refused["msg"]
    # The servers' own configuration keeps its token, whatever the archive holds.
    done = calls.ok(secured, "snapshot_restore", **told)
    assert done["proof"]["equal"]
    another = start(version, acl=False, name_prefix="another")
    done = calls.ok(another, "snapshot_restore", **{**told, "src": str(next(tmp_path.glob("dc1-*.snap")))})
    assert finding(done, "token_survival")["detail"] == "ACLs are off in the cluster; no token is needed"
    assert not any("ACL" in step for step in done["next_steps"])
