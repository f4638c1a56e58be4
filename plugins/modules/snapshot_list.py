#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_list
short_description: List the archives of Consul's state in a directory or a bucket
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Lists the archives of all clusters, or of one, in a directory of the host the module runs on
    or in a bucket, the newest first.
  - Reads the manifests of the archives. If an archive has no manifest, or one from before manifests named the servers,
    only its first member, C(meta.json), is read. No archive is verified. Use M(disaster_recovery.consul.snapshot_info)
    to verify one; a restore and a rehearsal verify it, too.
  - Archives of one cluster are ordered by Raft index, others by time. A time that is more than a day ahead of this
    host's clock is ignored. A warning names such an archive, and its date never makes it the newest.
  - Symbolic links, pipes, and names that are not UTF-8 are not read, and are listed in RV(skipped).
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.store
  - disaster_recovery.consul.sealing
  - disaster_recovery.consul.sealing.read
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
    description:
      - The directory, or the URL of a store, such as V(s3://bucket/consul/). An archive is a file whose name ends with
        C(.snap) or C(.snap.age), or a file with a manifest next to it.
      - If the directory does not exist, RV(exists) is false, and the list is empty.
    type: path
    required: true
  cluster:
    description: List only archives that were saved under this cluster name; see O(unnamed).
    type: str
  unnamed:
    description:
      - With O(cluster), also list archives without a cluster name, except those whose datacenter, id or servers
        contradict the archives of this name, and those that share servers with archives of another name.
    type: bool
    default: true
  pick:
    description:
      - V(all) for all archives, V(newest) for only the newest, or a time such as V(2026-11-23T02:15:00Z) for those that
        were taken at or before this time. A time without a zone is in UTC.
    type: str
    default: all
  locks:
    description:
      - Also ask a bucket until when each archive is locked, and whether it is held; one request for each. See
        RV(archives[].locked_until) and RV(archives[].held).
    type: bool
    default: false
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_info
  - module: disaster_recovery.consul.snapshot_rehearse
"""

EXAMPLES = r"""
- name: List all archives in a directory
  disaster_recovery.consul.snapshot_list:
    path: /var/backups/consul
  register: listed

- name: Find the newest archive of one cluster
  disaster_recovery.consul.snapshot_list:
    path: /var/backups/consul
    cluster: production
    pick: newest
  register: newest

- name: Require a backup of the last day
  ansible.builtin.assert:
    that: newest.newest_confirmed_at is not none and
      (now(utc=true) - (newest.newest_confirmed_at | to_datetime('%Y-%m-%dT%H:%M:%SZ'))).total_seconds() < 86400
"""

RETURN = r"""
exists:
  description: Whether the directory exists.
  returned: success
  type: bool
  sample: true
archives:
  description: The archives, the newest first.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Path of the archive.
      type: str
      returned: success
    manifest:
      description: Path of its manifest; null if there is none.
      type: str
      returned: success
    manifest_status:
      description:
        - V(matches) if the size in the manifest is that of the archive, V(stale) if it is another, V(absent) if there
          is no manifest, V(unreadable) if it can't be parsed.
      type: str
      returned: success
    cluster:
      description: The cluster it was taken from, as C(name), C(datacenter), C(id), C(consul_version), and C(servers),
        the ids of its Raft servers. What is not known is null or empty.
      type: dict
      returned: success
    taken_at:
      description: When it was taken, in UTC, never later than now; null if RV(archives[].dated_ahead).
      type: str
      returned: success
    confirmed_at:
      description:
        - When a leader last confirmed that the cluster holds this content, in UTC, never later than now. It is null if
          there is no manifest, or if no leader has confirmed it.
      type: str
      returned: success
    confirmed_by_leader:
      description: False for a stale save that no leader has confirmed since; null without a manifest.
      type: bool
      returned: success
    dated_ahead:
      description: Whether its date is more than a day ahead of this host's clock, and therefore ignored.
      type: bool
      returned: success
    index:
      description: Its Raft index; null if it could not be read.
      type: int
      returned: success
    size:
      description: Its size in bytes, as it is stored.
      type: int
      returned: success
    sha256:
      description: SHA-256 checksum of the archive before encryption, from its manifest; null without a manifest.
      type: str
      returned: success
    fingerprint:
      description:
        - Fingerprint of its content from its manifest, equal for equal content. It is null if no manifest contains it.
      type: str
      returned: success
    sealed: {description: Whether it is encrypted., type: bool, returned: success}
    signed:
      description: Whether a signature lies next to its manifest. By itself, that proves nothing.
      type: bool
      returned: success
    signed_by:
      description: Who signed its manifest, as O(allowed_signers) names the key; null if no allowed signer did.
      type: str
      returned: with O(allowed_signers)
    signature_fault: {description: "Why the signature does not count, or null.", type: str,
      returned: with O(allowed_signers)}
    locked_until:
      description: Until when the store keeps it from being removed, in UTC; null if it is not locked.
      type: str
      returned: with O(locks=true)
    held: {description: Whether it has a legal hold., type: bool, returned: with O(locks=true)}
  sample:
    - cluster:
        consul_version: "1.22.7"
        datacenter: dc1
        id: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
        name: production
        servers: [0b5e3a1c-5c1f-4f0a-9d0e-0f5c1f0b7a11]
      confirmed_at: "2026-11-24T02:15:00Z"
      confirmed_by_leader: true
      dated_ahead: false
      index: 3135
      manifest: /var/backups/consul/dc1-20261123T021500Z-3135.snap.manifest.json
      manifest_status: matches
      path: /var/backups/consul/dc1-20261123T021500Z-3135.snap
      fingerprint: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
      sealed: false
      sha256: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
      signed: false
      size: 81930112
      taken_at: "2026-11-23T02:15:00Z"
newest_confirmed_at:
  description: The latest of their confirmations, in UTC, never later than now; null if there is none.
  returned: success
  type: str
  sample: "2026-11-24T02:15:00Z"
other_clusters:
  description: With O(cluster), the names of other clusters with archives in the directory.
  returned: success
  type: list
  elements: str
  sample: [staging]
skipped:
  description: Files that look like archives and were not read, as C(path) and C(reason).
  returned: success
  type: list
  elements: dict
  sample: [{"path": "/var/backups/consul/latest.snap", "reason": "is a symbolic link"}]
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
  sample: {"read": 0.1, "total": 0.1}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      returned: always
      choices: [defect, file, interrupted, missing_library, option, signature, store, store_credentials, store_denied,
        store_missing, store_unavailable]
    hint: {description: What to do next., type: str, returned: always}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    library: {description: The missing Python library., type: str, returned: when one is missing}
    operation: {description: The store's operation that failed., type: str, returned: when a store refused it}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Write a time as 2026-11-23T02:15:00Z.", "kind": "option"}
"""

import time
from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import SEALING_READ_OPTIONS, STORE_OPTIONS, require_fitting
from ..module_utils._operations.listing import Listing, ListRequest, list_archives, results
from ..module_utils._storage.location import parse_location
from ..module_utils._times import to_text

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **SEALING_READ_OPTIONS,
    "cluster": {"type": "str"},
    "unnamed": {"type": "bool", "default": True},
    "pick": {"type": "str", "default": "all"},
    "locks": {"type": "bool", "default": False},
}


def request_of(run: Run) -> ListRequest:
    params = run.params
    store, sealing = run.store_settings(), run.sealing_settings()
    require_fitting(store, [parse_location(params["path"], "path")])
    return ListRequest(
        path=params["path"],
        cluster=params["cluster"] or None,
        unnamed=params["unnamed"],
        pick=params["pick"],
        store=store,
        sealing=sealing,
        locks=params["locks"],
    )


def result_of(listing: Listing, now: float) -> dict[str, Any]:
    return {
        "exists": listing.exists,
        "archives": results(listing, now),
        "skipped": [skipped._asdict() for skipped in listing.skipped],
        "newest_confirmed_at": to_text(listing.newest_confirmed_at),
        "other_clusters": list(listing.other_clusters),
    }


def list_directory(run: Run) -> dict[str, Any]:
    now = time.time()
    listing = list_archives(request_of(run), run.journal, now)
    for remark in listing.remarks:
        run.warn(remark)
    return result_of(listing, now)


def main() -> None:
    run_module({"argument_spec": OPTIONS}, list_directory)


if __name__ == "__main__":
    main()
