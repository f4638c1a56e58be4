#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_hold
short_description: Hold an archive of Consul's state, so that no policy removes it
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Puts a note next to an archive, in a directory or a bucket. M(disaster_recovery.consul.snapshot_prune) keeps an
    archive with such a note, whatever its policy is.
  - With O(legal_hold), the store itself refuses to remove the archive and its manifest, too.
  - A note does not protect an archive from other programs and users. A legal hold does.
extends_documentation_fragment:
  - disaster_recovery.consul.store
  - disaster_recovery.consul.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the hold before and after.
  idempotent:
    support: full
options:
  path:
    description: The archive; a path, or a URL such as V(s3://bucket/prefix/name.snap).
    type: path
    required: true
  state:
    description: Whether the archive is held.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description: Why it is held. It is shown by M(disaster_recovery.consul.snapshot_prune). Required to hold an archive.
    type: str
  until:
    description:
      - Time after which the note no longer counts, such as V(2027-01-31T00:00:00Z). By default it counts until it is
        removed. A time without a zone is in UTC.
      - A legal hold has no end. Remove it with O(state=absent) and O(legal_hold=true).
    type: str
  legal_hold:
    description:
      - Also set, or with O(state=absent) remove, a legal hold of the store on the archive, its manifest and its
        signature. The store must support it, as S3 buckets with object lock and Google Cloud Storage do.
    type: bool
    default: false
seealso:
  - module: disaster_recovery.consul.snapshot_prune
"""

EXAMPLES = r"""
- name: Keep the archive from before the migration
  disaster_recovery.consul.snapshot_hold:
    path: /var/backups/consul/dc1-20261123T021500Z-3135.snap
    reason: state before the migration to 1.22
    until: "2027-06-30"
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
  sample: /var/backups/consul/dc1-20261123T021500Z-3135.snap
held:
  description: Whether a note holds it now; in check mode, whether one would.
  returned: success
  type: bool
  sample: true
reason:
  description: Why it is held, with the end of the hold if it has one; null if no note holds it.
  returned: success
  type: str
  sample: state before the migration to 1.22 (until 2027-06-30T00:00:00Z)
legal_hold:
  description: Whether the store holds it; null for a directory.
  returned: success
  type: bool
  sample: false
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
  sample: {"total": 0.0}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      returned: always
      choices:
        - defect
        - file
        - interrupted
        - missing_library
        - option
        - store
        - store_credentials
        - store_denied
        - store_exists
        - store_locked
        - store_missing
        - store_unavailable
    hint: {description: What to do next., type: str, returned: always}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    operation: {description: Request that the store refused., type: str, returned: when a store refused one}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Set reason.", "kind": "option"}
"""

import time
from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import STORE_OPTIONS, require_fitting
from ..module_utils._errors import OptionError, printable
from ..module_utils._operations.hold import HoldRequest, hold
from ..module_utils._storage.archive_selection import moment
from ..module_utils._storage.hold import REASON_LIMIT, Hold
from ..module_utils._storage.location import parse_location

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    **STORE_OPTIONS,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "reason": {"type": "str"},
    "until": {"type": "str"},
    "legal_hold": {"type": "bool", "default": False},
}


def wanted_of(params: dict[str, Any]) -> Hold | None:
    if params["state"] == "absent":
        return None
    reason = params["reason"] or ""
    if not reason.strip() or printable(reason, None) != reason or len(reason) > REASON_LIMIT:
        raise OptionError(
            f"reason must be one line of 1 to {REASON_LIMIT} characters", hint="Say why the archive has to stay."
        )
    return Hold(reason, _until(params["until"]))


def _until(text: str | None) -> float | None:
    if not text:
        return None
    try:
        until = moment(text)
    except (ValueError, OverflowError):
        raise OptionError(f"until: {printable(text)} is not a time", hint="Write 2027-01-31T00:00:00Z.") from None
    if until <= time.time():
        raise OptionError(f"until: {printable(text)} has passed", hint="Set a time in the future.")
    return float(int(until))


def hold_archive(run: Run) -> dict[str, Any]:
    location = parse_location(run.params["path"], "path")
    settings = run.store_settings()
    require_fitting(settings, [location])
    request = HoldRequest(location, wanted_of(run.params), run.params["legal_hold"], settings)
    held = hold(request, time.time(), check=run.check)
    return {
        "changed": held.changed,
        "path": run.params["path"],
        "held": held.after is not None,
        "reason": held.after,
        "legal_hold": held.legal_hold,
        "diff": {"before": {"held": held.before}, "after": {"held": held.after}},
    }


def main() -> None:
    run_module({"argument_spec": OPTIONS, "required_if": [("state", "present", ["reason"])]}, hold_archive)


if __name__ == "__main__":
    main()
