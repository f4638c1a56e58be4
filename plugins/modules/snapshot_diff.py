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
  - Reports what was added, removed and changed between two archives, or since an archive was taken, by record type and
    name. KV keys, nodes, services, checks, policies, roles, prepared queries, auth methods, peerings and config entries
    are listed by name, intentions by source and destination, ACL tokens by accessor.
  - Reports that a value differs, never the value. No value, no secret and no digest of either is returned.
  - Compares what users stored. Raft indexes and the holders of locks never count as a change. Records that Consul and
    its agents change by themselves count only with O(volatile).
  - Verifies both archives to their last record, including those of C(consul snapshot save) and of Consul Enterprise's
    snapshot agent. If both have a matching manifest, they were verified when they were taken, and types with equal
    fingerprints are not read again.
notes:
  - Memory depends only on the number of records, not on the size of values. For each record of either state, 16 bytes
    of a digest of its content and its compressed name are kept. Nothing is written to disk.
  - Both states are read at once, each by one process, on a host with more than one processor. Each archive is read
    once, and a live cluster is asked for one snapshot.
  - A record of a shape or type that this collection does not know is compared byte by byte and named by its position,
    as in C(#3 of Unknown(99)).
  - Ansible shows a diff only for tasks that report a change, which this module never does. Set C(changed_when) as in
    the examples, and C(--diff) prints a line for each name.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
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
    support: full
    details: Shows a line for each name that differs, up to O(limit) of each kind, never content.
  idempotent:
    support: full
options:
  before:
    description: The older archive, on the host the module runs on, or its URL in a store.
    type: path
    required: true
  after:
    description:
      - The newer archive, on the host the module runs on, or its URL in a store.
      - By default, a snapshot of the live cluster is taken, compared while it is downloaded, and not kept. The
        connection options are used only for that.
    type: path
  datacenter:
    description: Datacenter of the live cluster. By default, the datacenter of the agent that is asked.
    type: str
  types:
    description:
      - Record types to compare, by the names that C(consul snapshot inspect) prints. By default, all types that hold
        what users stored. A volatile type, such as V(Session), is compared if it is named here.
    type: list
    elements: str
  prefix:
    description: Compare only KV keys with this prefix. Other types are not affected.
    type: str
    default: ""
  limit:
    description:
      - Maximum number of names to list, for each type and for each of added, removed and changed, in alphabetical
        order.
      - Counts are always complete. V(0) lists no names.
    type: int
    default: 100
  volatile:
    description:
      - Also compare what Consul and its agents change by themselves, such as sessions, tombstones, coordinates, the
        nodes, services and checks of agents, and what was imported from peers.
    type: bool
    default: false
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_info
"""

EXAMPLES = r"""
- name: Show what changed between two nights
  disaster_recovery.consul.snapshot_diff:
    before: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    after: /var/backups/consul/dc1-20261124T021500Z-3998.snap
  register: night
  changed_when: not night.equal # so that --diff shows the names

- name: Show what a restore of this archive would undo
  disaster_recovery.consul.snapshot_diff:
    before: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    token_file: /etc/consul.d/snapshot.token
  register: since

- name: Fail if a payment key has changed since
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
  description: Whether everything that was compared is equal.
  returned: success
  type: bool
  sample: false
summary:
  description: The differences in one line.
  returned: success
  type: str
  sample: "ACLPolicy: 1 removed; KVS: 2 added, 1 changed"
types:
  description: The differences by record type, for every compared type that is in at least one of the two states.
  returned: success
  type: dict
  contains:
    added:
      description: Number of records that only the newer state contains.
      type: int
      returned: always
    removed:
      description: Number of records that only the older state contains.
      type: int
      returned: always
    changed:
      description: Number of records that both contain, with different content.
      type: int
      returned: always
    names:
      description: Their names, in the lists C(added), C(removed) and C(changed).
      type: dict
      returned: always
    truncated:
      description: Whether there are more names than O(limit) allows.
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
  description: Whether the fingerprints in the two manifests sufficed, so that no record was read.
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
      description: Its Raft index.
      type: int
      returned: always
    cluster:
      description: The cluster it was taken from, as C(datacenter), C(id) and C(consul_version).
      type: dict
      returned: always
    taken_at:
      description: When the server took it, in UTC; null if the archive does not tell.
      type: str
      returned: always
    fingerprint:
      description: Digest of its durable content, equal for equal content.
      type: str
      returned: always
    sealed:
      description: Whether the archive was encrypted. O(identity_file) has opened it then.
      returned: for an archive
      type: bool
    signed:
      description: Whether a signature lies next to the manifest. By itself it proves nothing.
      returned: for an archive
      type: bool
    signed_by:
      description: Who signed the manifest, as O(allowed_signers) names the key; null if no allowed signer did.
      returned: for an archive
      type: str
    signature_fault:
      description: Why no signer in O(allowed_signers) vouches for the archive, or null.
      returned: for an archive
      type: str
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
  sample: {"compare": 9.1, "total": 9.1}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure; V(archive) when an archive does not verify.
      type: str
      returned: always
      choices: [acl_disabled, api, archive, bad_archive, connection, datacenter_down, defect, endpoint_blocked, error,
        file, interrupted, leader_not_ready, missing_library, no_leader, no_quorum, not_found, option,
        permission_denied, proxy_auth, rate_limited, redirected, sealed, server_error, signature, store,
        store_credentials, store_denied, store_missing, store_unavailable, token_unknown, too_early, too_large,
        unavailable, unknown_datacenter, write_restricted, wrong_scheme]
    hint:
      description: What to do next.
      type: str
      returned: always
    path:
      description: The archive.
      type: str
      returned: when it concerns one of the two files
    fault:
      description: The layer of the archive that is invalid.
      type: str
      returned: when an archive does not verify
    library: {description: The missing Python library., type: str, returned: when one is missing}
    operation: {description: The store's operation that failed., type: str, returned: when a store refused it}
  sample: {"fault": "truncated", "hint": "The archive was cut short.", "kind": "archive", "path": "/var/backups/x.snap"}
"""

import re
from dataclasses import asdict
from typing import Any

from ..module_utils._ansible.options import connection_spec
from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import SEALING_READ_OPTIONS, STORE_OPTIONS
from ..module_utils._compare.diff_text import diff_of, summary_of
from ..module_utils._compare.record_diff import Selection
from ..module_utils._errors import OptionError
from ..module_utils._model.record_types import KINDS
from ..module_utils._operations.diff import DiffRequest, DiffResult, Side, compare
from ..module_utils._times import to_text

OPTIONS: dict[str, dict[str, Any]] = {
    "before": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **SEALING_READ_OPTIONS,
    "after": {"type": "path"},
    "datacenter": {"type": "str"},
    "types": {"type": "list", "elements": "str"},
    "prefix": {"type": "str", "default": ""},
    "limit": {"type": "int", "default": 100},
    "volatile": {"type": "bool", "default": False},
}

UNNAMED_TYPE = re.compile(r"Unknown\(\d{1,3}\)")


def request_of(run: Run) -> DiffRequest:
    params = run.params
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
        store=run.store_settings(places=("before", "after")),
        sealing=run.sealing_settings(),
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
        **side.storing,
    }


def header(side: Side) -> str:
    return f"{side.path or 'the live cluster'} (index {side.index})"


def compare_states(run: Run) -> dict[str, Any]:
    request = request_of(run)
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
