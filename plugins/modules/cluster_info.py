#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Gather facts about a Consul cluster before a save, a restore or an upgrade
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Gathers the facts that decide whether a backup, a restore or an upgrade is safe now. Changes nothing.
  - A fact that the token may not read, or that the Consul version does not provide, is null and is named in
    RV(unknown). Nothing is guessed.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
attributes:
  check_mode:
    support: full
    details: This module does not modify state.
  diff_mode:
    support: N/A
    details: This module does not modify state.
  idempotent:
    support: full
options:
  datacenter:
    description: Datacenter to query. By default, the datacenter of the agent that is asked.
    type: str
  fallback_token:
    description:
      - Token to use when the cluster does not know the connection's token. After a restore, the cluster knows only the
        tokens in the archive.
      - RV(fallback_token_used) tells which token was used.
    type: str
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_restore
"""

EXAMPLES = r"""
- name: Gather facts about the cluster
  disaster_recovery.consul.cluster_info:
    token_file: /etc/consul.d/snapshot.token
  register: consul

- name: Continue only if the cluster can lose a server
  ansible.builtin.assert:
    that: consul.healthy and consul.failure_tolerance >= 1
    fail_msg: "Do not upgrade now: {{ consul.summary }}"
"""

RETURN = r"""
summary:
  description: The most important facts in one line.
  returned: success
  type: str
  sample: "dc1: Consul 1.22.7, 3 of 3 voters alive, healthy, may lose 1"
version:
  description: Consul version of the agent that answered; null when it is not known.
  returned: success
  type: str
  sample: 1.22.7
agent:
  description: The agent that answered. It is a server of the cluster if its id is among RV(servers[].id).
  returned: success
  type: dict
  contains:
    name:
      description: Name of its node; null when the token lacks C(agent:read).
      type: str
      returned: always
    id:
      description: Its node id; null when the token lacks C(agent:read).
      type: str
      returned: always
    leader:
      description: Whether it is the leader of its datacenter, as it reports itself; null when the token lacks
        C(agent:read).
      type: bool
      returned: always
  sample: {"id": "0f9a3c1e-7b7e-4f77-9a55-7a1c9cf0a111", "leader": true, "name": "server-1"}
versions:
  description: Consul versions of the servers, as autopilot reports them.
  returned: success
  type: list
  elements: str
  sample: [1.22.7]
datacenter:
  description: The datacenter that was queried.
  returned: success
  type: str
  sample: dc1
cluster_id:
  description: Id of the cluster, from the trust domain of its Connect CA; null when Connect is off.
  returned: success
  type: str
  sample: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
leader:
  description: Address of the leader; null when there is none.
  returned: success
  type: str
  sample: 10.0.0.11:8300
servers:
  description: The servers in the Raft configuration.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of its node.
      type: str
      returned: always
    id:
      description: Its Raft id, which is its node id.
      type: str
      returned: always
    address:
      description: Its RPC address.
      type: str
      returned: always
    voter:
      description: Whether it is a voter.
      type: bool
      returned: always
    leader:
      description: Whether it is the leader.
      type: bool
      returned: always
    healthy:
      description: Whether autopilot reports it as healthy; null when that is not known.
      type: bool
      returned: always
    version:
      description: Its Consul version; null when that is not known.
      type: str
      returned: always
  sample:
    - address: 10.0.0.11:8300
      healthy: true
      id: 0f9a3c1e-7b7e-4f77-9a55-7a1c9cf0a111
      leader: true
      name: server-1
      version: 1.22.7
      voter: true
voters:
  description: Number of voters; null when it is not known.
  returned: success
  type: int
  sample: 3
voters_alive:
  description: Number of voters that are healthy; null when it is not known.
  returned: success
  type: int
  sample: 3
healthy:
  description: Whether autopilot reports the cluster as healthy; null when that is not known.
  returned: success
  type: bool
  sample: true
failure_tolerance:
  description: Number of servers that can fail before the quorum is lost; null when it is not known.
  returned: success
  type: int
  sample: 1
datacenters:
  description: Datacenters of the federation.
  returned: success
  type: list
  elements: str
  sample: [dc1]
applied_index:
  description: Raft index that the server that answered has applied; null when it is not known.
  returned: success
  type: int
  sample: 3135
permissions:
  description: What the token may do. A value is null when that could not be checked.
  returned: success
  type: dict
  contains:
    snapshot:
      description: Whether it may save and restore snapshots (C(acl = "write")); null when that could not be checked.
      type: bool
      returned: always
    operator_read:
      description: Whether it has C(operator:read); null when that could not be checked.
      type: bool
      returned: always
    agent_read:
      description: Whether it has C(agent:read); null when that could not be checked.
      type: bool
      returned: always
  sample: {"agent_read": true, "operator_read": true, "snapshot": true}
fallback_token_used:
  description: Whether O(fallback_token) was used because the cluster does not know the connection's token.
  returned: success
  type: bool
  sample: false
token_given:
  description:
    - Whether a token was provided, by an option or by the environment. Without one, RV(permissions) are those of
      anonymous requests.
  returned: success
  type: bool
  sample: true
unknown:
  description: The facts that are not known, and why.
  returned: success
  type: dict
  sample: {"health": "403 Permission denied"}
attempts:
  description: Failed attempts that were followed by another one.
  returned: always
  type: list
  elements: str
  sample: ["the archive was cut short"]
duration:
  description: Seconds by phase, and their sum as C(total).
  returned: always
  type: dict
  sample: {"look": 0.1, "total": 0.1}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      returned: always
      choices: [acl_disabled, api, bad_archive, connection, datacenter_down, defect, endpoint_blocked, interrupted,
        leader_not_ready, missing_library, no_leader, no_quorum, not_found, option, permission_denied, proxy_auth,
        rate_limited, redirected, server_error, token_unknown, too_early, too_large, unavailable, unknown_datacenter,
        write_restricted, wrong_scheme]
    hint:
      description: What to do next.
      type: str
      returned: always
    status:
      description: HTTP status.
      type: int
      returned: when Consul answered
    url:
      description: URL of the request.
      type: str
      returned: when there was a request
    body:
      description: Beginning of the response body.
      type: str
      returned: when Consul answered
    library:
      description: The Python library that is missing on the host the module runs on.
      type: str
      returned: when one is missing
    place:
      description: Place in the code to report.
      type: str
      returned: after a defect of the collection
  sample: {"hint": "Is Consul running there?", "kind": "connection", "url": "http://localhost:8500/v1/status/leader"}
"""

from typing import Any

from ..module_utils._ansible.options import connection_spec
from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._consul.cluster import ClusterFacts, read_cluster
from ..module_utils._errors import ApiError, FailureKind

OPTIONS: dict[str, dict[str, Any]] = {
    "datacenter": {"type": "str"},
    "fallback_token": {"type": "str", "no_log": True},
}


def result_of(facts: ClusterFacts, *, fallback_token_used: bool, token_given: bool) -> dict[str, Any]:
    return {
        "summary": summary_of(facts),
        "version": facts.version,
        "agent": {"name": facts.agent_name, "id": facts.agent_id, "leader": facts.agent_leads},
        "versions": list(facts.versions),
        "datacenter": facts.datacenter,
        "cluster_id": facts.cluster_id,
        "leader": facts.leader,
        "servers": [server._asdict() for server in facts.servers],
        "voters": facts.voters,
        "voters_alive": facts.voters_alive,
        "healthy": facts.healthy,
        "failure_tolerance": facts.failure_tolerance,
        "datacenters": list(facts.datacenters),
        "applied_index": facts.applied_index,
        "permissions": facts.permissions._asdict(),
        "fallback_token_used": fallback_token_used,
        "token_given": token_given,
        "unknown": facts.unknown,
    }


def summary_of(facts: ClusterFacts) -> str:
    parts = [f"Consul {', '.join(facts.versions) or facts.version or 'of unknown version'}"]
    if not facts.leader:
        parts.append("no leader")
    if facts.voters is not None and facts.voters_alive is not None:
        parts.append(f"{facts.voters_alive} of {facts.voters} voters alive")
    if facts.healthy is not None:
        parts.append("healthy" if facts.healthy else "unhealthy")
    if facts.failure_tolerance is not None:
        parts.append(f"may lose {facts.failure_tolerance}")
    if facts.unknown:
        parts.append(f"not known: {', '.join(sorted(facts.unknown))}")
    return f"{facts.datacenter or 'unknown datacenter'}: {', '.join(parts)}"


def look(run: Run) -> dict[str, Any]:
    client, datacenter = run.client(), run.params["datacenter"] or None
    fallback_token_used = False
    with run.journal.phase("look"):
        try:
            facts = read_cluster(client, datacenter)
        except ApiError as error:
            if error.kind != FailureKind.TOKEN_UNKNOWN or not run.params["fallback_token"]:
                raise
            facts = read_cluster(run.client_with_token(client, "fallback_token"), datacenter)
            fallback_token_used = True
    token_given = bool(client.connection.token)
    return result_of(facts, fallback_token_used=fallback_token_used, token_given=token_given)


def main() -> None:
    run_module(connection_spec(**OPTIONS), look)


if __name__ == "__main__":
    main()
