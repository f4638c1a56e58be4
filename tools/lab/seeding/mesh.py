# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Config entries, intentions and a peering."""

from __future__ import annotations

from typing import Any

from ..access import Access
from ..config import at_least

ENTRIES: tuple[dict[str, Any], ...] = (
    {"Kind": "proxy-defaults", "Name": "global", "Config": {"protocol": "http", "local_connect_timeout_ms": 1500}},
    {"Kind": "service-defaults", "Name": "web", "Protocol": "http"},
    {"Kind": "service-defaults", "Name": "api", "Protocol": "http", "MeshGateway": {"Mode": "local"}},
    {
        "Kind": "service-resolver",
        "Name": "api",
        "DefaultSubset": "v1",
        "Subsets": {"v1": {"Filter": "Service.Meta.version == 1"}, "v2": {"Filter": "Service.Meta.version == 2"}},
        "ConnectTimeout": "15s",
    },
    {
        "Kind": "service-splitter",
        "Name": "api",
        "Splits": [{"Weight": 90, "ServiceSubset": "v1"}, {"Weight": 10, "ServiceSubset": "v2"}],
    },
    {
        "Kind": "service-router",
        "Name": "web",
        "Routes": [{"Match": {"HTTP": {"PathPrefix": "/api"}}, "Destination": {"Service": "api"}}],
    },
    {
        "Kind": "ingress-gateway",
        "Name": "ingress",
        "Listeners": [{"Port": 8081, "Protocol": "http", "Services": [{"Name": "web"}]}],
    },
    {"Kind": "terminating-gateway", "Name": "egress", "Services": [{"Name": "postgres"}]},
)
NEWER_ENTRIES: tuple[dict[str, Any], ...] = (
    {"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": True}},
    {
        "Kind": "exported-services",
        "Name": "default",
        "Services": [{"Name": "api", "Consumers": [{"Peer": "cluster-02"}]}],
    },
    {
        "Kind": "service-intentions",
        "Name": "api",
        "Sources": [{"Name": "web", "Action": "allow"}, {"Name": "*", "Action": "deny", "Description": "by default"}],
    },
    {
        "Kind": "service-intentions",
        "Name": "web",
        "Sources": [
            {"Name": "ingress", "Permissions": [{"Action": "allow", "HTTP": {"PathPrefix": "/", "Methods": ["GET"]}}]}
        ],
    },
)
INTENTIONS: tuple[dict[str, Any], ...] = (
    {
        "SourceName": "web",
        "DestinationName": "api",
        "SourceType": "consul",
        "Action": "allow",
        "Meta": {"ticket": "42"},
    },
    {
        "SourceName": "*",
        "DestinationName": "api",
        "SourceType": "consul",
        "Action": "deny",
        "Description": "by default",
    },
)
PEER = "cluster-02"


def seed_config_entries(access: Access, version: str, *, connect: bool) -> list[str]:
    """Config entries, among them intentions on servers that keep them so."""
    # Intentions are refused where Connect is off.
    entries = [*ENTRIES, *(NEWER_ENTRIES if connect and at_least(version, "1.22") else ())]
    for entry in entries:
        access.put("/v1/config", entry)
    return [f"{entry['Kind']}/{entry.get('Name', entry['Kind'])}" for entry in entries]


def seed_intentions(access: Access, version: str) -> list[str]:
    """Intentions in the old form, where the server has no config entries for them."""
    if at_least(version, "1.9"):
        return []
    for intention in INTENTIONS:
        access.http("POST", "/v1/connect/intentions", json=intention, check=True)
    return [f"{intention['SourceName']} > {intention['DestinationName']}" for intention in INTENTIONS]


def seed_peering(access: Access, version: str) -> list[str]:
    """Half a peering: a token was made for a peer that has not used it yet."""
    if not at_least(version, "1.14"):
        return []
    access.http("POST", "/v1/peering/token", json={"PeerName": PEER}, check=True)
    return [PEER]
