#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_restore
short_description: Bring a Consul cluster to the content of an archive
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - A restore replaces everything a cluster holds. This module verifies the archive, looks at the target, lets every
    guard have its say, and only then sends anything. Afterwards it waits for the leader and proves that the cluster's
    content is the archive's.
  - A cluster that holds the archive's content already is left alone.
  - Where the target holds anything that users stored, the restore is refused, unless O(accept_risks) says that it may
    be replaced; then its state is saved and verified first.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
requirements:
  - msgpack >= 1.0
attributes:
  check_mode:
    support: full
    details: Everything up to the first byte that would be sent is done, the guards included. Nothing is written.
  diff_mode:
    support: full
    details: The difference is shown in metadata (records per type, fingerprint), never in content.
  idempotent:
    support: full
options:
  src:
    description:
      - Archive on the host the module runs on. It may come from this collection, from C(consul snapshot save) or from
        Consul Enterprise's snapshot agent.
      - One whose manifest lies beside it, and fits, was verified in full when it was taken and is not read record by
        record again.
    type: path
    required: true
  datacenter:
    description: Datacenter to restore, when it is not the one of the agent that is asked.
    type: str
  backup_dir:
    description:
      - Directory for the safety archive of what is replaced. It must exist.
      - Needed when the target is not fresh and O(accept_risks) holds V(replace_content).
    type: path
  accept_risks:
    description:
      - Risks to take, by name. RV(guards) has what each guard saw, and what the restore would do to the cluster.
      - V(unhealthy_target) restores although a server is down or autopilot reports the cluster as unhealthy.
      - V(replace_content) restores although the target holds content, after that was saved to O(backup_dir).
      - V(other_datacenter) restores an archive of another datacenter. Nodes registered from outside stay in that one.
      - V(other_version) restores an archive of another version than O(version_check) allows. See RV(proof).
      - V(critical_findings) restores an archive with findings that stop servers of other versions, into a version that
        nobody tried it with. Where servers of the same version were seen to stop, it can't be accepted.
      - V(active_peering) restores peerings although the cluster will dial the peers in place of the one that the
        archive was taken from.
      - V(token_loss) restores although no given token is in the archive or in the servers' configuration.
      - V(node_conflict) restores although living agents have names that the archive holds under other node ids. Their
        names have to be deregistered afterwards; RV(next_steps) has the command.
      - No risk can be accepted for an archive that does not verify, for a token that may not restore, for a cluster
        without a leader, and for records that the servers can't read, which would kill them for good.
    type: list
    elements: str
    choices: [unhealthy_target, replace_content, other_datacenter, other_version, critical_findings, active_peering,
      token_loss, node_conflict]
    default: []
  version_check:
    description:
      - How much the Consul version that the archive comes from and that of the servers must have in common. Consul
        supports a restore into the same version only.
      - V(exact) wants the same version, V(minor) the same first two numbers (1.22), V(off) does not look.
      - Where one of them is not known there is a warning.
      - Whatever is set here, an archive with records that the servers can't read is refused.
    type: str
    choices: [exact, minor, 'off']
    default: exact
  post_restore_token:
    description:
      - Token to ask with once the cluster's tokens are those of the archive. Without it the connection's is used, which
        is of use only when the archive or the servers' configuration holds it.
      - Where only one of the two outlives the restore, that one is used.
    type: str
  wait_timeout:
    description:
      - Seconds to wait, after the restore, for a leader, for a token that is accepted, and for every server that was
        healthy before - in the gossip pool, healthy to autopilot, and with the restored state.
      - All that is asked of the one agent that the connection leads to, as far as the token may see it.
    type: int
    default: 120
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_info
"""

EXAMPLES = r"""
- name: Restore into a fresh cluster
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    token_file: /etc/consul.d/management.token

- name: Go back to an older state, keeping what is there now
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/before-the-mistake.snap
    token: "{{ consul_management_token }}"
    backup_dir: /var/backups/consul/replaced
    accept_risks: [replace_content]

- name: Rebuild a lost cluster on new servers that bear the old ones' names
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    token: "{{ new_cluster_management_token }}"
    post_restore_token: "{{ old_cluster_management_token }}"
    accept_risks: [node_conflict]
  register: rebuilt  # rebuilt.next_steps says what is left to do

- name: See what stands in the way of a restore, without doing anything
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
  check_mode: true
"""

RETURN = r"""
src:
  description: The archive.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap
reason:
  description: Why the cluster was restored, or why not, in words.
  returned: success
  type: str
  sample: the cluster is fresh
guards:
  description: What every guard found, in the order of their checks.
  returned: success, and failure once the archive was read
  type: list
  elements: dict
  contains:
    name:
      description: Name of the guard.
      type: str
      returned: always
    status:
      description: What it found.
      type: str
      returned: always
      choices: [passed, accepted, refused, not_checked]
    detail:
      description: What was seen and, where it refused, what to do.
      type: str
      returned: always
    risk:
      description: Name to add to O(accept_risks) to go on all the same; null where nothing can be accepted.
      type: str
      returned: always
  sample:
    - {"detail": "the archive verifies", "name": "archive", "risk": null, "status": "passed"}
backup_file:
  description: The safety archive of what was replaced; null when nothing was.
  returned: success, and failure once it was taken
  type: str
  sample: /var/backups/consul/replaced/dc1-20261123T021500Z-3135.snap
proof:
  description:
    - Comparison, by type, of the cluster's durable content with the archive's, after the restore or, when none was
      needed, in its place.
    - What a leader makes by itself where it is missing is no difference, such as builtin policies where ACLs were off
      when the archive was taken, or a CA where Connect was.
    - Between versions it compares names and content as far as both know it, because a newer Consul writes the same
      things in another way.
  returned: success, but for check mode
  type: dict
  contains:
    across_versions:
      description: Whether the archive and the servers are of different Consul versions.
      type: bool
      returned: always
    equal:
      description: Whether all of it is the same.
      type: bool
      returned: always
    differs:
      description: Types that differ.
      type: list
      elements: str
      returned: always
    types:
      description: For each type the number of records in the archive and in the cluster, and whether they are the same.
      type: dict
      returned: always
  sample:
    across_versions: false
    differs: []
    equal: true
    types: {"KVS": {"archive": 1043, "cluster": 1043, "equal": true}}
agents_awaited:
  description:
    - Nodes of the archive that belong to agents which are not in the cluster's gossip pool. The leader takes them from
      the catalog within a minute, and they come back when their agents join.
    - Null where the token may not see the members.
  returned: when the cluster was restored
  type: list
  elements: dict
  contains:
    node:
      description: Name of the node.
      type: str
      returned: always
    services:
      description: Names of its services.
      type: list
      elements: str
      returned: always
  sample: [{"node": "web-1", "services": ["web", "web-sidecar-proxy"]}]
next_steps:
  description: What is left to a person, in words, most urgent first.
  returned: when the cluster was restored
  type: list
  elements: str
  sample:
    - Restart what waits for changes with an index from before (consul-template, consul watch, blocking queries).
fingerprint:
  description: Digest of the archive's durable content.
  returned: success
  type: str
  sample: v1:6a1b3c9f0de27485a7b1c3d5e7f90214
index:
  description: Raft index of the archive.
  returned: success
  type: int
  sample: 3135
cluster:
  description: Identity of the target before the restore.
  returned: success
  type: dict
  sample: {"consul_version": "1.22.7", "datacenter": "dc1", "id": "f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11"}
attempts:
  description: What went wrong before the cluster's state could be read, one entry for each try that failed.
  returned: always
  type: list
  elements: str
  sample: ["the archive was cut short"]
duration:
  description: Seconds by phase.
  returned: success
  type: dict
  sample: {"proof": 0.3, "restore": 2.7, "target": 0.2, "total": 5.1, "verify": 0.1, "wait": 1.8}
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
    state:
      description:
        - What is known of the cluster. V(nothing_sent) and V(rejected) leave it as it was; after V(replaced) it holds
          the archive's state; V(unknown) has to be looked at.
      type: str
      returned: always
      choices: [nothing_sent, rejected, replaced, unknown]
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
    refused:
      description: Names of the guards that refused.
      type: list
      elements: str
      returned: when guards refused
    fault:
      description: The layer at which the archive stops being one; null when it is not the archive that was refused.
      type: str
      returned: when guards refused
    cause:
      description: What went wrong with the request, with C(kind), C(hint) and the rest of what is said here.
      type: dict
      returned: when the archive was sent
    proof:
      description: The comparison that failed, as in RV(proof).
      type: dict
      returned: when the cluster's content is not the archive's after the restore
    path:
      description: File or directory that is at fault.
      type: str
      returned: when one is
    library:
      description: Python library that is not installed on the host the module runs on.
      type: str
      returned: when one is missing
    place:
      description: Place in the collection's code, to be reported.
      type: str
      returned: when the collection has a defect
  sample: {"hint": "Add replace_content to accept_risks.", "kind": "guard", "state": "nothing_sent"}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._aftermath import REPLACED
from ..module_utils._errors import OptionError
from ..module_utils._guards import EXACT, RISKS, VERSION_CHECKS, as_results, warnings
from ..module_utils._options import checked_token, client_of, connection_spec, end_cleanly, fail
from ..module_utils._restore import Progress, RestoreRequest, restore

OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    "datacenter": {"type": "str"},
    "backup_dir": {"type": "path"},
    "accept_risks": {"type": "list", "elements": "str", "choices": list(RISKS), "default": []},
    "post_restore_token": {"type": "str", "no_log": True},
    "wait_timeout": {"type": "int", "default": 120},
    "version_check": {"type": "str", "choices": list(VERSION_CHECKS), "default": EXACT},
}


def request_of(module: AnsibleModule) -> RestoreRequest:
    params = module.params
    if params["wait_timeout"] < 0:
        raise OptionError("wait_timeout is below zero", hint="Use zero or more.")
    return RestoreRequest(
        src=params["src"],
        datacenter=params["datacenter"] or None,
        backup_dir=params["backup_dir"] or None,
        accept_risks=tuple(params["accept_risks"]),
        wait_timeout=params["wait_timeout"],
        version_check=params["version_check"],
    )


def result_of(progress: Progress) -> dict[str, Any]:
    result: dict[str, Any] = {
        "guards": as_results(progress.guards),
        "backup_file": progress.backup_file,
        "attempts": progress.attempts,
        "duration": progress.duration,
    }
    if progress.decision:
        result["reason"] = progress.decision.reason
    if progress.proof:
        result["proof"] = progress.proof
    if progress.state == REPLACED and progress.next_steps is not None:
        result.update(agents_awaited=progress.agents_awaited, next_steps=progress.next_steps)
    if progress.source:
        result.update(fingerprint=progress.source.fingerprint.overall, index=progress.source.index)
        own = progress.target.fingerprint if progress.target else None
        result["diff"] = {"before": own.described if own else {}, "after": progress.source.fingerprint.described}
    if progress.target and progress.target.cluster:
        result["cluster"] = progress.target.cluster.identity.as_origin()
    return result


def run(module: AnsibleModule, progress: Progress) -> dict[str, Any]:
    request = request_of(module)
    client = client_of(module)
    token = module.params["post_restore_token"]
    later = client.with_token(checked_token(token, "post_restore_token")) if token else client
    changed = restore(client, later, request, progress, check=module.check_mode)
    for warning in warnings(progress.guards, request.version_check):
        module.warn(warning)
    return {"changed": changed, "src": request.src, **result_of(progress)}


def main() -> None:
    module = AnsibleModule(**connection_spec(**OPTIONS))
    progress = Progress(module.warn)
    try:
        end_cleanly()
        result = run(module, progress)
    except BaseException as error:
        fail(module, error, state=progress.state, **result_of(progress))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
