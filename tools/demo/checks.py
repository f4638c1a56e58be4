# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster is what it is said to be: closed to strangers, encrypted, made anew."""

from __future__ import annotations

import hashlib

import requests

from lab import Cluster, LabError


def closed_to_strangers(cluster: Cluster) -> str:
    """Knock without token, without certificate, without TLS; return in words that nothing opened."""
    server = cluster.first_alive()
    status = cluster.http("GET", "/v1/acl/tokens", token="").status_code
    if status != 403:
        raise LabError(f"without a token Consul answered {status} in place of 403")
    if not cluster.client_tls or _answers(server.address("https"), str(cluster.client_tls.ca_file)):
        raise LabError("Consul answered a client that had no certificate")
    if _answers(server.address("https").replace("https:", "http:"), None):
        raise LabError("Consul answered plain HTTP")
    pools = cluster.get("/v1/operator/keyring")
    if [list(pool["Keys"].values()) for pool in pools if not pool["WAN"]] != [[cluster.size]]:
        raise LabError("gossip is not encrypted with one key on all servers")
    return (
        "Seen: 403 without a token; no answer without a client certificate or to plain HTTP; "
        f"gossip sealed with one key on all {cluster.size}."
    )


def identity(cluster: Cluster) -> set[str]:
    """Return what tells these servers from any others: names, node ids, digests of certificates."""
    found: set[str] = set()
    for server in cluster.servers:
        config = cluster.get("/v1/agent/self", server=server)["Config"]
        found |= {config["NodeName"], config["NodeID"]}
        found |= {hashlib.sha256(path.read_bytes()).hexdigest() for path in server.directory.glob("tls/*.pem")}
    return found


def _answers(url: str, ca_file: str | None) -> bool:
    session = requests.Session()
    session.trust_env = False
    try:
        response = session.get(f"{url}/v1/status/leader", verify=ca_file or False, timeout=5)
    except requests.RequestException:
        return False
    # To plain HTTP a TLS server says 400, in plain text.
    return response.status_code != 400
