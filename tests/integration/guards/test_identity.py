# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datacenters, clusters and node names that don't fit, on real servers of both versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.waiting import wait_until

from lab import Cluster, Tokens

from .conftest import Golden, finding, nodes

Start = Callable[..., Cluster]
DEREGISTER = "/v1/catalog/deregister"


@pytest.mark.every_version
def test_another_datacenter(golden: Golden, version: str, start: Start, calls: Calls) -> None:
    target = start(version, datacenter="dc2")
    told: dict[str, Any] = {"src": str(golden.path)}
    refused = calls.fails(target, "snapshot_restore", "guard", **told)
    assert refused["failure"]["refused"] == ["datacenter"]
    detail = finding(refused, "datacenter")["detail"]
    assert "belongs to the datacenter dc1, and the cluster is dc2" in detail
    assert "accept_risks: [other_datacenter]" in detail
    assert "ext-bare" not in nodes(target)

    done = calls.ok(target, "snapshot_restore", accept_risks=["other_datacenter"], **told)
    assert done["changed"]
    assert done["proof"]["equal"]
    # As it was said.
    assert nodes(target)["ext-bare"] == "dc1"
    assert any("dc1" in step and "dc2" in step for step in done["next_steps"])
    # And the way out of it, as it was said.
    target.put("/v1/catalog/register", {"Node": "ext-bare", "Address": "198.51.100.1"})
    assert nodes(target)["ext-bare"] == "dc2"


@pytest.mark.every_version
def test_a_name_that_belongs_to_another_node(golden: Golden, version: str, start: Start, calls: Calls) -> None:
    target = start(version, name_prefix="old-home", tokens=Tokens(agent=golden.source.tokens.agent))
    name = target.servers[0].name
    assert name == golden.source.servers[0].name
    refused = calls.fails(target, "snapshot_restore", "guard", src=str(golden.path))
    assert refused["failure"]["refused"] == ["node_identity"]
    detail = finding(refused, "node_identity")["detail"]
    assert f"({name})" in detail
    assert f'{{"Datacenter": "dc1", "Node": "{name}"}}' in detail
    assert "accept_risks: [node_conflict]" in detail

    done = calls.ok(target, "snapshot_restore", src=str(golden.path), accept_risks=["node_conflict"])
    assert done["proof"]["equal"]
    assert done["agents_awaited"] == []
    [step] = [step for step in done["next_steps"] if DEREGISTER in step]
    assert f'"Node": "{name}"' in step
    # Refused, as was said, until somebody does what was said.
    mine, theirs = (one.get("/v1/agent/self")["Config"]["NodeID"] for one in (target, golden.source))

    def listed() -> str:
        node = target.get(f"/v1/catalog/node/{name}")
        return str(node["Node"]["ID"]) if node else ""

    log = target.servers[0].log_file
    wait_until(lambda: f"is reserved by node {theirs}" in log.read_text(), "the name is not refused")
    assert listed() == theirs
    target.put(DEREGISTER, {"Datacenter": "dc1", "Node": name})
    wait_until(lambda: listed() == mine, "the node does not come back")


def test_the_same_name_and_the_same_id(golden: Golden, version: str, start: Start, calls: Calls) -> None:
    identity = golden.source.get("/v1/agent/self")["Config"]["NodeID"]
    target = start(
        version,
        name_prefix="old-home",
        tokens=Tokens(agent=golden.source.tokens.agent),
        extra_config={"node_id": identity},
    )
    done = calls.ok(target, "snapshot_restore", src=str(golden.path))
    assert finding(done, "node_identity")["status"] == "passed"
    name = target.servers[0].name
    # The catalog takes what the agent says under that name.
    target.put("/v1/agent/service/register", {"Name": "just-born"})
    wait_until(lambda: target.get("/v1/catalog/service/just-born"), "it is not registered")
    assert target.get(f"/v1/catalog/node/{name}")["Node"]["ID"] == identity


@pytest.mark.parametrize("connect", [True, False], ids=["into one with Connect", "into one without"])
def test_an_archive_taken_while_connect_was_off(
    version: str, start: Start, calls: Calls, tmp_path: Path, connect: bool
) -> None:
    source = start(version, connect=False, name_prefix="plain")
    source.http("PUT", "/v1/kv/a", data=b"x", check=True)
    src = str(tmp_path / "plain.snap")
    saved = calls.ok(source, "snapshot_save", dest=src)
    assert saved["cluster"]["id"] is None
    target = start(version, connect=connect, name_prefix="target")
    done = calls.ok(target, "snapshot_restore", src=src)
    assert done["changed"]
    assert done["proof"]["equal"]
    assert target.http("GET", "/v1/kv/a?raw").content == b"x"
