#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_list
short_description: List the archives of Consul's state in a directory
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Lists the archives in a directory of the host the module runs on, the newest first, those of one cluster or all.
  - What is known of an archive comes from its manifest. Of an archive without a manifest, or with one from before
    manifests named the servers, only the first member, C(meta.json), is read. No archive is verified; that is done by
    M(disaster_recovery.consul.snapshot_info) and whatever restores or rehearses it.
  - Archives of one cluster are ordered by their Raft index, all others by time. A time that is more than a day ahead of
    this host's clock is not believed. Such an archive is named in a warning, and never counts as newer for its date.
  - Symbolic links, pipes, and names that are not UTF-8 are left alone and named in RV(skipped).
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
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
      - The directory. An archive is a file whose name ends in C(.snap), or one with a manifest beside it.
      - A directory that is not there has no archives; see RV(exists).
    type: path
    required: true
  cluster:
    description: List only the archives that were saved for the cluster of this name; see O(unnamed).
    type: str
  unnamed:
    description:
      - With O(cluster), list archives that name no cluster as well. Left out are those that contradict the archives of
        this name in datacenter, id or servers, and those that share servers with archives of another name.
    type: bool
    default: true
  pick:
    description:
      - V(all) for all of them, V(newest) for the newest alone, or a time, such as V(2026-11-23T02:15:00Z), for those
        that were taken then or before. A time without a zone is in UTC.
    type: str
    default: all
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
  description: Whether the directory is there.
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
      description: Path of its manifest; null when there is none.
      type: str
      returned: success
    manifest_status:
      description:
        - V(matches) when the manifest names the archive's length, V(stale) when it names another, V(absent), or
          V(unreadable).
      type: str
      returned: success
    cluster:
      description: Which cluster it is of, as C(name), C(datacenter), C(id), C(consul_version), and C(servers), the ids
        of its Raft servers. What is not known is null or empty.
      type: dict
      returned: success
    taken_at:
      description: When it was taken, in UTC, and never ahead of now; null when RV(archives[].dated_ahead).
      type: str
      returned: success
    confirmed_at:
      description:
        - When its content was last known to be the cluster's, in UTC, and never ahead of now. It is null where no
          manifest says so, or no leader has confirmed it.
      type: str
      returned: success
    confirmed_by_leader:
      description: False for an archive of a stale save that no leader has confirmed since; null without a manifest.
      type: bool
      returned: success
    dated_ahead:
      description: Whether its date is more than a day ahead of this host's clock, and so is not believed.
      type: bool
      returned: success
    index:
      description: Its Raft index; null when it could not be read.
      type: int
      returned: success
    size:
      description: Its size in bytes.
      type: int
      returned: success
    sha256:
      description: Checksum of the archive, as its manifest names it; null without a manifest.
      type: str
      returned: success
    fingerprint:
      description:
        - Fingerprint of its content, from its manifest; equal for equal content. It is null where no manifest has it.
      type: str
      returned: success
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
      sha256: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
      size: 81930112
      taken_at: "2026-11-23T02:15:00Z"
newest_confirmed_at:
  description: The newest of their confirmations, in UTC, and never ahead of now; null when there is none.
  returned: success
  type: str
  sample: "2026-11-24T02:15:00Z"
other_clusters:
  description: With O(cluster), the names of other clusters of which archives are in the directory.
  returned: success
  type: list
  elements: str
  sample: [staging]
skipped:
  description: What looks like an archive and was left alone, as C(path) and C(reason).
  returned: success
  type: list
  elements: dict
  sample: [{"path": "/var/backups/consul/latest.snap", "reason": "is a symbolic link"}]
failure:
  description: What went wrong, for a playbook to decide on.
  returned: failure
  type: dict
  contains:
    kind: {description: A word for the kind of fault., type: str, returned: always}
    hint: {description: What to do about it., type: str, returned: always}
    path: {description: File or directory that is at fault., type: str, returned: when one is}
    place: {description: Place in the collection's code., type: str, returned: when the collection has a defect}
  sample: {"hint": "Write a time as 2026-11-23T02:15:00Z.", "kind": "option"}
"""

import time
from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._operations.listing import Listing, ListRequest, as_json, list_archives
from ..module_utils._times import to_text

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "cluster": {"type": "str"},
    "unnamed": {"type": "bool", "default": True},
    "pick": {"type": "str", "default": "all"},
}


def request_of(params: dict[str, Any]) -> ListRequest:
    return ListRequest(params["path"], params["cluster"] or None, params["unnamed"], params["pick"])


def result_of(listing: Listing, now: float) -> dict[str, Any]:
    return {
        "exists": listing.exists,
        "archives": [as_json(archive, now) for archive in listing.archives],
        "skipped": [skipped._asdict() for skipped in listing.skipped],
        "newest_confirmed_at": to_text(listing.newest_confirmed_at),
        "other_clusters": list(listing.other_clusters),
    }


def list_directory(run: Run) -> dict[str, Any]:
    now = time.time()
    with run.journal.phase("list"):
        listing = list_archives(request_of(run.params), now)
    for remark in listing.remarks:
        run.warn(remark)
    return result_of(listing, now)


def main() -> None:
    run_module({"argument_spec": OPTIONS}, list_directory)


if __name__ == "__main__":
    main()
