# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two federated datacenters: the one that is meant is saved, restored and looked at, through the other's agent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls
from support.scene import archives_in, contents

from lab import Cluster
from lab.comparison import compare
from lab.oracle import Observation, observe

Inspect = Callable[..., dict[str, Any]]


class Federation(NamedTuple):
    """The primary datacenter dc1 and the secondary dc2, one server each."""

    dc1: Cluster
    dc2: Cluster


@pytest.fixture(scope="module")
def federation(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Two datacenters with a key of their own each, and one that both have with another value."""
    directory = tmp_path_factory.mktemp("federation")
    with (
        Cluster(directory / "dc1", version=version, servers=1, name_prefix="east") as dc1,
        Cluster(
            directory / "dc2", version=version, servers=1, name_prefix="west", datacenter="dc2", primary=dc1
        ) as dc2,
    ):
        dc1.federate(dc2)
        # Tokens arrive in the secondary by themselves; until then its content moves.
        deadline = time.monotonic() + 30
        while not dc2.get("/v1/acl/replication")["ReplicatedTokenIndex"]:
            assert time.monotonic() < deadline, "no tokens arrive in dc2"
            time.sleep(0.1)
        for cluster in (dc1, dc2):
            cluster.http("PUT", f"/v1/kv/only-in/{cluster.datacenter}", data=b"x", check=True)
            cluster.http("PUT", "/v1/kv/which", data=cluster.datacenter, check=True)
        yield Federation(dc1, dc2)


def durable(cluster: Cluster) -> Observation:
    """Return the keys and the catalog; what the primary replicates to the secondary comes and goes by itself."""
    seen = observe(cluster)
    return {kind: seen[kind] for kind in ("kv", "nodes", "services", "checks", "prepared-queries")}


def check_same(before: Observation, after: Observation) -> None:
    assert [row for row in compare(before, after) if not row.equal] == []


@pytest.mark.every_version
def test_save_through_the_other_datacenters_agent(
    federation: Federation, calls: Calls, tmp_path: Path, inspect: Inspect
) -> None:
    dest = str(tmp_path)
    near = calls.ok(federation.dc1, "snapshot_save", dest=dest)
    far = calls.ok(federation.dc1, "snapshot_save", dest=dest, datacenter="dc2")

    assert [Path(one["dest"]).name.split("-")[0] for one in (near, far)] == ["dc1", "dc2"]
    assert [one["changed"] for one in (near, far)] == [True, True]
    for result, name in ((near, "dc1"), (far, "dc2")):
        manifest = json.loads(Path(result["manifest"]).read_text())
        assert manifest["cluster"]["datacenter"] == result["cluster"]["datacenter"] == name
        prefixes = [row["Name"] for row in inspect(result["dest"], "-kvdetails", "-kvdepth", "2")["StatsKV"]]
        assert sorted(prefixes) == [f"only-in/{name}", "which"]
    # Each has its own newest archive, whichever agent is asked.
    for result, name in ((near, "dc1"), (far, "dc2")):
        again = calls.ok(federation.dc1, "snapshot_save", dest=dest, datacenter=name)
        assert (again["changed"], again["dest"]) == (False, result["dest"])
    direct = calls.ok(federation.dc2, "snapshot_save", dest=dest)
    assert (direct["changed"], direct["dest"]) == (False, far["dest"])
    aged = calls.ok(federation.dc1, "snapshot_save", dest=dest, datacenter="dc2", max_age=1000)
    assert (aged["changed"], aged["dest"]) == (False, far["dest"])
    assert len(archives_in(tmp_path)) == 4


def test_a_file_of_the_other_datacenter_is_not_replaced(federation: Federation, calls: Calls, tmp_path: Path) -> None:
    dest = tmp_path / "newest.snap"
    calls.ok(federation.dc1, "snapshot_save", dest=str(dest), datacenter="dc2")
    before = contents(tmp_path)

    result = calls.fails(federation.dc1, "snapshot_save", "dest", dest=str(dest))
    assert "dc2" in result["msg"]
    assert contents(tmp_path) == before


def test_restore_through_the_other_datacenters_agent(federation: Federation, calls: Calls, tmp_path: Path) -> None:
    dc1, dc2 = federation
    saved = calls.ok(dc1, "snapshot_save", dest=str(tmp_path), datacenter="dc2")
    before = durable(dc2)
    dc2.http("DELETE", "/v1/kv/only-in/dc2", check=True)
    dc2.http("PUT", "/v1/kv/which", data=b"spoilt", check=True)
    untouched = durable(dc1)
    told = {"src": saved["dest"], "backup_dir": str(tmp_path), "accept_risks": ["replace_content"], "datacenter": "dc2"}

    refused = calls.fails(dc1, "snapshot_restore", "guard", **{**told, "accept_risks": []})
    assert refused["failure"]["refused"] == ["fresh"]
    assert calls.ok(dc1, "snapshot_restore", check=True, **told)["changed"]
    done = calls.ok(dc1, "snapshot_restore", **told)

    assert done["changed"]
    assert done["cluster"]["datacenter"] == "dc2"
    assert Path(done["backup_file"]).name.startswith("dc2-")
    check_same(before, durable(dc2))
    check_same(untouched, durable(dc1))
    assert not calls.ok(dc1, "snapshot_restore", **told)["changed"]


def test_a_look_at_the_other_datacenter(federation: Federation, calls: Calls) -> None:
    result = calls.ok(federation.dc1, "cluster_info", datacenter="dc2")

    assert result["datacenter"] == "dc2"
    assert result["datacenters"] == ["dc1", "dc2"]
    assert result["leader"] == federation.dc2.servers[0].rpc_address
    assert [one["name"] for one in result["servers"]] == ["west-1"]
    assert (result["healthy"], result["versions"]) == (True, [federation.dc2.version])
    # What the agent that was asked says of itself is not said of the other datacenter.
    assert (result["version"], result["applied_index"]) == (None, None)
