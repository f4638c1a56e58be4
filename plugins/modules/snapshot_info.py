#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_info
short_description: Verify and describe an archive of Consul's state
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Reads an archive to its last record and describes its content. Consul is not contacted and need not be installed.
  - Reads any archive, including those of C(consul snapshot save) and of Consul Enterprise's snapshot agent.
  - Also finds what will not restore well, into any version of Consul or into O(target_version). To do so, it keeps the
    names of all nodes, and a number for each other record that is not a key, in memory while it reads.
  - Returns only names and numbers, never a key's value or a secret.
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.store
  - disaster_recovery.consul.sealing
  - disaster_recovery.consul.sealing.read
  - ansible.builtin.action_common_attributes
requirements:
  - msgpack >= 1.0
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
  path:
    description: The archive, on the host the module runs on, or its URL in a store.
    type: path
    required: true
  kv_depth:
    description:
      - Number of path segments by which keys are grouped in RV(kv_prefixes). V(0) leaves it empty and is fastest.
    type: int
    default: 2
  kv_prefix:
    description: Count only keys with this prefix in RV(kv_prefixes).
    type: str
    default: ""
  target_version:
    description:
      - Consul version that the archive will be restored into, for example V(1.22.7), or V(1.22.7+ent) for Consul
        Enterprise. RV(findings) are rated for this version.
    type: str
    version_added: 0.1.0
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_restore
"""

EXAMPLES = r"""
- name: Verify an archive and describe it
  disaster_recovery.consul.snapshot_info:
    path: /var/backups/consul/dc1-20261123T021500Z-3135.snap
  register: archive

- name: Require what a good backup must contain
  ansible.builtin.assert:
    that:
      - archive.records.KVS.count > 1000
      - archive.origin.datacenter == "dc1"
    fail_msg: "{{ archive.path }} is not the backup it should be"

- name: Check it for the next version of Consul
  disaster_recovery.consul.snapshot_info:
    path: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    target_version: 1.22.7
  register: archive

- name: Require an archive that does not crash servers of that version
  ansible.builtin.assert:
    that: archive.findings | selectattr("severity", "eq", "critical") | length == 0
    fail_msg: "{{ archive.findings | map(attribute='sentence') | join(' ') }}"
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap
size:
  description: Size in bytes of what Consul wrote. If RV(sealed), RV(stored) describes the encrypted bytes.
  returned: success
  type: int
  sample: 81930112
stored:
  description: C(size) and C(sha256) of the bytes as they are stored.
  returned: success
  type: dict
sealed:
  description: Whether the archive was encrypted. O(identity_file) has opened it then.
  returned: success
  type: bool
signed:
  description: Whether a signature lies next to the manifest. By itself it proves nothing.
  returned: success
  type: bool
signed_by:
  description: Who signed the manifest, as O(allowed_signers) names the key; null if no allowed signer did.
  returned: success
  type: str
signature_fault:
  description: Why no signer in O(allowed_signers) vouches for the archive, or null.
  returned: success
  type: str
sha256:
  description: Its SHA-256 checksum.
  returned: success
  type: str
  sample: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
verified:
  description: Always true. If an archive does not verify, the module fails and tells which layer is invalid.
  returned: success
  type: bool
  sample: true
meta:
  description: The content of its C(meta.json).
  returned: success
  type: dict
  contains:
    id: {description: Raft's name for the snapshot., type: str, returned: always}
    index: {description: Raft index., type: int, returned: always}
    term: {description: Raft term., type: int, returned: always}
    version:
      description: Version of raft's snapshot format.
      type: int
      returned: always
    size:
      description: Bytes of the state inside.
      type: int
      returned: always
    servers:
      description: The Raft servers at that time, each with C(id), C(address) and C(suffrage).
      type: list
      elements: dict
      returned: always
  sample: {"id": "2-3135-1795400100000", "index": 3135, "servers": [], "size": 225000000, "term": 2, "version": 1}
taken_at:
  description: When the server took it, in UTC; null if the archive does not tell.
  returned: success
  type: str
  sample: "2026-11-23T02:15:00Z"
origin:
  description: The cluster it was taken from, according to its records. Values that they do not contain are null.
  returned: success
  type: dict
  sample: {"consul_version": "1.22.7", "datacenter": "dc1", "id": "f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11"}
records:
  description: Number of records and their size in bytes, by type, as C(consul snapshot inspect) counts them.
  returned: success
  type: dict
  sample: {"ACLToken": {"count": 12, "size": 5321}, "KVS": {"count": 1043, "size": 1220411}}
total_size:
  description: Size of all records in bytes.
  returned: success
  type: int
  sample: 1225732
kv_prefixes:
  description: Number of keys and their size in bytes, by prefix of O(kv_depth) segments, the largest first.
  returned: success
  type: list
  elements: dict
  sample: [{"count": 1000, "prefix": "app/config", "size": 1200000}]
findings:
  description:
    - What will not restore well, the most severe first. Most archives have none, except those of severity V(info).
    - Expiry times are compared with the clock of the host the module runs on.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name, for a playbook to act on.
      type: str
      returned: always
      choices:
        - node_names_differ_in_case
        - token_without_accessor
        - unreadable_record
        - check_without_service
        - check_of_another_node
        - session_ttl_invalid
        - builtin_policy_name_taken
        - unrestorable_records
        - ca_provider_empty
        - ca_provider_external
        - ca_certificate_expired
        - binding_rule_without_method
        - token_without_method
        - legacy_token
        - token_expired
        - session_without_node
        - unnamed_records
        - doubled_record
        - acl_link_missing
        - peering_dials
        - services_of_agents
    severity:
      description:
        - V(critical) if servers crash while they restore it or can't serve afterwards, V(warning) if it is restored but
          something will not work, V(info) if it is as expected and good to know.
        - Without O(target_version), the severity in the versions that the finding affects. With it, the severity in
          that version, and V(info) if the finding has no effect there.
      type: str
      returned: always
      choices: [critical, warning, info]
    effect:
      description:
        - V(seen) if O(target_version) was observed to do what RV(findings[].sentence) says, V(untested) if that version
          was not tested and may be affected, V(none) if the finding has no effect there.
        - It is null without O(target_version).
      type: str
      returned: always
      choices: [seen, untested, none]
    sentence: {description: What it means., type: str, returned: always}
    count: {description: Number of records or names concerned., type: int, returned: always}
    names:
      description:
        - Up to 20 of their names. Tokens are named by their accessors, sessions by their nodes. A missing reference is
          listed once, by the name of what is missing. V(unreadable_record) lists the type, the record's number among
          those of its type, and the field.
      type: list
      elements: str
      returned: always
  sample:
    - count: 2
      effect: null
      name: token_expired
      names: [2f6a8c1e-7b7d-4a52-9a53-2d0f5b1a7c11, 7d0c4bb0-5c0e-4d0e-8f0f-0a5c9d1f6e22]
      sentence: ACL tokens have expired. They are restored and then removed; clients that use one need a new token.
      severity: warning
peerings:
  description: The peerings in it.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Its id., type: str, returned: always}
    name: {description: Its name in the cluster of the archive., type: str, returned: always}
    state: {description: Its state when the archive was taken., type: str, returned: always}
    dials: {description: Whether a cluster that restores the archive dials this peer., type: bool, returned: always}
  sample: [{"dials": true, "id": "c26c7ef4-6a0c-4c0f-8d07-4d5b2b1f9e10", "name": "east", "state": "ACTIVE"}]
fingerprint:
  description: Digest of its durable content, equal for equal content.
  returned: success
  type: str
  sample: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
manifest:
  description: The manifest next to it.
  returned: success
  type: dict
  contains:
    path:
      description: Its path or URL, whether it exists or not.
      type: str
      returned: always
    status:
      description:
        - V(matches) if it belongs to this archive, V(absent) if there is none, V(stale) if it belongs to other bytes,
          V(unreadable) if it can't be parsed.
      type: str
      returned: always
      choices: [matches, absent, stale, unreadable]
    confirmed_at:
      description: When the content was last confirmed to be that of the cluster.
      type: str
      returned: when it matches
  sample: {"path": "/backups/x.snap.manifest.json", "status": "matches", "confirmed_at": "2026-11-23T02:15:00Z"}
attempts:
  description: Failed attempts that were followed by another one.
  returned: always
  type: list
  elements: str
  sample: []
duration:
  description: Seconds by phase, and their sum as C(total).
  returned: always
  type: dict
  sample: {"read": 2.3, "total": 2.3}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure; V(archive) when the archive does not verify.
      type: str
      returned: always
      choices: [archive, defect, error, file, interrupted, missing_library, option, sealed, signature, store,
        store_credentials, store_denied, store_missing, store_unavailable]
    hint:
      description: What to do next.
      type: str
      returned: always
    fault:
      description: The layer of the archive that is invalid.
      type: str
      returned: when the archive does not verify
    path:
      description: File or directory concerned.
      type: str
      returned: when there is one
    library:
      description: The Python library that is missing on the host the module runs on.
      type: str
      returned: when one is missing
    operation:
      description: The store's operation that failed.
      type: str
      returned: when a store refused it
    place:
      description: Place in the code to report.
      type: str
      returned: after a defect of the collection
  sample: {"fault": "truncated", "hint": "The archive was cut short.", "kind": "archive"}
"""

from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import SEALING_READ_OPTIONS, STORE_OPTIONS
from ..module_utils._errors import OptionError
from ..module_utils._model.versions import series_of
from ..module_utils._operations.describe import DescribeRequest, describe, result_of

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **SEALING_READ_OPTIONS,
    "kv_depth": {"type": "int", "default": 2},
    "kv_prefix": {"type": "str", "default": "", "no_log": False},
    "target_version": {"type": "str"},
}


def request_of(run: Run) -> DescribeRequest:
    params = run.params
    if params["kv_depth"] < 0:
        raise OptionError("kv_depth is below zero", hint="Use zero for no prefixes, or more.")
    target = params["target_version"] or None
    if target and series_of(target) is None:
        raise OptionError(f"target_version is not a version: {target!r}", hint="Write it as 1.22.7 or 1.22.7+ent.")
    told = params["path"], params["kv_depth"], params["kv_prefix"], target
    return DescribeRequest(*told, run.store_settings(places=("path",)), run.sealing_settings())


def main() -> None:
    run_module({"argument_spec": OPTIONS}, lambda run: result_of(describe(request_of(run), run.journal)))


if __name__ == "__main__":
    main()
