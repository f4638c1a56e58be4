#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_restore
short_description: Restore a Consul cluster from an archive
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - A restore replaces everything in a cluster. This module verifies the archive, examines the target and runs all
    guards before it sends anything. Afterwards it waits for the leader and proves that the cluster holds the archive's
    content.
  - A cluster that already holds the archive's content is not restored.
  - If the target holds anything that users stored, the restore is refused, unless O(accept_risks) allows to replace it.
    Then the state of the target is saved and verified first. Data that is written after that save and before the
    restore takes effect, within the seconds of the upload, is in neither archive. Stop the writers if that matters.
  - Clients may write during and after the restore. RV(proof) names what they wrote since; it is not a failure.
  - RV(ignore:changed) is true as soon as the cluster's content was replaced, or may have been, even if the module fails
    afterwards. An archive is never sent twice.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
  - disaster_recovery.consul.store
  - disaster_recovery.consul.sealing
  - disaster_recovery.consul.sealing.write
  - disaster_recovery.consul.sealing.read
requirements:
  - msgpack >= 1.0
attributes:
  check_mode:
    support: full
    details: Does everything up to the first byte that would be sent, including all guards. Writes nothing.
  diff_mode:
    support: full
    details: Shows metadata (records by type, fingerprint), never content.
  idempotent:
    support: full
options:
  src:
    description:
      - Archive on the host the module runs on, or its URL in a store. It may come from this collection, from
        C(consul snapshot save) or from Consul Enterprise's snapshot agent.
      - An archive with a matching manifest next to it was verified when it was taken. Its records are not all read
        again if an allowed signer signed the manifest, or if only this user or root can write it (docs/guards.md).
      - An archive in a bucket, or an encrypted one, is copied to O(work_dir), verified, and sent from there.
    type: path
    required: true
  datacenter:
    description: Datacenter to restore. By default, the datacenter of the agent that is asked.
    type: str
  backup_dir:
    description:
      - Directory, or URL of a store, for the safety archive of the content that is replaced. A directory that does not
        exist is created with mode V(0700), except in check mode.
      - Required when the target is not fresh and O(accept_risks) contains V(replace_content).
    type: path
  work_dir:
    description:
      - Directory for the private copy of an archive that is in a bucket or encrypted. It has no name there, and is
        gone even if the module is killed. By default, the system's directory for temporary files.
    type: path
  cluster:
    description:
      - Name of the cluster that is restored, as in O(disaster_recovery.consul.snapshot_save#module:cluster).
      - The safety archive is saved under this name. If the manifest of O(src) names another cluster, RV(remarks) and a
        warning say so. The restore is not refused, because an archive may be meant for another cluster.
    type: str
  accept_risks:
    description:
      - Risks to accept, by name. RV(guards) says what each guard found and what the restore would do to the cluster.
      - V(unsigned_archive) restores an archive that nobody in O(allowed_signers) signed.
      - V(unhealthy_target) restores even if a server is down or autopilot reports the cluster as unhealthy.
      - V(replace_content) restores even if the target holds content. The content is saved to O(backup_dir) first.
      - V(other_datacenter) restores an archive of another datacenter. Externally registered nodes keep that datacenter.
      - V(other_version) restores an archive of another version than O(version_check) allows. See RV(proof).
      - V(critical_findings) restores an archive with findings that stop servers of other versions, into a version that
        was not tested with them. If servers of the same version are known to stop, the risk can't be accepted.
      - V(active_peering) restores peerings even though this cluster will dial the peers instead of the cluster that the
        archive was taken from.
      - V(token_loss) restores even if no provided token is in the archive or in the servers' configuration.
      - V(node_conflict) restores even if live agents have names that the archive holds under other node ids. Deregister
        these names afterwards; RV(next_steps) contains the command.
      - No risk can be accepted for an archive that does not verify, for a token that may not restore, for a cluster
        without a leader, or for records that the servers can't read, which would crash them at every start.
    type: list
    elements: str
    choices: [unsigned_archive, unhealthy_target, replace_content, other_datacenter, other_version, critical_findings,
      active_peering, token_loss, node_conflict]
    default: []
  version_check:
    description:
      - How closely the Consul version of the archive must match that of the servers. Consul supports a restore into the
        same version only.
      - V(exact) requires the same version, V(minor) the same major and minor version (1.22), V(off) checks nothing.
      - If one of the versions is not known, the module warns.
      - An archive with records that the servers can't read is always refused.
    type: str
    choices: [exact, minor, 'off']
    default: exact
  post_restore_token:
    description:
      - Token to use after the restore, when the cluster's tokens are those of the archive. By default, the connection's
        token, which works only if it is in the archive or in the servers' configuration.
      - If only one of the two tokens survives the restore, that one is used.
      - If the cluster does not know the connection's token, this token is used from the start. The same task can then
        be run again after a restore, and reports that there is nothing to do.
    type: str
  wait_timeout:
    description:
      - Seconds to wait after the restore until there is a leader, a token is accepted, and every server that was
        healthy before is alive in the gossip pool, healthy in autopilot and holds the restored state.
      - All of this is read from the agent of the connection, as far as the token may read it.
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

- name: Go back to an older state, and keep an archive of the current one
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/before-the-mistake.snap
    token: "{{ consul_management_token }}"
    backup_dir: /var/backups/consul/replaced
    accept_risks: [replace_content]

- name: Restore a lost cluster to new servers that have the names of the old ones
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    token: "{{ new_cluster_management_token }}"
    post_restore_token: "{{ old_cluster_management_token }}"
    accept_risks: [node_conflict]
  register: rebuilt  # rebuilt.next_steps lists what is left to do

- name: Check what would prevent a restore, without changing anything
  disaster_recovery.consul.snapshot_restore:
    src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
  check_mode: true
"""

RETURN = r"""
src: {description: The archive., returned: success, type: str, sample: /backups/dc1-20261123T021500Z-3135.snap}
reason: {description: Why it was restored or not., returned: success, type: str, sample: the cluster is fresh}
guards:
  description: The results of all guards, in the order of their checks.
  returned: success, and failure once the archive was read
  type: list
  elements: dict
  contains:
    name: {description: Name of the guard., type: str, returned: always}
    status:
      description: Its result.
      type: str
      returned: always
      choices: [passed, accepted, refused, not_checked]
    detail: {description: "What it found and, if it refused, what to do.", type: str, returned: always}
    risk: {description: Name to add to O(accept_risks); null if there is none., type: str, returned: always}
  sample:
    - {"detail": "the archive verifies", "name": "archive", "risk": null, "status": "passed"}
remarks:
  description: What you should know before a restore, but what does not refuse it. Each one is a warning, too.
  returned: always
  type: list
  elements: str
  sample: ["the archive was saved for the cluster production, and the target is staging"]
backup_file:
  description: The safety archive of the content that was replaced; null when nothing was replaced.
  returned: success, and failure once it was taken
  type: str
  sample: /var/backups/consul/replaced/dc1-20261123T021500Z-3135.snap
proof:
  description:
    - Comparison, by type, of the cluster's durable content with the archive's, after the restore or, if none was
      needed, instead of it.
    - Records that a leader creates itself when they are missing do not count as a difference, for example builtin
      policies when ACLs were off at the time of the archive, or a CA when Connect was off.
    - Across Consul versions, names are compared, and content as far as both versions know it, because a newer Consul
      writes the same things in another form.
    - After a restore, records that were written since are recognized by their Raft index. They do not count as a
      difference, and C(written_since) lists them.
  returned: success, but for check mode
  type: dict
  contains:
    written_since:
      description:
        - For each type, how many records were C(added), C(changed) and C(removed) since the restore, and up to ten
          C(names), never values. Sessions are listed if they were created since.
        - Records that agents and leaders write by themselves are left out.
        - Only deleted keys leave a trace of their own. Another record counts as removed if its table was written to
          since, and no other record explains that or users are writing to the table.
        - Empty if nothing was restored.
      type: dict
      returned: always
    lost:
      description: Fields in the archive that the servers' version does not know, with the names of the records.
      type: list
      elements: dict
      returned: when they make the content differ
      contains:
        type: {description: Type of the records., type: str, returned: always}
        field: {description: Name of the field., type: str, returned: always}
        count: {description: Number of records., type: int, returned: always}
        names: {description: Names of the first of them., type: list, elements: str, returned: always}
    across_versions: {description: Whether the Consul versions differ., type: bool, returned: always}
    equal: {description: Whether all content is equal., type: bool, returned: always}
    differs: {description: Types that differ., type: list, elements: str, returned: always}
    types:
      description: For each type, the number of records in the archive and in the cluster, and whether they are equal.
      type: dict
      returned: always
  sample:
    across_versions: false
    differs: []
    equal: true
    types: {"KVS": {"archive": 1043, "cluster": 1043, "equal": true}}
servers_gone:
  description:
    - Servers of the archive's cluster that are not in this one. Within a minute, the leader removes their nodes and the
      services on them from the catalog. Do not wait for them.
  returned: when the cluster was restored, or may have been
  type: list
  elements: dict
  contains:
    node: {description: Name of the node., type: str, returned: always}
    services: {description: Names of the services on it., type: list, elements: str, returned: always}
  sample: [{"node": "old-server-1", "services": ["consul"]}]
agents_awaited:
  description:
    - Nodes of the archive whose agents are not in the cluster's gossip pool, except RV(servers_gone). Within a minute,
      the leader removes them from the catalog. They return when their agents join.
    - Null if the token may not read the members.
  returned: when the cluster was restored, or may have been
  type: list
  elements: dict
  contains:
    node: {description: Name of the node., type: str, returned: always}
    services: {description: Names of the services on it., type: list, elements: str, returned: always}
  sample: [{"node": "web-1", "services": ["web", "web-sidecar-proxy"]}]
next_steps:
  description:
    - What is left for you to do, most urgent first.
    - Peerings that the cluster dialled before are named here if they are not connected ten seconds after the proof.
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
sealed: {description: Whether O(identity_file) opened it., returned: success, type: bool}
signed_by: {description: "The allowed signer of its manifest, or null.", returned: success, type: str}
download:
  description: C(bytes) that the private copy takes at most, and its C(directory).
  returned: for an archive in a bucket, or an encrypted one
  type: dict
index: {description: Raft index of the archive., returned: success, type: int, sample: 3135}
cluster:
  description: Identity of the target before the restore.
  returned: success
  type: dict
  sample: {"consul_version": "1.22.7", "datacenter": "dc1", "id": "f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11"}
attempts:
  description: Failed attempts that were followed by another one.
  returned: always
  type: list
  elements: str
duration:
  description: Seconds by phase, and their sum as C(total).
  returned: always
  type: dict
  sample: {"proof": 0.3, "restore": 2.7, "target": 0.2, "total": 5.1, "verify": 0.1, "wait": 1.8}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      returned: always
      choices: [acl_disabled, api, archive, bad_archive, connection, datacenter_down, defect, endpoint_blocked, error,
        file, guard, interrupted, leader_not_ready, missing_library, no_leader, no_quorum, not_found, option,
        permission_denied, proxy_auth, rate_limited, redirected, restore, sealed, server_error, signature, store,
        store_credentials, store_denied, store_exists, store_missing, store_unavailable, token_unknown, too_early,
        too_large, unavailable, unknown_datacenter, write_restricted, wrong_scheme]
    hint: {description: What to do next., type: str, returned: always}
    state:
      description:
        - What is known about the cluster. After V(nothing_sent) and V(rejected) it is unchanged, and the task can be
          run again as it is. After V(replaced) it holds the archive's state. After V(unknown), look at the cluster
          first.
      type: str
      returned: always
      choices: [nothing_sent, rejected, replaced, unknown]
    status: {description: HTTP status., type: int, returned: when Consul answered}
    url: {description: URL of the request., type: str, returned: when there was a request}
    body: {description: Beginning of the response body., type: str, returned: when Consul answered}
    refused: {description: Names of the guards that refused., type: list, elements: str, returned: when guards refused}
    fault:
      description: The layer of the archive that is invalid; null when it was not the archive that was refused.
      type: str
      returned: when guards refused
    cause: {description: "What went wrong with the request, as in this dict.", type: dict, returned: when it was sent}
    proof:
      description: The comparison, as in RV(proof).
      type: dict
      returned: when the cluster's content differs after the restore, or the cluster is not ready in time
    option: {description: The option to set., type: str, returned: when a token for after the restore is missing}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    library: {description: The missing Python library., type: str, returned: when one is missing}
    operation: {description: The store's operation that failed., type: str, returned: when a store refused it}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Add replace_content to accept_risks.", "kind": "guard", "state": "nothing_sent"}
"""

from typing import Any

from ..module_utils._ansible.options import connection_spec
from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import SEALING_READ_OPTIONS, SEALING_WRITE_OPTIONS, STORE_OPTIONS
from ..module_utils._errors import OptionError
from ..module_utils._operations.journal import Journal
from ..module_utils._operations.restore.guards import EXACT, RISKS, VERSION_CHECKS
from ..module_utils._operations.restore.result import result_of
from ..module_utils._operations.restore.run import restore
from ..module_utils._operations.restore.sides import RestoreRequest
from ..module_utils._operations.restore.states import NOTHING_SENT, may_have_changed

OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **SEALING_READ_OPTIONS,
    **SEALING_WRITE_OPTIONS,
    "datacenter": {"type": "str"},
    "backup_dir": {"type": "path"},
    "cluster": {"type": "str"},
    "work_dir": {"type": "path"},
    "accept_risks": {"type": "list", "elements": "str", "choices": list(RISKS), "default": []},
    "post_restore_token": {"type": "str", "no_log": True},
    "wait_timeout": {"type": "int", "default": 120},
    "version_check": {"type": "str", "choices": list(VERSION_CHECKS), "default": EXACT},
}


def request_of(run: Run) -> RestoreRequest:
    params = run.params
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
        store=run.store_settings(places=("src", "backup_dir")),
        sealing=run.sealing_settings(),
        work_dir=params["work_dir"] or None,
    )


def so_far(journal: Journal) -> dict[str, Any]:
    """Return what a result says of a restore at any moment, with the ``state`` of the cluster."""
    state = journal.state or NOTHING_SENT
    return {**result_of(journal.shown, state), "state": state, "changed": may_have_changed(state)}


def restore_archive(run: Run) -> dict[str, Any]:
    run.so_far = lambda: so_far(run.journal)
    request = request_of(run)
    client = run.client()
    later = run.client_with_token(client, "post_restore_token")
    changed = restore(client, later, request, run.journal, check=run.check)
    result = result_of(run.journal.shown, run.journal.state or NOTHING_SENT)
    return {**result, "changed": changed, "src": request.src}


def main() -> None:
    run_module(connection_spec(**OPTIONS), restore_archive)


if __name__ == "__main__":
    main()
