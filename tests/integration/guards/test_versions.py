# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one Consul version into another: what is refused for good, and what is proven when it is accepted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls
from support.faults import FaultServer
from support.scene import RESTORE, manifest_of

from lab import Cluster, binaries
from lab.oracle import observe

from .conftest import GoldenOf, finding

Start = Callable[..., Cluster]
ALL_RISKS = [
    *("unhealthy_target", "replace_content", "other_datacenter", "other_version", "critical_findings"),
    *("active_peering", "token_loss", "node_conflict"),
]
MANIFEST = pytest.mark.parametrize("manifest", [True, False], ids=["with its manifest", "without"])


def copied(source: Path, directory: Path, manifest: bool) -> str:
    for path in (source, manifest_of(source))[: 2 if manifest else 1]:
        shutil.copy2(path, directory)
    return str(directory / source.name)


@pytest.mark.every_version
@MANIFEST
def test_from_old_to_new(golden_of: GoldenOf, start: Start, calls: Calls, tmp_path: Path, manifest: bool) -> None:
    golden, target = golden_of(binaries.OLD), start(binaries.NEW)
    src = copied(golden.path, tmp_path, manifest)

    for loosened in ({}, {"version_check": "minor"}):
        refused = calls.fails(target, "snapshot_restore", "guard", src=src, **loosened)
        assert refused["failure"]["refused"] == ["version"]
        assert "accept_risks: [other_version]" in refused["msg"]
        assert "version_check" not in finding(refused, "version")["detail"]
    assert finding(refused, "record_types")["status"] == "passed"
    unlooked = calls.ok(target, "snapshot_restore", src=src, version_check="off", check=True)
    assert finding(unlooked, "version")["status"] == "not_checked"
    assert "warnings" not in unlooked

    with FaultServer(target.servers[0].address("http")) as server:
        told = {"src": src, "accept_risks": ["other_version"], "port": server.port}
        done = calls.ok(target, "snapshot_restore", **told)
        assert done["changed"]
        proof = done["proof"]
        assert (proof["equal"], proof["across_versions"], proof["differs"]) == (True, True, [])
        assert server.count(*RESTORE) == 1
        # Nothing is left to do, and that is seen although hardly a type has the same digest in both versions.
        again = calls.ok(target, "snapshot_restore", **told)
        assert not again["changed"]
        assert again["proof"] == proof
        assert server.count(*RESTORE) == 1

    seen, now = golden.seen, observe(target)
    assert now["kv"] == seen["kv"]
    for kind in ("nodes", "services", "acl-tokens", "acl-roles", "acl-auth-methods", "prepared-queries"):
        assert seen[kind].keys() <= now[kind].keys(), kind
    # Legacy intentions are config entries now.
    assert seen["intentions"]
    assert now["intentions"].keys() == seen["intentions"].keys()
    assert (proof["types"]["Intention"]["archive"], proof["types"]["Intention"]["cluster"]) == (2, 0)
    assert "service-intentions/api" in now["config-entries"]


def a_token(cluster: Cluster) -> str:
    """Return the accessor of a token of the seed's."""
    tokens = cluster.get("/v1/acl/tokens")
    return next(str(token["AccessorID"]) for token in tokens if token["Description"].startswith("lab token 0"))


RESOLVER = {"Kind": "service-resolver", "Name": "web", "ConnectTimeout": "20s"}
INTENTION = {"Kind": "service-intentions", "Name": "later", "Sources": [{"Name": "web", "Action": "allow"}]}
CHANGES: dict[str, Callable[[Cluster], Any]] = {
    "a key": lambda cluster: cluster.http("PUT", "/v1/kv/later", data=b"x", check=True),
    "a policy": lambda cluster: cluster.put("/v1/acl/policy", {"Name": "later", "Rules": ""}),
    "a node": lambda cluster: cluster.put("/v1/catalog/register", {"Node": "ext-bare", "Address": "203.0.113.9"}),
    "a node gone": lambda cluster: cluster.put("/v1/catalog/deregister", {"Node": "ext-bare"}),
    "a token gone": lambda cluster: cluster.http("DELETE", f"/v1/acl/token/{a_token(cluster)}", check=True),
    "a config entry": lambda cluster: cluster.put("/v1/config", RESOLVER),
    "an intention": lambda cluster: cluster.put("/v1/config", INTENTION),
    "an intention gone": lambda cluster: cluster.http(
        "DELETE", "/v1/connect/intentions/exact?source=web&destination=api", check=True
    ),
}


def test_the_proof_across_versions_sees_changes(
    golden_of: GoldenOf, start: Start, calls: Calls, tmp_path: Path
) -> None:
    golden, target = golden_of(binaries.OLD), start(binaries.NEW)
    told = {"src": str(golden.path), "accept_risks": ALL_RISKS, "backup_dir": str(tmp_path)}
    for name, change in CHANGES.items():
        calls.ok(target, "snapshot_restore", **told)
        assert not calls.ok(target, "snapshot_restore", check=True, **told)["changed"], name
        change(target)
        assert calls.ok(target, "snapshot_restore", check=True, **told)["changed"], name


@MANIFEST
def test_from_new_to_old_is_refused_whatever_is_accepted(
    golden_of: GoldenOf, start: Start, calls: Calls, tmp_path: Path, manifest: bool
) -> None:
    golden, target = golden_of(binaries.NEW), start(binaries.OLD)
    src = copied(golden.path, tmp_path, manifest)
    target.http("PUT", "/v1/kv/precious", data=b"x", check=True)
    with FaultServer(target.servers[0].address("http")) as server:
        told = {"src": src, "port": server.port, "backup_dir": str(tmp_path)}
        result = calls.fails(target, "snapshot_restore", "guard", accept_risks=ALL_RISKS, version_check="off", **told)
        assert result["failure"]["refused"] == ["record_types"]
        assert result["failure"]["state"] == "nothing_sent"
        detail = finding(result, "record_types")["detail"]
        for name in ("SystemMetadata", "ServiceVirtualIP", "Peering", "PeeringSecret", "ConfigEntry mesh"):
            assert name in detail
        assert finding(result, "record_types")["risk"] is None
        calls.fails(target, "snapshot_restore", "guard", accept_risks=ALL_RISKS, check=True, **told)
        assert server.count(*RESTORE) == 0
    assert target.servers[0].running
    assert target.http("GET", "/v1/kv/precious?raw").content == b"x"
