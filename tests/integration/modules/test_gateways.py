# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API gateways with routes: maps whose keys are structs, and hashes that a restore computes anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.calls import Calls

from lab import Cluster, binaries

PARENT = {"Kind": "api-gateway", "Name": "gw"}
ENTRIES: tuple[dict[str, Any], ...] = (
    {"Kind": "service-defaults", "Name": "web", "Protocol": "http"},
    {"Kind": "service-defaults", "Name": "api", "Protocol": "http"},
    {"Kind": "file-system-certificate", "Name": "cert", "Certificate": "/tls/cert.pem", "PrivateKey": "/tls/key.pem"},
    {
        "Kind": "api-gateway",
        "Name": "gw",
        "Listeners": [
            {"Name": "http", "Port": 8080, "Protocol": "http"},
            {"Name": "tcp", "Port": 9000, "Protocol": "tcp"},
        ],
    },
    {
        "Kind": "http-route",
        "Name": "site",
        "Parents": [{**PARENT, "SectionName": "http"}],
        "Rules": [{"Services": [{"Name": "web"}, {"Name": "api"}]}],
    },
    {
        "Kind": "http-route",
        "Name": "docs",
        "Hostnames": ["docs.example.com"],
        "Parents": [{**PARENT, "SectionName": "http"}],
        "Rules": [{"Services": [{"Name": "api"}]}],
    },
    {
        "Kind": "tcp-route",
        "Name": "database",
        "Parents": [{**PARENT, "SectionName": "tcp"}],
        "Services": [{"Name": "db"}],
    },
)
SAVES = 6


def bound(cluster: Cluster) -> dict[str, Any]:
    """Return what the gateway is bound to, as Consul tells it."""
    return dict(cluster.http("GET", "/v1/config/bound-api-gateway/gw", check=True).json())


def routed(cluster: Cluster) -> int:
    """Return how many routes Consul has bound to the gateway."""
    answer = cluster.http("GET", "/v1/config/bound-api-gateway/gw")
    listeners = answer.json()["Listeners"] if answer.status_code == 200 else []
    return sum(len(listener.get("Routes") or []) for listener in listeners)


@pytest.fixture(scope="module")
def gateway(shared_cluster: Callable[..., Cluster]) -> Cluster:
    """A server that has bound three routes to a gateway."""
    cluster = shared_cluster(version=binaries.NEW, name_prefix="gateway")
    for entry in ENTRIES:
        cluster.put("/v1/config", entry)
    deadline = time.monotonic() + 20
    while routed(cluster) < 3:
        assert time.monotonic() < deadline, bound(cluster)
        time.sleep(0.2)
    return cluster


def test_saves_of_one_state_have_one_fingerprint(gateway: Cluster, calls: Calls, tmp_path: Path) -> None:
    saves = [calls.ok(gateway, "snapshot_save", dest=str(tmp_path / f"{one}.snap")) for one in range(SAVES)]

    assert {one["fingerprint"] for one in saves} == {saves[0]["fingerprint"]}
    assert "unnamed_records" not in {one["name"] for one in saves[0].get("findings", [])}
    # The bytes do differ: Go writes maps in a random order.
    assert len({one["sha256"] for one in saves}) == SAVES


@pytest.mark.every_version
def test_a_restore_of_gateways_and_routes_is_proven(
    gateway: Cluster, start: Callable[..., Cluster], calls: Calls, tmp_path: Path
) -> None:
    archive = tmp_path / "gateway.snap"
    calls.ok(gateway, "snapshot_save", dest=str(archive))
    target = start(binaries.NEW, name_prefix="other")

    restored = calls.ok(target, "snapshot_restore", src=str(archive), accept_risks=["token_loss"])

    assert restored["changed"]
    assert restored["proof"]["equal"], restored["proof"]["differs"]
    # Consul itself answers with the same bindings, and another hash in the archive that it writes now.
    target.tokens = gateway.tokens
    assert bound(target)["Services"] == bound(gateway)["Services"]
    assert not calls.ok(target, "snapshot_restore", src=str(archive))["changed"]
