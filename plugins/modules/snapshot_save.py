#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_save
short_description: Save the state of Consul's servers to a verified archive
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Takes a snapshot through Consul's HTTP API and verifies it to its last record while it is downloaded.
  - Only a complete, verified archive is put in place. Until then, and after any failure, O(dest) is unchanged.
  - Writes a manifest with the fingerprint of the content next to the archive. The next run uses it to tell whether
    anything that users stored has changed, and does not keep the same content twice.
extends_documentation_fragment:
  - disaster_recovery.consul.connection
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.attributes.actiongroup_consul
  - disaster_recovery.consul.store
  - disaster_recovery.consul.sealing
  - disaster_recovery.consul.sealing.write
  - ansible.builtin.files
requirements:
  - msgpack >= 1.0
attributes:
  check_mode:
    support: full
    details:
      - Takes and verifies the snapshot in check mode too, because only the snapshot shows whether the content has
        changed. Writes nothing.
  diff_mode:
    support: full
    details: Shows metadata (index, size, records by type), never content.
  idempotent:
    support: full
    details: Unless O(force=true) or O(skip_unchanged=false).
options:
  dest:
    description:
      - Where to save the archive, on the host the module runs on, or the URL of a store, such as
        V(s3://bucket/consul/). The directory must exist, unless O(create_directory=true).
      - In an existing directory, or at a path that ends with a slash, each archive that is kept gets a new file named
        C(<datacenter>-<UTC time>-<Raft index>.snap). Characters of the datacenter other than letters, digits, C(_) and
        C(-) are replaced in that name. No file in a directory is overwritten. A URL is always such a directory; it
        must not end with C(.snap) or C(.snap.age).
      - Any other path is a file that always holds the newest archive. A file that is not an archive, or that holds an
        archive of another cluster, is overwritten only with O(force=true). O(cluster) explains what another cluster is.
        It must end with C(.age) if the archive is encrypted, and must not otherwise.
      - In a bucket, the snapshot is sent while it is verified, and becomes visible only after that. If it is not kept,
        its parts are discarded. Options of files, such as O(owner), are refused.
    type: path
    required: true
  create_directory:
    description:
      - Create the directory of O(dest) and its parents if they do not exist, with mode V(0700), O(owner) and O(group).
        They are created only after the module has checked that the cluster can be saved. An existing directory is not
        changed. For a URL, it has no effect.
    type: bool
    default: false
  cluster:
    description:
      - Your name for the cluster. The archive is saved under this name, and compared only with archives of this name,
        whatever other archives are at O(dest).
      - If the newest archive of this name has none of the cluster's servers, the cluster was rebuilt. The module then
        keeps a new archive, and RV(rebuilt) and a warning say so once. While the rebuilt cluster holds nothing that
        users stored, an older archive in a file O(dest) is overwritten only with O(force=true).
      - Without a name, the cluster is identified by its datacenter, the id of its Connect CA and the ids of its Raft
        servers. A cluster that shares no server with an archive is then another cluster.
    type: str
  datacenter:
    description: Datacenter to save. By default, the datacenter of the agent that is asked.
    type: str
  stale:
    description:
      - Accept an answer from any server, not only from the leader. This is the only way to save a cluster that has lost
        its quorum.
      - Such an archive may lag behind the leader; see O(max_stale). If no leader confirmed it, the archive is kept, but
        it confirms no other archive and does not count for O(max_age); see RV(confirmed_by_leader).
    type: bool
    default: false
  max_stale:
    description: Refuse a stale answer from a server whose last contact with the leader is older, in milliseconds.
    type: int
  max_age:
    description:
      - Take no snapshot if a verified archive of this cluster was taken or confirmed less than this many seconds ago.
      - Archives without a manifest, archives that no leader has confirmed, and confirmations dated more than a day
        ahead do not count.
      - The cluster is recognized by its servers, so the token needs C(operator = "read"), or C(agent:read) on a server.
        Otherwise a snapshot is taken.
    type: int
  skip_unchanged:
    description:
      - If the newest archive of this cluster already holds the same content, keep that archive and record in a small
        file or object next to it, C(<archive>.confirmed-<UTC time>), that it was confirmed; older ones are removed. A
        key that was written again with the same value is not a change. In a bucket, its object lock is extended.
      - An archive that is not encrypted or not signed is not enough once O(encrypt_to) or O(signing_key) is set. Other
        recipients than before are not noticed; see M(disaster_recovery.consul.snapshot_copy).
      - In a directory, the modification time of that archive is then set to now, so that a clean-up by age, such as
        C(find -mtime -delete), does not remove it.
    type: bool
    default: true
  force:
    description: Always keep a new archive, whatever is at O(dest), whatever its age and its content.
    type: bool
    default: false
  mode:
    description:
      - Permissions of the archive and its manifest. An archive contains tokens, keys and values in plain text.
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

- name: Save over TLS, unless there is a backup from the last hour
  disaster_recovery.consul.snapshot_save:
    host: consul.example.com
    port: 8501
    scheme: https
    ca_path: /etc/ssl/consul-ca.pem
    token: "{{ consul_snapshot_token }}"
    dest: /var/backups/consul/
    max_age: 3600

- name: Save what is left of a cluster that lost its quorum
  disaster_recovery.consul.snapshot_save:
    host: the-last-server.example.com
    dest: /var/backups/consul/rescue.snap
    stale: true
    max_stale: 600000
"""

RETURN = r"""
dest:
  description: Path or URL of the archive that holds the current content; in check mode, the one that would be written.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap
written:
  description:
    - Whether a new archive is at RV(dest). It is false when the content of an existing one was confirmed, even if only
      its permissions were changed.
  returned: success
  type: bool
  sample: true
created_directories:
  description: Directories that O(create_directory=true) created, the uppermost first.
  returned: success
  type: list
  elements: str
  sample: [/var/backups/consul]
manifest:
  description: Path or URL of its manifest.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap.manifest.json
signature:
  description: Path or URL of the signature over that manifest; null if there is none.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap.manifest.json.sig
sealed: {description: "Whether the archive is encrypted.", returned: success, type: bool, sample: false}
stored: {description: C(size) and C(sha256) of the bytes as they are stored., returned: success, type: dict}
sealed_with:
  description: What encrypted it, C(pyrage), C(age) or C(rage); null if nothing was encrypted in this run.
  returned: success
  type: str
  sample: age
locked_until:
  description: Until when the store keeps the archive from being removed, in UTC; null without O(store.object_lock).
  returned: success
  type: str
  sample: "2026-12-23T02:15:00Z"
reason:
  description: Why an archive was kept, or why not.
  returned: success
  type: str
  sample: "content changed since index 3135: ACLToken, KVS"
index: {description: "Raft index of the archive at RV(dest).", returned: success, type: int, sample: 3135}
size: {description: "Its size in bytes before encryption.", returned: success, type: int, sample: 81930112}
sha256:
  description: Its SHA-256 checksum before encryption.
  returned: success
  type: str
  sample: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
fingerprint:
  description: Digest of its durable content, equal for equal content.
  returned: success
  type: str
  sample: v2:6a1b3c9f0de27485a7b1c3d5e7f90214
records:
  description: Number of records in it and their size in bytes, by type, as C(count) and C(size).
  returned: success
  type: dict
  sample: {"ACLToken": {"count": 12, "size": 5321}, "KVS": {"count": 1043, "size": 1220411}}
cluster:
  description:
    - The cluster it was taken from. C(name) is O(cluster), C(servers) are the ids of its Raft servers. Values that are
      not known are null.
  returned: success
  type: dict
  sample:
    consul_version: "1.22.7"
    datacenter: dc1
    id: f1a6ea2a-2a35-4b8e-9a3f-0f6e8f9f3f11
    name: production
    servers: [0b5e3a1c-5c1f-4f0a-9d0e-0f5c1f0b7a11]
rebuilt:
  description: Whether this is the first archive of a cluster named O(cluster) whose servers are all new.
  returned: success
  type: bool
  sample: false
taken_at:
  description: When the server took it, in UTC. The server's clock counts, unless it is more than a day ahead.
  returned: success
  type: str
  sample: "2026-11-23T02:15:00Z"
confirmed_at:
  description: When a leader last confirmed that the cluster holds this content, in UTC; null when none has.
  returned: success
  type: str
  sample: "2026-11-23T02:15:00Z"
confirmed_by_leader:
  description:
    - Whether a leader confirmed what was saved. It is false for a save with O(stale=true) from a server that had not
      heard from a leader within two seconds. Such a save does not meet a recovery point objective.
  returned: success
  type: bool
  sample: true
known_leader:
  description: Whether the server that answered knew a leader. Just after the leader is lost, it may still be true.
  returned: when a snapshot was taken
  type: bool
  sample: true
last_contact_ms:
  description: Milliseconds since the last contact of that server with the leader; 0 when the leader answered.
  returned: when a snapshot was taken
  type: int
  sample: 0
findings:
  description: Parts of the archive that will not restore well; see M(disaster_recovery.consul.snapshot_info).
  returned: when a snapshot was taken
  type: list
  elements: dict
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
  sample: {"capture": 4.0, "look": 0.1, "publish": 0.1, "total": 4.2}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      returned: always
      choices: [acl_disabled, api, archive, bad_archive, cluster, connection, datacenter_down, defect, dest,
        endpoint_blocked, error, file, interrupted, leader_not_ready, missing_library, no_leader, no_quorum, not_found,
        option, permission_denied, proxy_auth, rate_limited, redirected, sealed, server_error, signature, store,
        store_credentials, store_denied, store_exists, store_locked, store_missing, store_unavailable, token_unknown,
        too_early, too_large, too_stale, unavailable, unknown_datacenter, write_restricted, wrong_scheme]
    hint: {description: What to do next., type: str, returned: always}
    status: {description: HTTP status., type: int, returned: when Consul answered}
    url: {description: URL of the request., type: str, returned: when there was a request}
    body: {description: Beginning of the response body., type: str, returned: when Consul answered}
    fault: {description: The layer of the archive that is invalid., type: str, returned: when it does not verify}
    last_contact_ms: {description: As after a success., type: int, returned: when it was more than O(max_stale)}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    library: {description: The missing Python library., type: str, returned: when one is missing}
    operation: {description: The store's operation that failed., type: str, returned: when a store refused it}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Give it a policy with acl = \"write\".", "kind": "permission_denied", "status": 403}
"""

import os
from typing import Any

from ..module_utils._ansible.options import connection_spec
from ..module_utils._ansible.ownership import Ownership
from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import SEALING_WRITE_OPTIONS, STORE_OPTIONS, require_fitting
from ..module_utils._errors import OptionError, listed, printable
from ..module_utils._operations.save.result import result_of
from ..module_utils._operations.save.run import SaveRequest, save
from ..module_utils._snapshot.checks.findings import warnings_of
from ..module_utils._storage.location import parse_location

OPTIONS: dict[str, dict[str, Any]] = {
    "dest": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **SEALING_WRITE_OPTIONS,
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


def request_of(params: dict[str, Any]) -> SaveRequest:
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


FILE_OPTIONS = ("owner", "group", "attributes", "seuser", "serole", "selevel", "setype")


def require_no_file_options(params: dict[str, Any]) -> None:
    """Make sure that nothing is asked of objects in a bucket that only files have."""
    given = [option for option in FILE_OPTIONS if params.get(option) is not None]
    given += ["mode"] if params["mode"] != OPTIONS["mode"]["default"] else []
    if given:
        raise OptionError(
            f"{listed(given)} can't be set for an object in a bucket", hint="Leave it out, or use a path."
        )


def save_archive(run: Run) -> dict[str, Any]:
    ownership, request = Ownership(run.module), request_of(run.params)
    location = parse_location(request.dest, "dest")
    if not location.is_local:
        require_no_file_options(run.params)
    ownership.check()
    request = request._replace(store=run.store_settings(), sealing=run.sealing_settings())
    require_fitting(request.store, [location])
    saved = save(run.client(), request, run.journal, check=run.check, prepare=ownership.give)
    for line in (*saved.remarks, *warnings_of(saved.findings)):
        run.warn(line)
    result = result_of(saved)
    for directory in saved.created:
        ownership.give_directory(directory)
    for path in (result["dest"], result["manifest"], result["signature"]):
        if location.is_local and path and os.path.exists(path) and ownership.keep(path):
            result["changed"] = True
    return result


def main() -> None:
    run_module({**connection_spec(**OPTIONS), "add_file_common_args": True}, save_archive)


if __name__ == "__main__":
    main()
