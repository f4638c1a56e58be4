#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_diff
short_description: Compare two archives of Consul's state, or an archive and a live cluster
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Says what was added, removed and changed between two archives, or since an archive was taken, by record type and by
    name. KV keys, nodes, services, checks, policies, roles, prepared queries, auth methods, peerings and config entries
    go by their names, intentions by source and destination, ACL tokens by their accessors.
  - That a value differs is said, what it is is not. No value, no secret and no digest of either is returned.
  - Compared is what users stored. Raft's indexes and who holds a lock never count as a change, and what Consul and
    its agents move by themselves only counts with O(volatile).
  - Both archives are verified to their last record, also ones that C(consul snapshot save) or Consul Enterprise's
    snapshot agent wrote. Where both have a manifest that fits, they were verified when they were taken, and the types
    whose fingerprints are equal are not read again.
notes:
  - Memory does not depend on the size of values and names, only on the number of records in O(before). Of each, 32
    bytes are kept, 16 of a digest of its name and 16 of one of its content. Names are kept for those alone that are
    listed, and for the services and checks of the one node that is being read. Nothing is written to disk.
  - Measured on two archives of 200,000 keys (80 MB each, Consul 1.22.7). The peak was 42 MiB, of which 7 MB are what is
    kept, 3.6 MB for each 100,000 records, and it took 9 seconds of one processor, four times as long as
    M(disaster_recovery.consul.snapshot_info) takes for one of them.
  - O(before) is read a second time when the names of removed records are wanted, which O(limit=0) saves. A live
    cluster is asked for one snapshot.
  - A record of a shape or type that this collection does not know is compared as the bytes that it is, and
    named by its place, as in C(#3 of Unknown(99)).
  - Ansible shows a diff only for tasks that changed something, which this one never does. Let
    C(changed_when) say otherwise, as in the examples, and C(--diff) prints a line for each name.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
  - ansible.builtin.action_common_attributes
requirements:
  - msgpack >= 1.0
attributes:
  check_mode:
    support: full
    details: This module does not modify state.
  diff_mode:
    support: full
    details: A line for each name that differs, O(limit) of each kind at most, never content.
  idempotent:
    support: full
options:
  before:
    description: The older archive, on the host the module runs on.
    type: path
    required: true
  after:
    description:
      - The newer archive, on the host the module runs on.
      - Without it a snapshot is taken from the live cluster and compared while it streams in; it is not kept. The
        connection options are used for that alone.
    type: path
  datacenter:
    description: The datacenter of the live cluster; by default that of the agent that is asked.
    type: str
  types:
    description:
      - Record types to compare, by the names that C(consul snapshot inspect) prints; by default all that hold
        what users stored. A volatile type, such as V(Session), is compared when it is named here.
    type: list
    elements: str
  prefix:
    description: Of KV keys, compare only those that begin with this. Other types are compared as ever.
    type: str
    default: ""
  limit:
    description:
      - Names to list at most of each type for each of added, removed and changed, the first in alphabetical order.
      - Counts are always whole. V(0) lists none and is the fastest.
    type: int
    default: 100
  volatile:
    description:
      - Whether to compare what Consul and its agents move by themselves, too, such as sessions, tombstones,
        coordinates, the nodes, services and checks of agents, and what was imported from peers.
    type: bool
    default: false
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_info
"""

EXAMPLES = r"""
- name: What changed between two nights?
  disaster_recovery.consul.snapshot_diff:
    before: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    after: /var/backups/consul/dc1-20261124T021500Z-3998.snap
  register: night
  changed_when: not night.equal # so that --diff shows the names

- name: What would a restore of this archive take back?
  disaster_recovery.consul.snapshot_diff:
    before: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    token_file: /etc/consul.d/snapshot.token
  register: since

- name: Nobody may have touched the payment keys since
  disaster_recovery.consul.snapshot_diff:
    before: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    token_file: /etc/consul.d/snapshot.token
    types: [KVS]
    prefix: payment/
  register: payment
  failed_when: payment is failed or not payment.equal
"""

RETURN = r"""
equal:
  description: Whether nothing that was compared differs.
  returned: success
  type: bool
  sample: false
summary:
  description: What differs, in one line.
  returned: success
  type: str
  sample: "ACLPolicy: 1 removed; KVS: 2 added, 1 changed"
types:
  description: What differs, by record type; of every type that was compared and that one of the two holds.
  returned: success
  type: dict
  contains:
    added:
      description: Number of records that only the newer state has.
      type: int
      returned: always
    removed:
      description: Number of records that only the older state has.
      type: int
      returned: always
    changed:
      description: Number of records that both have with different content.
      type: int
      returned: always
    names:
      description: The names of these, in lists C(added), C(removed) and C(changed).
      type: dict
      returned: always
    truncated:
      description: Whether there are more names than O(limit) let through.
      type: bool
      returned: always
  sample:
    KVS:
      added: 2
      changed: 1
      names: {"added": [app/config/x, app/config/z], "changed": [app/config/y], "removed": []}
      removed: 0
      truncated: false
quick:
  description: Whether the fingerprints of the two manifests were enough, so that no record was read.
  returned: success
  type: bool
  sample: false
before:
  description: The older state.
  returned: success
  type: dict
  contains:
    path:
      description: The archive; null for the live cluster.
      type: str
      returned: always
    index:
      description: Its raft index.
      type: int
      returned: always
    cluster:
      description: What is known of the cluster it is from, as C(datacenter), C(id) and C(consul_version).
      type: dict
      returned: always
    taken_at:
      description: When the server took it, in UTC; null when the archive does not say.
      type: str
      returned: always
    fingerprint:
      description: Digest of its durable content, equal for equal content.
      type: str
      returned: always
  sample:
    cluster: {"consul_version": "1.22.7", "datacenter": "dc1", "id": "f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11"}
    fingerprint: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
    index: 3135
    path: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    taken_at: "2026-11-23T02:15:00Z"
after:
  description: The newer state, described like RV(before).
  returned: success
  type: dict
  sample:
    cluster: {"consul_version": "1.22.7", "datacenter": "dc1", "id": "f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11"}
    fingerprint: v2:0d5cf26f1d0f4c5b9ab1f6a6f3c6e0b7
    index: 3998
    path: null
    taken_at: "2026-11-24T02:15:00Z"
failure:
  description: What went wrong, for a playbook to decide on.
  returned: failure
  type: dict
  contains:
    kind:
      description: A word for the kind of fault; V(archive) when one of the archives does not verify.
      type: str
      returned: always
    hint:
      description: What to do about it.
      type: str
      returned: always
    path:
      description: The archive.
      type: str
      returned: when it is about one of the two files
    fault:
      description: The layer at which the archive stops being one.
      type: str
      returned: when an archive does not verify
  sample: {"fault": "truncated", "hint": "The archive was cut short.", "kind": "archive", "path": "/var/backups/x.snap"}
"""

import re
from dataclasses import asdict
from typing import Any

from ..module_utils._ansible.options import connection_spec
from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._compare.diff_text import diff_of, summary_of
from ..module_utils._compare.record_diff import Selection
from ..module_utils._errors import OptionError
from ..module_utils._model.record_types import KINDS
from ..module_utils._operations.diff import DiffRequest, DiffResult, Side, compare
from ..module_utils._times import to_text

OPTIONS: dict[str, dict[str, Any]] = {
    "before": {"type": "path", "required": True},
    "after": {"type": "path"},
    "datacenter": {"type": "str"},
    "types": {"type": "list", "elements": "str"},
    "prefix": {"type": "str", "default": ""},
    "limit": {"type": "int", "default": 100},
    "volatile": {"type": "bool", "default": False},
}

UNNAMED_TYPE = re.compile(r"Unknown\(\d{1,3}\)")


def request_of(params: dict[str, Any]) -> DiffRequest:
    types = params["types"]
    known = {kind.name for kind in KINDS.values()}
    strange = sorted(name for name in types or () if name not in known and not UNNAMED_TYPE.fullmatch(name))
    if strange:
        raise OptionError(
            f"types: there is no record type {strange[0]!r}", hint=f"Choose from {', '.join(sorted(known))}."
        )
    if params["limit"] < 0:
        raise OptionError("limit is below zero", hint="Use zero for no names, or more.")
    return DiffRequest(
        before=params["before"],
        after=params["after"] or None,
        datacenter=params["datacenter"] or None,
        selection=Selection(frozenset(types) if types else None, params["prefix"].encode(), params["volatile"]),
        limit=params["limit"],
    )


def result_of(compared: DiffResult) -> dict[str, Any]:
    return {
        "equal": compared.equal,
        "summary": summary_of(compared.types),
        "types": {name: {**asdict(change), "truncated": change.truncated} for name, change in compared.types.items()},
        "quick": compared.quick,
        "before": described(compared.before),
        "after": described(compared.after),
    }


def described(side: Side) -> dict[str, Any]:
    return {
        "path": side.path,
        "index": side.index,
        "cluster": side.cluster.as_origin(),
        "taken_at": to_text(side.taken_at),
        "fingerprint": side.fingerprint.overall,
    }


def header(side: Side) -> str:
    return f"{side.path or 'the live cluster'} (index {side.index})"


def compare_states(run: Run) -> dict[str, Any]:
    request = request_of(run.params)
    with run.journal.phase("compare"):
        compared = compare(request, run.client, run.journal.again)
    result = result_of(compared)
    if run.diff:
        result["diff"] = diff_of(compared.types, before=header(compared.before), after=header(compared.after))
    return result


def main() -> None:
    run_module(connection_spec(**OPTIONS), compare_states)


if __name__ == "__main__":
    main()
