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
  - A cluster that already holds the archive's content is left alone.
  - Where the target holds anything that users stored, the restore is refused, unless O(accept_risks) says that it may
    be replaced; then its state is saved and verified first. What is written between that and the restore, in the
    seconds that the upload takes, is in neither archive - stop the writers if that matters.
  - Writers may go on during and after the restore. What they wrote since it is named in RV(proof) and is no fault.
  - RV(ignore:changed) is true as soon as the cluster's content was replaced, or may have been, even where the module
    fails afterwards. No archive is ever sent twice.
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
      - Directory for the safety archive of what is replaced. Where it is missing it is created, for its owner alone; in
        check mode it is not.
      - Needed when the target is not fresh and O(accept_risks) holds V(replace_content).
    type: path
  cluster:
    description:
      - Name of the cluster that is restored, as O(disaster_recovery.consul.snapshot_save#module:cluster) has it.
      - The safety archive is saved under it. Where the manifest of O(src) names another cluster, RV(remarks) and a
        warning say so; nothing is refused, because an archive of one cluster may well be meant for another one.
    type: str
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
      - Where the cluster does not know the connection's token, this one is used from the start. So the same task can be
        run again after a restore, and reports that nothing has to be done.
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
    name: {description: Name of the guard., type: str, returned: always}
    status:
      description: What it found.
      type: str
      returned: always
      choices: [passed, accepted, refused, not_checked]
    detail: {description: "What was seen and, where it refused, what to do.", type: str, returned: always}
    risk: {description: Name to add to O(accept_risks); null where nothing helps., type: str, returned: always}
  sample:
    - {"detail": "the archive verifies", "name": "archive", "risk": null, "status": "passed"}
remarks:
  description: What should be known before anything is sent and refuses nothing, in words. Each one is a warning, too.
  returned: always
  type: list
  elements: str
  sample: ["the archive was saved for the cluster production, and the target is staging"]
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
    - After a restore, what was written since is told apart by raft's indexes. It does not count as a difference, and
      C(written_since) names it.
  returned: success, but for check mode
  type: dict
  contains:
    written_since:
      description:
        - For each type, how many records were C(added), C(changed) and C(removed) since the restore, and the first
          C(names), ten at most and never values. Sessions are listed when they were created since.
        - What agents and leaders write by themselves is left out.
        - Only deleted keys leave a trace of their own. Other records count as removed when their table was written to
          since, and no other record explains that or users are writing to it.
        - Empty where nothing was restored.
      type: dict
      returned: always
    lost:
      description: Fields of the archive's records that the servers' version does not know, with names of the records.
      type: list
      elements: dict
      returned: when the content differs because of them
      contains:
        type: {description: Type of the records., type: str, returned: always}
        field: {description: Name of the field., type: str, returned: always}
        count: {description: Number of records., type: int, returned: always}
        names: {description: Names of the first ones., type: list, elements: str, returned: always}
    across_versions: {description: Whether the Consul versions of both differ., type: bool, returned: always}
    equal: {description: Whether all of it is the same., type: bool, returned: always}
    differs: {description: Types that differ., type: list, elements: str, returned: always}
    types:
      description: For each type the number of records in the archive and in the cluster, and whether they are the same.
      type: dict
      returned: always
  sample:
    across_versions: false
    differs: []
    equal: true
    types: {"KVS": {"archive": 1043, "cluster": 1043, "equal": true}}
servers_gone:
  description:
    - Servers of the cluster that the archive comes from. The leader removes their nodes from the catalog within a
      minute, with the services that ran at them, and nobody should wait for them.
  returned: when the cluster was restored, or may have been
  type: list
  elements: dict
  contains:
    node: {description: Name of the node., type: str, returned: always}
    services: {description: Names of its services., type: list, elements: str, returned: always}
  sample: [{"node": "old-server-1", "services": ["consul"]}]
agents_awaited:
  description:
    - Nodes of the archive that belong to agents which are not in the cluster's gossip pool, but for RV(servers_gone).
      The leader removes them from the catalog within a minute, and they come back when their agents join.
    - Null where the token may not see the members.
  returned: when the cluster was restored, or may have been
  type: list
  elements: dict
  contains:
    node: {description: Name of the node., type: str, returned: always}
    services: {description: Names of its services., type: list, elements: str, returned: always}
  sample: [{"node": "web-1", "services": ["web", "web-sidecar-proxy"]}]
next_steps:
  description: What is left to a person, in words, most urgent first.
  returned: when the cluster was restored, or may have been
  type: list
  elements: str
  sample:
    - "Tell those who hold tokens, sessions or locks that were created after the archive was taken: they are gone."
fingerprint:
  description: Digest of the archive's durable content.
  returned: success
  type: str
  sample: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
index:
  description: Raft index of the archive.
  returned: success
  type: int
  sample: 3135
cluster:
  description: Identity of the target before the restore.
  returned: success
  type: dict
  sample:
    consul_version: 1.22.7
    datacenter: dc1
    id: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
    name: production
    servers: [0f9a3c1e-7b7e-4f77-9a55-7a1c9cf0a111]
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
    kind: {description: A word for the kind of fault., type: str, returned: always}
    hint: {description: What to do about it., type: str, returned: always}
    state:
      description:
        - What is known of the cluster. V(nothing_sent) and V(rejected) leave it as it was; after V(replaced) it holds
          the archive's state; V(unknown) has to be looked at. Only after V(nothing_sent) and V(rejected) may the module
          be run again as it was.
      type: str
      returned: always
      choices: [nothing_sent, rejected, replaced, unknown]
    status: {description: HTTP status., type: int, returned: when Consul answered}
    url: {description: What was asked., type: str, returned: when there was a request}
    body: {description: Beginning of the answer's text., type: str, returned: when Consul answered}
    refused: {description: Names of the guards that refused., type: list, elements: str, returned: when guards refused}
    fault:
      description: The layer at which the archive stops being one; null when it is not the archive that was refused.
      type: str
      returned: when guards refused
    cause: {description: "What went wrong with the request, as in this dict.", type: dict, returned: when it was sent}
    proof:
      description: The comparison that was made, as in RV(proof).
      type: dict
      returned: when the cluster's content is not the archive's after the restore, or the cluster is not ready in time
    option: {description: Option to set., type: str, returned: when a token for after the restore is missing}
    path: {description: File or directory that is at fault., type: str, returned: when one is}
    library: {description: Python library that the host lacks., type: str, returned: when one is missing}
    place: {description: Place in the code to report., type: str, returned: when the collection has a defect}
  sample: {"hint": "Add replace_content to accept_risks.", "kind": "guard", "state": "nothing_sent"}
"""

from typing import Any

from ..module_utils._ansible.options import connection_spec
from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._errors import OptionError
from ..module_utils._operations.restore.guards import EXACT, RISKS, VERSION_CHECKS, warnings
from ..module_utils._operations.restore.result import Progress
from ..module_utils._operations.restore.run import RestoreRequest, restore

OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    "datacenter": {"type": "str"},
    "backup_dir": {"type": "path"},
    "cluster": {"type": "str"},
    "accept_risks": {"type": "list", "elements": "str", "choices": list(RISKS), "default": []},
    "post_restore_token": {"type": "str", "no_log": True},
    "wait_timeout": {"type": "int", "default": 120},
    "version_check": {"type": "str", "choices": list(VERSION_CHECKS), "default": EXACT},
}


def request_of(params: dict[str, Any]) -> RestoreRequest:
    if params["wait_timeout"] < 0:
        raise OptionError("wait_timeout is below zero", hint="Use zero or more.")
    return RestoreRequest(
        src=params["src"],
        datacenter=params["datacenter"] or None,
        backup_dir=params["backup_dir"] or None,
        accept_risks=tuple(params["accept_risks"]),
        wait_timeout=params["wait_timeout"],
        version_check=params["version_check"],
        cluster=params["cluster"] or None,
    )


def restore_archive(run: Run) -> dict[str, Any]:
    progress = Progress(run.warn)
    run.so_far = lambda: {"state": progress.state, "changed": progress.may_have_changed, **progress.result()}
    request = request_of(run.params)
    client = run.client()
    later = run.client_with_token(client, "post_restore_token")
    changed = restore(client, later, request, progress, check=run.check)
    for warning in warnings(progress.guards, request.version_check):
        run.warn(warning)
    return {"changed": changed, "src": request.src, **progress.result()}


def main() -> None:
    run_module(connection_spec(**OPTIONS), restore_archive)


if __name__ == "__main__":
    main()
