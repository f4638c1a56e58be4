#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Look at a Consul cluster before it is saved, restored or upgraded
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Gathers what decides whether a backup, a restore or an upgrade is safe now. Nothing is changed.
  - What the token may not see, or the version does not offer, is null and named in RV(unknown), never guessed.
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
    description: Datacenter to look at, when it is not the one of the agent that is asked.
    type: str
  fallback_token:
    description:
      - Token to ask with where the cluster does not know the connection's token. After a restore a cluster knows the
        archive's tokens alone.
      - RV(fallback_token_used) says which one answered.
    type: str
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_restore
"""

EXAMPLES = r"""
- name: Look at the cluster
  disaster_recovery.consul.cluster_info:
    token_file: /etc/consul.d/snapshot.token
  register: consul

- name: Go on only when a server may fail
  ansible.builtin.assert:
    that: consul.healthy and consul.failure_tolerance >= 1
    fail_msg: "Don't upgrade now: {{ consul.summary }}"
"""

RETURN = r"""
summary:
  description: One line for a person.
  returned: success
  type: str
  sample: "dc1: Consul 1.22.7, 3 of 3 voters alive, healthy, may lose 1"
version:
  description: Consul version of the agent that answered; null when it can't be learned.
  returned: success
  type: str
  sample: 1.22.7
agent:
  description: The agent that answered. It is a server of the cluster when its id is among RV(servers[].id).
  returned: success
  type: dict
  contains:
    name:
      description: Name of its node; null when it can't be learned, which takes C(agent:read).
      type: str
      returned: always
    id:
      description: Its node id; null when it can't be learned, which takes C(agent:read).
      type: str
      returned: always
  sample: {"id": "0f9a3c1e-7b7e-4f77-9a55-7a1c9cf0a111", "name": "server-1"}
versions:
  description: Consul versions of the servers, as autopilot knows them.
  returned: success
  type: list
  elements: str
  sample: [1.22.7]
datacenter:
  description: The datacenter that was looked at.
  returned: success
  type: str
  sample: dc1
cluster_id:
  description: Identity of the cluster, from the trust domain of its Connect CA; null where Connect is off.
  returned: success
  type: str
  sample: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
leader:
  description: Address of the leader; null when there is none.
  returned: success
  type: str
  sample: 10.0.0.11:8300
servers:
  description: The servers in raft's configuration.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of its node.
      type: str
      returned: always
    id:
      description: Raft id, which is the node id.
      type: str
      returned: always
    address:
      description: Address for RPC.
      type: str
      returned: always
    voter:
      description: Whether it votes.
      type: bool
      returned: always
    leader:
      description: Whether it leads.
      type: bool
      returned: always
    healthy:
      description: Whether autopilot reports it as healthy; null when that can't be learned.
      type: bool
      returned: always
    version:
      description: Its Consul version; null when that can't be learned.
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
  description: Number of servers that vote; null when it can't be learned.
  returned: success
  type: int
  sample: 3
voters_alive:
  description: How many of them are healthy; null when it can't be learned.
  returned: success
  type: int
  sample: 3
healthy:
  description: Whether autopilot reports the cluster as healthy; null when it can't be learned.
  returned: success
  type: bool
  sample: true
failure_tolerance:
  description: How many servers may fail before the quorum is lost; null when it can't be learned.
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
  description: Raft index that the server which answered has applied; null when it can't be learned.
  returned: success
  type: int
  sample: 3135
permissions:
  description: What the token may do; null where it could not be asked.
  returned: success
  type: dict
  contains:
    snapshot:
      description: Whether it may save and restore snapshots (C(acl = "write")); null when it could not be asked.
      type: bool
      returned: always
    operator_read:
      description: Whether it may read what operators see; null when it could not be asked.
      type: bool
      returned: always
    agent_read:
      description: Whether it may read the agent; null when it could not be asked.
      type: bool
      returned: always
  sample: {"agent_read": true, "operator_read": true, "snapshot": true}
fallback_token_used:
  description: Whether O(fallback_token) was used, because the cluster does not know the connection's token.
  returned: success
  type: bool
  sample: false
token_given:
  description:
    - Whether a token was given at all, by an option or the environment. Without one, RV(permissions) are those of
      anonymous requests.
  returned: success
  type: bool
  sample: true
unknown:
  description: What could not be learned, and why.
  returned: success
  type: dict
  sample: {"health": "403 Permission denied"}
failure:
  description: What went wrong, for a playbook to decide on.
  returned: failure
  type: dict
  contains:
    kind:
      description: A word for the kind of fault.
      type: str
      returned: always
    hint:
      description: What to do about it.
      type: str
      returned: always
    status:
      description: HTTP status.
      type: int
      returned: when Consul answered
    url:
      description: What was asked.
      type: str
      returned: when there was a request
    body:
      description: Beginning of the answer's text.
      type: str
      returned: when Consul answered
    library:
      description: Python library that is not installed on the host the module runs on.
      type: str
      returned: when one is missing
    place:
      description: Place in the collection's code, to be reported.
      type: str
      returned: when the collection has a defect
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
        "agent": {"name": facts.agent_name, "id": facts.agent_id},
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
