#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_copy
short_description: Copy archives of Consul's state from one store to another, verified on the way
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Copies one archive, or archives of a directory or a bucket, into another directory or bucket, with manifest,
    signature and last confirmation. Consul is not contacted.
  - Each archive is read once. It is verified to its last record while it is written to the other store, and becomes
    visible there only if it verifies. Memory does not depend on its size, and nothing is written to a local disk except
    to a local O(dest).
  - An encrypted archive is copied as it is, unless O(encrypt_to) or O(encrypt_to_file) asks for other recipients. If
    O(identity_file) is set, its records are verified, too. Without a key, only its checksum is compared with the
    manifest; RV(copied[].verified) tells.
  - An archive that O(dest) already holds is not copied again. Archives are the same if content and cluster are the same
    byte for byte, whatever their names, and both or neither are encrypted.
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.store
  - disaster_recovery.consul.store.dest
  - disaster_recovery.consul.sealing
  - disaster_recovery.consul.sealing.write
  - disaster_recovery.consul.sealing.read
requirements:
  - msgpack >= 1.0
attributes:
  check_mode:
    support: full
    details: Lists both stores and returns what would be copied. Reads no archive and writes nothing.
  diff_mode:
    support: N/A
    details: Archives are only added.
  idempotent:
    support: full
options:
  src:
    description:
      - An archive, or a directory or a store with archives, on the host the module runs on or as a URL. The URL of an
        archive ends with C(.snap) or C(.snap.age); other URLs are those of a store.
    type: path
    required: true
  dest:
    description:
      - Directory on the host the module runs on, or URL of a store, such as V(s3://bucket/consul/). Nothing in it is
        overwritten. An archive keeps its name, with or without C(.age), or gets a number in it if the name is in use.
    type: path
    required: true
  create_directory:
    description: Create the directory O(dest) and its parents with mode V(0700) if they do not exist.
    type: bool
    default: false
  pick:
    description:
      - Which archives of a store to copy, as in O(disaster_recovery.consul.snapshot_list#module:pick). V(newest) for
        only the newest, V(all) for all, or a time such as V(2026-11-23T02:15:00Z) for those that were taken at or
        before this time.
    type: str
    default: newest
  cluster:
    description:
      - Copy only archives that were saved under this cluster name, and archives without a name that do not contradict
        it. An archive without a manifest is copied under this name.
    type: str
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_list
  - module: disaster_recovery.consul.store_check
"""

EXAMPLES = r"""
- name: Copy the newest archive into a bucket
  disaster_recovery.consul.snapshot_copy:
    src: /var/backups/consul/
    dest: s3://backups/consul/
    cluster: production
    dest_store:
      region: eu-central-1

- name: Encrypt all archives of a bucket for other keys, and sign them, in another one
  disaster_recovery.consul.snapshot_copy:
    src: s3://backups/consul/
    dest: gs://backups-of-2027/consul/
    pick: all
    identity_file: /etc/consul-backup/key.txt
    allowed_signers: /etc/consul-backup/allowed_signers
    encrypt_to_file: /etc/consul-backup/recipients-of-2027.txt
    signing_key: /etc/consul-backup/signing_key
"""

RETURN = r"""
copied:
  description: The archives that were copied, or would be in check mode, the oldest first. Also after a failure.
  returned: always
  type: list
  elements: dict
  contains:
    src: {description: Path or URL of the archive that was read., type: str, returned: always}
    dest: {description: Path or URL of the copy., type: str, returned: always}
    size: {description: Size of the copy in bytes; null in check mode., type: int, returned: always}
    sha256: {description: SHA-256 checksum of the unencrypted archive; null if not known., type: str, returned: always}
    sealed: {description: Whether the copy is encrypted., type: bool, returned: always}
    signed: {description: Whether the copy has a signature; may be null in check mode., type: bool, returned: always}
    verified:
      description:
        - V(records) if every record was read, V(checksum) if an encrypted archive was compared with its manifest only;
          null in check mode.
      type: str
      returned: always
      choices: [records, checksum]
  sample:
    - dest: s3://backups/consul/dc1-20261123T021500Z-3135.snap
      sealed: false
      sha256: 3bb1b4b6b4a1e6f0e8b2e9d4e0c7a8f9b0c1d2e3f4a5b6c7d8e9fa0b1c2d3e4f
      signed: false
      size: 81930112
      src: /var/backups/consul/dc1-20261123T021500Z-3135.snap
      verified: records
present:
  description: Archives of O(src) that O(dest) already holds, as C(src) and C(dest).
  returned: always
  type: list
  elements: dict
  sample: []
not_copied:
  description: Archives that were not copied, as C(src) and C(reason). If there is one, the module fails in the end.
  returned: always
  type: list
  elements: dict
  sample: []
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
  sample: {"copy": 3.9, "look": 0.2, "read": 0.2, "total": 4.3}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure. V(archive) if an archive does not verify; it is not copied.
      type: str
      returned: always
      choices: [archive, defect, error, file, interrupted, missing_library, option, sealed, signature, store,
        store_credentials, store_denied, store_exists, store_locked, store_missing, store_unavailable]
    hint: {description: What to do next., type: str, returned: always}
    fault: {description: The layer of the archive that is invalid., type: str, returned: when it does not verify}
    operation: {description: The store's operation that failed., type: str, returned: when a store refused it}
    path: {description: The archive or directory concerned., type: str, returned: when there is one}
    library: {description: The missing Python library., type: str, returned: when one is missing}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"fault": "truncated", "hint": "The archive was cut short.", "kind": "archive"}
"""

from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import (
    DEST_STORE_OPTIONS,
    SEALING_READ_OPTIONS,
    SEALING_WRITE_OPTIONS,
    STORE_OPTIONS,
    require_fitting,
)
from ..module_utils._operations.copy.candidates import CopyRequest
from ..module_utils._operations.copy.run import Copies, copy_archives
from ..module_utils._storage.archive_selection import NEWEST
from ..module_utils._storage.location import parse_location

OPTIONS: dict[str, dict[str, Any]] = {
    "src": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
    **STORE_OPTIONS,
    **DEST_STORE_OPTIONS,
    **SEALING_WRITE_OPTIONS,
    **SEALING_READ_OPTIONS,
    "create_directory": {"type": "bool", "default": False},
    "pick": {"type": "str", "default": NEWEST},
    "cluster": {"type": "str"},
}


def request_of(run: Run) -> CopyRequest:
    params = run.params
    settings, dest_settings = run.store_settings(), run.store_settings("dest_store")
    require_fitting(settings, [parse_location(params["src"], "src")])
    require_fitting(dest_settings, [parse_location(params["dest"], "dest")], "dest_store")
    return CopyRequest(
        src=params["src"],
        dest=params["dest"],
        store=settings,
        dest_store=dest_settings,
        sealing=run.sealing_settings(),
        pick=params["pick"],
        cluster=params["cluster"] or None,
        create_directory=params["create_directory"],
    )


def copy(run: Run) -> dict[str, Any]:
    copies = Copies()
    run.so_far = copies.as_result
    copy_archives(request_of(run), run.journal, copies, check=run.check)
    return copies.as_result()


def main() -> None:
    run_module({"argument_spec": OPTIONS}, copy)


if __name__ == "__main__":
    main()
