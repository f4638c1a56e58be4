#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_save
short_description: Save the state of Consul's servers into a verified archive
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Takes a snapshot through Consul's HTTP API and verifies it while it streams in, to the last record of its state.
  - Only a whole archive is put in place. Until then, and after any fault, what lies at O(dest) is what it was before.
  - A manifest with the fingerprint of the content is written beside the archive, so that the next run knows whether
    anything that users stored has changed since, and does not keep the same content twice.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
  - ansible.builtin.files
requirements:
  - msgpack >= 1.0
attributes:
  check_mode:
    support: full
    details:
      - The snapshot is taken and verified in check mode as well, because only it shows whether the content has changed.
        Nothing is written.
  diff_mode:
    support: full
    details: The difference is shown in metadata (index, size, records per type), never in content.
  idempotent:
    support: full
    details: Unless O(force=true) or O(skip_unchanged=false).
options:
  dest:
    description:
      - Where to put the archive on the host the module runs on. The directory must exist, unless
        O(create_directory=true).
      - An existing directory, or a path that ends in a slash, gets a new file for each archive that is kept, named
        C(<datacenter>-<UTC time>-<raft index>.snap).
      - In that name, characters of the datacenter that are not letters, digits, C(_) or C(-) are replaced. No file in a
        directory is overwritten.
      - A path of a file always holds the newest archive. A file there that is not an archive, or one of another
        cluster, is only overwritten with O(force=true). See O(cluster) for what another cluster is.
    type: path
    required: true
  create_directory:
    description:
      - Create the directory of O(dest), and those above it, when they aren't there, with mode V(0700) and with O(owner)
        and O(group). That is done once it is known that the cluster can be saved. A directory that is there stays as it
        is.
    type: bool
    default: false
  cluster:
    description:
      - Name of the cluster that is saved, as users call it. The archive is kept, compared and confirmed under this name
        alone, whatever other archives lie at O(dest).
      - When none of the cluster's servers is known from the newest archive of this name, the cluster was rebuilt. A new
        archive is kept, and RV(rebuilt) and a warning say so once. While the rebuilt cluster holds nothing that users
        stored, a file O(dest) with an archive from before is only overwritten with O(force=true).
      - Without a name the cluster is known by its identity alone, which is its datacenter, the id of its Connect CA and
        the ids of its Raft servers. A cluster that shares no server with an archive is then another one.
    type: str
  datacenter:
    description: Datacenter to save, when it is not the one of the agent that is asked.
    type: str
  stale:
    description:
      - Let any server answer by itself, not only the leader. With the quorum lost this is the only way to save at all.
      - Such an archive may lag behind; see O(max_stale). When no leader confirmed it, it is kept, but it confirms no
        archive and does not count as young for O(max_age); see RV(confirmed_by_leader).
    type: bool
    default: false
  max_stale:
    description: Refuse a stale answer whose server heard from the leader more than this many milliseconds ago.
    type: int
  max_age:
    description:
      - When a verified archive of this cluster is there that was taken or confirmed less than this many seconds ago,
        take none.
      - Archives without a manifest don't count, nor do archives that no leader has confirmed, nor confirmations dated
        more than a day ahead.
      - The cluster is known by its servers, so the token needs C(operator = "read"), or C(agent:read) on a server.
        Without them a snapshot is taken.
    type: int
  skip_unchanged:
    description:
      - When the content is what the newest archive of this cluster holds already, keep that one and note in its
        manifest that it was confirmed. Written again with the same value, a key is no change.
      - The archive's modification time is renewed then, so that a clean-up by age, such as C(find -mtime -delete), does
        not remove it.
    type: bool
    default: true
  force:
    description: Keep a new archive in any case, whatever lies at O(dest), however young it is and whatever it holds.
    type: bool
    default: false
  mode:
    description:
      - Permissions of the archive and its manifest. An archive holds tokens, keys and values in clear.
    default: "0600"
seealso:
  - module: disaster_recovery.consul.snapshot_info
  - module: disaster_recovery.consul.snapshot_restore
"""

EXAMPLES = r"""
- name: Save the state of the cluster behind the agent on this host
  disaster_recovery.consul.snapshot_save:
    dest: /var/backups/consul/
    token_file: /etc/consul.d/snapshot.token

- name: Save over TLS, unless a backup of the last hour is there
  disaster_recovery.consul.snapshot_save:
    host: consul.example.com
    port: 8501
    scheme: https
    ca_path: /etc/ssl/consul-ca.pem
    token: "{{ consul_snapshot_token }}"
    dest: /var/backups/consul/
    max_age: 3600

- name: Save what is left after the quorum was lost
  disaster_recovery.consul.snapshot_save:
    host: the-last-server.example.com
    dest: /var/backups/consul/rescue.snap
    stale: true
    max_stale: 600000
"""

RETURN = r"""
dest:
  description: Path of the archive that holds the content now; in check mode, the one that would be written.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap
created_directories:
  description: Directories that O(create_directory=true) created, the uppermost first.
  returned: success
  type: list
  elements: str
  sample: [/var/backups/consul]
manifest:
  description: Path of its manifest.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap.manifest.json
reason:
  description: Why an archive was kept, or why not, in words.
  returned: success
  type: str
  sample: "content changed since index 3135: ACLToken, KVS"
index: {description: "Raft index of the archive at RV(dest).", returned: success, type: int, sample: 3135}
size: {description: "Its size in bytes.", returned: success, type: int, sample: 81930112}
sha256:
  description: Its checksum.
  returned: success
  type: str
  sample: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
fingerprint:
  description: Digest of its durable content, equal for equal content.
  returned: success
  type: str
  sample: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
records:
  description: Number of records in it, by type.
  returned: success
  type: dict
  sample: {"ACLToken": 12, "KVS": 1043}
cluster:
  description:
    - Which cluster it is of. C(name) is that of O(cluster), C(servers) are the ids of its Raft servers. Values that
      could not be learned are null.
  returned: success
  type: dict
  sample:
    consul_version: "1.22.7"
    datacenter: dc1
    id: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
    name: production
    servers: [0b5e3a1c-5c1f-4f0a-9d0e-0f5c1f0b7a11]
rebuilt:
  description: Whether this archive is the first of a cluster of the name O(cluster) all of whose servers are new.
  returned: success
  type: bool
  sample: false
taken_at:
  description: When the server took it, in UTC, by the server's clock unless that is more than a day ahead.
  returned: success
  type: str
  sample: "2026-11-23T02:15:00Z"
confirmed_at:
  description: When its content was last seen to be the cluster's, in UTC; null when no leader has confirmed that.
  returned: success
  type: str
  sample: "2026-11-23T02:15:00Z"
confirmed_by_leader:
  description:
    - Whether a leader confirmed what was saved. It is false for a save with O(stale=true) whose server had not heard
      from a leader within two seconds. Such a save is not a success for a recovery point objective.
  returned: success
  type: bool
  sample: true
known_leader:
  description: Whether the server that answered knew a leader. Just after a leader is lost it may still say so.
  returned: when a snapshot was taken
  type: bool
  sample: true
last_contact_ms:
  description: Milliseconds since that server last heard from the leader; 0 when the leader answered.
  returned: when a snapshot was taken
  type: int
  sample: 0
findings:
  description: What in the archive won't restore well; see M(disaster_recovery.consul.snapshot_info).
  returned: when a snapshot was taken
  type: list
  elements: dict
attempts:
  description: What went wrong before it went well, one entry for each try that failed.
  returned: success
  type: list
  elements: str
  sample: ["the archive was cut short"]
duration: {description: "Seconds it took.", returned: success, type: float, sample: 4.21}
failure:
  description: What went wrong, for a playbook to decide on.
  returned: failure
  type: dict
  contains:
    kind: {description: A word for the kind of fault., type: str, returned: always}
    hint: {description: What to do about it., type: str, returned: always}
    status: {description: HTTP status., type: int, returned: when Consul answered}
    url: {description: What was asked., type: str, returned: when there was a request}
    body: {description: Beginning of the answer's text., type: str, returned: when Consul answered}
    fault: {description: The layer at which it stops being an archive., type: str, returned: when it does not verify}
    last_contact_ms: {description: As of a success., type: int, returned: when that was more than O(max_stale)}
    path: {description: File or directory that is at fault., type: str, returned: when one is}
    library: {description: Python library that the host lacks., type: str, returned: when one is missing}
    place: {description: Place in the code to report., type: str, returned: when the collection has a defect}
  sample: {"hint": "Give it a policy with acl = \"write\".", "kind": "permission_denied", "status": 403}
"""

import os
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._ansible.options import client_of, connection_spec, fail, install_signal_handlers, succeed, warn
from ..module_utils._ansible.ownership import Ownership
from ..module_utils._errors import OptionError, SnapshotError, printable
from ..module_utils._operations.save import Saved, SaveRequest, save
from ..module_utils._snapshot.checks.findings import as_results, warnings_of
from ..module_utils._storage import manifest as _manifest
from ..module_utils._storage.store import Entry
from ..module_utils._times import to_text

OPTIONS: dict[str, dict[str, Any]] = {
    "dest": {"type": "path", "required": True},
    "create_directory": {"type": "bool", "default": False},
    "cluster": {"type": "str"},
    "datacenter": {"type": "str"},
    "stale": {"type": "bool", "default": False},
    "max_stale": {"type": "int"},
    "max_age": {"type": "int"},
    "skip_unchanged": {"type": "bool", "default": True},
    "force": {"type": "bool", "default": False},
    "mode": {"type": "raw", "default": "0600"},
}


def request_of(module: AnsibleModule) -> SaveRequest:
    params = module.params
    if params["max_stale"] is not None and not params["stale"]:
        raise OptionError("max_stale requires stale: true", hint="Set stale: true, or leave max_stale out.")
    for option in ("max_stale", "max_age"):
        if params[option] is not None and params[option] < 0:
            raise OptionError(f"{option} is below zero", hint="Use zero or more.")
    name = params["cluster"] or None
    if name is not None and printable(name) != name:
        raise OptionError(
            f"cluster: {printable(name)} has characters that can't be shown, or too many of them",
            hint="Use the cluster's name in the inventory.",
        )
    return SaveRequest(
        dest=params["dest"],
        datacenter=params["datacenter"] or None,
        stale=params["stale"],
        max_stale=params["max_stale"],
        max_age=params["max_age"],
        skip_unchanged=params["skip_unchanged"],
        force=params["force"],
        create_directory=params["create_directory"],
        cluster=name,
    )


def result_of(saved: Saved) -> dict[str, Any]:
    manifest = saved.entry.manifest
    result: dict[str, Any] = {
        "changed": saved.decision.go,
        "dest": saved.entry.path,
        "created_directories": list(saved.created),
        "manifest": _manifest.path_of(saved.entry.path),
        "reason": saved.decision.reason,
        "index": manifest.index,
        "size": manifest.size,
        "sha256": manifest.sha256,
        "fingerprint": manifest.fingerprint.overall if manifest.fingerprint else None,
        "records": {name: stats["count"] for name, stats in manifest.records.items()},
        "cluster": manifest.cluster.as_json(),
        "rebuilt": saved.rebuilt,
        "taken_at": to_text(manifest.taken_at),
        "confirmed_at": to_text(manifest.confirmed_at) if manifest.confirmed_by_leader else None,
        "confirmed_by_leader": saved.by_leader,
        "diff": {
            "before": described(saved.before),
            "after": described(saved.entry if saved.decision.go else saved.before),
        },
    }
    if saved.taken:
        result["known_leader"] = saved.taken.headers.known_leader
        result["last_contact_ms"] = saved.taken.headers.last_contact_ms
        result["findings"] = as_results(saved.findings)
    return result


def described(entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {}
    manifest = entry.manifest
    return {
        "dest": entry.path,
        "index": manifest.index,
        "size": manifest.size,
        "fingerprint": manifest.fingerprint.overall if manifest.fingerprint else None,
        "records": manifest.fingerprint.counts if manifest.fingerprint else {},
    }


def run(module: AnsibleModule, attempts: list[str]) -> dict[str, Any]:
    begun = time.monotonic()

    def report(error: SnapshotError) -> None:
        attempts.append(error.message)
        warn(module, f"trying again: {error.message}")

    ownership = Ownership(module)
    ownership.check()
    saved = save(client_of(module), request_of(module), check=module.check_mode, report=report, prepare=ownership.give)
    for remark in saved.remarks:
        warn(module, remark)
    result = result_of(saved)
    for line in warnings_of(saved.findings):
        warn(module, line)
    for directory in saved.created:
        ownership.give_directory(directory)
    for path in (result["dest"], result["manifest"]):
        if os.path.exists(path) and ownership.keep(path):
            result["changed"] = True
    return {**result, "attempts": attempts, "duration": round(time.monotonic() - begun, 3)}


def main() -> None:
    module = AnsibleModule(**connection_spec(**OPTIONS), add_file_common_args=True)
    attempts: list[str] = []
    try:
        install_signal_handlers()
        result = run(module, attempts)
    except BaseException as error:
        fail(module, error, attempts=attempts)
    succeed(module, **result)


if __name__ == "__main__":
    main()
