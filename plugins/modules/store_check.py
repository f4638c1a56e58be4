#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: store_check
short_description: Find out how well a store protects the archives in it
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Stores small objects of its own in a bucket or a directory, and observes what the store does when they are written,
    read, overwritten, locked and removed with these credentials.
  - Archives are not read or changed. The objects of the module have names that begin with C(store-check-). They are
    removed at the end; RV(left_behind) lists those that could not be removed, because the credentials may not remove
    objects or because a lock holds.
  - Use it before the first backup into a store, and whenever its policies change. A store that does not keep a promise
    on which this collection relies causes a warning.
extends_documentation_fragment:
  - disaster_recovery.consul.attributes
  - disaster_recovery.consul.store
attributes:
  check_mode:
    support: full
    details: Only reads. Checks that need an object of their own are not made; RV(checks[].ok) is null.
  diff_mode:
    support: N/A
    details: This module does not modify state that lasts.
  idempotent:
    support: full
options:
  path:
    description: URL of the store, such as V(s3://bucket/consul/), or a directory on the host the module runs on.
    type: path
    required: true
  require:
    description: Checks that must be ok. The module fails and names those that are not.
    type: list
    elements: str
    choices: [write, read_back, create_only, checksums, atomic, versioning, object_lock, may_overwrite, may_delete]
    default: []
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - module: disaster_recovery.consul.snapshot_copy
"""

EXAMPLES = r"""
- name: See what the store of the backups does
  disaster_recovery.consul.store_check:
    path: s3://backups/consul/
    store:
      region: eu-central-1
  register: store

- name: Require a store that ransomware on the servers can't empty
  disaster_recovery.consul.store_check:
    path: s3://backups/consul/
    store:
      region: eu-central-1
      object_lock: {mode: COMPLIANCE, days: 30}
    require: [write, create_only, checksums, object_lock, may_delete]
"""

RETURN = r"""
path: {description: The store., returned: success, type: str, sample: "s3://backups/consul/"}
checks:
  description: What was found out, always in this order.
  returned: when the store can be reached
  type: list
  elements: dict
  contains:
    name:
      description:
        - V(write) if an object can be stored. V(read_back) if it is listed and reads as it was stored.
        - V(create_only) if nothing replaces an object, not even when several writers use its name at the same time.
        - V(checksums) if bytes that were damaged on the way are refused.
        - V(atomic) if an upload is visible only once it is complete.
        - V(versioning) if the store keeps what is overwritten or removed as an older version.
        - V(object_lock) if an object with the lock of O(store.object_lock) can't be removed. Without that option, if
          the store itself locks new objects.
        - V(may_overwrite) and V(may_delete) are ok if these credentials can B(not) overwrite objects or remove them
          permanently. Credentials that clean up need the permission to remove them, others should not have it.
      type: str
      returned: always
      choices: [write, read_back, create_only, checksums, atomic, versioning, object_lock, may_overwrite, may_delete]
    ok:
      description:
        - Whether archives are protected in this respect; null if it was not tried, or if the kind of store has no such
          thing.
      type: bool
      returned: always
    detail: {description: What was observed., type: str, returned: always}
  sample:
    - {"detail": "an object was stored", "name": "write", "ok": true}
    - {"detail": "these credentials can't remove objects", "name": "may_delete", "ok": true}
left_behind:
  description: Objects of this module that could not be removed.
  returned: when the store can be reached
  type: list
  elements: dict
  contains:
    path: {description: Path or URL of the object., type: str, returned: always}
    reason: {description: Why it is still there., type: str, returned: always}
    locked_until: {description: "When its lock ends, in UTC; null without a lock.", type: str, returned: always}
  sample:
    - locked_until: "2026-11-26T02:25:00Z"
      path: s3://backups/consul/store-check-5f0c1d2e3a4b5c6d-locked
      reason: locked
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
  sample: {"clean": 0.2, "look": 0.1, "total": 1.5, "write": 1.2}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure; V(store) if a check of O(require) is not ok.
      type: str
      returned: always
      choices: [defect, file, interrupted, missing_library, option, store, store_credentials, store_denied,
        store_missing, store_unavailable]
    hint: {description: What to do next., type: str, returned: always}
    unmet: {description: Checks of O(require) that are not ok., type: list, elements: str, returned: with O(require)}
    operation: {description: The store's operation that failed., type: str, returned: when a store refused it}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    library: {description: The missing Python library., type: str, returned: when one is missing}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Correct the permissions.", "kind": "store_denied", "operation": "ListObjectsV2"}
"""

from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import STORE_OPTIONS, require_fitting
from ..module_utils._errors import StoreError, listed
from ..module_utils._operations.store_check import Report, check_store
from ..module_utils._operations.store_verdicts import NAMES, missing, warnings_of
from ..module_utils._storage.location import parse_location
from ..module_utils._storage.opening import open_store
from ..module_utils._storage.protocol import Store
from ..module_utils._times import to_text

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    **STORE_OPTIONS,
    "require": {"type": "list", "elements": "str", "choices": list(NAMES), "default": []},
}


def result_of(path: str, store: Store, report: Report) -> dict[str, Any]:
    return {
        "changed": False,
        "path": path,
        "checks": [check._asdict() for check in report.checks],
        "left_behind": [
            {"path": store.place(left.name), "reason": left.reason, "locked_until": to_text(left.locked_until)}
            for left in report.left_behind
        ],
    }


def check(run: Run) -> dict[str, Any]:
    path, settings = run.params["path"], run.store_settings()
    location = parse_location(path, "path")
    require_fitting(settings, [location])
    store = open_store(location, settings._replace(object_lock=None))
    report = check_store(store, run.journal, lock=settings.object_lock, check=run.check)
    for text in warnings_of(report.checks):
        run.warn(text)
    result = result_of(path, store, report)
    unmet = [] if run.check else missing(report.checks, run.params["require"])
    if unmet:
        run.so_far = lambda: result
        raise StoreError(
            f"{path} does not meet what is required: " + listed([f"{one.name} ({one.detail})" for one in unmet], 9),
            hint="Change the store or its policies (docs/stores.md), or require less.",
            unmet=[one.name for one in unmet],
        )
    return result


def main() -> None:
    run_module({"argument_spec": OPTIONS}, check)


if __name__ == "__main__":
    main()
