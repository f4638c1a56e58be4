#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_prune
short_description: Remove old archives of Consul's state that a policy does not keep
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Removes archives from a directory or a bucket, by rules such as "the last 7, one a day for 30 days, one a month for
    a year". Each cluster's archives are counted by themselves. An archive that any rule keeps is kept.
  - Archives are ordered by the time when they were taken, which their manifests contain. Times of files and objects do
    not matter.
  - "These archives are always kept, whatever the rules: the newest verified archives of a cluster (O(minimum)); the
    newest in O(rehearsed); the newest of each set of Raft servers that was saved under the same cluster name; held
    archives (M(disaster_recovery.consul.snapshot_hold)); archives that the store locks; archives dated more than a day
    ahead; archives that do not match their manifest and are newer than the newest verified archive."
  - Files and objects without a manifest of this collection are never counted and never removed.
  - Without a rule nothing is removed. If the newest archive of a cluster is damaged, or has lost much of its content
    (O(max_shrink)), nothing of that cluster is removed.
  - Before anything is removed, the newest archive of each cluster concerned is checked. In a directory it is read; in a
    bucket the store is asked for its size and checksum.
extends_documentation_fragment:
  - disaster_recovery.consul.store
  - disaster_recovery.consul.attributes
attributes:
  check_mode:
    support: full
    details: Lists every archive with the reasons to keep it, and what would be removed.
  diff_mode:
    support: full
    details: Lists the archives before and after, each with the reasons to keep it.
  idempotent:
    support: full
    details: A second run removes nothing more. Time alone removes nothing either, until there is a newer archive.
options:
  path:
    description: Directory, or URL of a store such as V(s3://bucket/prefix/). Directories below it are not looked into.
    type: path
    required: true
  cluster:
    description: Prune only archives that were saved under this cluster name. Archives without a name are left alone.
    type: str
  keep_last:
    description: Keep so many of the newest archives.
    type: int
    default: 0
  keep_within:
    description:
      - Keep all archives that were taken within this time before the newest one, such as V(36h), V(30d), V(12w), V(6mo)
        or V(1y 6mo). It counts from the newest archive, not from now, so that nothing is lost when backups stop.
      - A lone C(m) is refused, because it could mean minutes or months.
    type: str
  keep_hourly:
    description:
      - Keep the newest archive of each of so many hours in which there are archives. As long as there are fewer such
        hours, the oldest archive is kept as well. The same holds for the other periods.
    type: int
    default: 0
  keep_daily:
    description: Keep the newest archive of each of so many days.
    type: int
    default: 0
  keep_weekly:
    description: Keep the newest archive of each of so many ISO weeks, which begin on Monday.
    type: int
    default: 0
  keep_monthly:
    description: Keep the newest archive of each of so many months.
    type: int
    default: 0
  keep_yearly:
    description: Keep the newest archive of each of so many years.
    type: int
    default: 0
  minimum:
    description: Keep at least so many of the newest verified archives of each cluster. It must be 1 or more.
    type: int
    default: 1
  max_remove:
    description:
      - Fail, and remove nothing, if more archives of one cluster would be removed. By default, half of its archives.
      - Raise it for one run if a policy is new or stricter than before.
    type: int
  max_shrink:
    description:
      - Remove nothing of a cluster whose newest archive has lost more than so many percent of the keys or the tokens of
        the archive before it. V(100) turns this off.
    type: int
    default: 50
  timezone:
    description: Time zone in which days, weeks, months and years begin, such as V(Europe/Berlin).
    type: str
    default: UTC
  rehearsed:
    description:
      - SHA-256 checksums of archives that M(disaster_recovery.consul.snapshot_rehearse) has proven. The newest of these
        archives is kept.
    type: list
    elements: str
    default: []
seealso:
  - module: disaster_recovery.consul.snapshot_hold
  - module: disaster_recovery.consul.snapshot_list
"""

EXAMPLES = r"""
- name: Keep a month of days and a year of months
  disaster_recovery.consul.snapshot_prune:
    path: /var/backups/consul
    keep_daily: 30
    keep_monthly: 12

- name: Show what a policy would remove from a bucket
  disaster_recovery.consul.snapshot_prune:
    path: s3://backups/consul/
    keep_within: 14d
    keep_weekly: 8
    store:
      region: eu-central-1
  check_mode: true
  diff: true
"""

RETURN = r"""
archives:
  description:
    - All archives of this collection in the store, of the cluster if O(cluster) is set, the newest first.
  returned: success, or when nothing was removed because of O(max_remove)
  type: list
  elements: dict
  contains:
    path: {description: Path or URL., type: str, returned: success}
    cluster: {description: The cluster that it is counted for., type: str, returned: success}
    taken_at: {description: When it was taken (UTC)., type: str, returned: success}
    size: {description: Its size in bytes., type: int, returned: success}
    keep: {description: Whether it is kept., type: bool, returned: success}
    reasons: {description: Why it is kept; empty if it is not., type: list, elements: str, returned: success}
  sample:
    - cluster: production
      keep: true
      path: /var/backups/consul/dc1-20261123T021500Z-3135.snap
      reasons: [the newest verified, daily 2026-11-23]
      size: 81930112
      taken_at: "2026-11-23T02:15:00Z"
removed:
  description: Archives that were removed, or would be in check mode. After a failure, those that are gone.
  returned: success, or after a failure once archives were listed
  type: list
  elements: str
  sample: [/var/backups/consul/dc1-20261022T021500Z-2891.snap]
kept:
  description: How many archives are kept.
  returned: success
  type: int
  sample: 42
foreign:
  description: How many files or objects look like archives and are not counted, because they have no manifest.
  returned: success
  type: int
  sample: 0
leftovers:
  description: Manifests that were removed because an earlier, killed run had removed their archives.
  returned: success
  type: list
  elements: str
  sample: []
freed_bytes:
  description: Bytes that were freed, or would be.
  returned: success
  type: int
  sample: 81934502
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
  sample: {"list": 0.1, "look": 0.2, "remove": 0.1, "total": 0.4}
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
        - retention
        - store
        - store_credentials
        - store_denied
        - store_locked
        - store_missing
        - store_unavailable
    hint: {description: What to do next., type: str, returned: always}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    operation: {description: Request that the store refused., type: str, returned: when a store refused one}
    clusters:
      description: Clusters of which too many archives would go.
      type: list
      elements: str
      returned: when nothing was removed because of O(max_remove)
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"clusters": ["production"], "hint": "Then raise max_remove for one run.", "kind": "retention"}
"""

import datetime
import time
import zoneinfo
from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._ansible.store_options import STORE_OPTIONS, require_fitting
from ..module_utils._errors import OptionError, printable
from ..module_utils._operations.prune.run import prune
from ..module_utils._operations.prune.view import PruneRequest
from ..module_utils._storage.location import parse_location
from ..module_utils._storage.retention.policy import RULES, Duration, Policy, parse_duration

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    **STORE_OPTIONS,
    "cluster": {"type": "str"},
    "keep_last": {"type": "int", "default": 0},
    "keep_within": {"type": "str"},
    **{f"keep_{rule}": {"type": "int", "default": 0} for rule in RULES},
    "minimum": {"type": "int", "default": 1},
    "max_remove": {"type": "int"},
    "max_shrink": {"type": "int", "default": 50},
    "timezone": {"type": "str", "default": "UTC"},
    "rehearsed": {"type": "list", "elements": "str", "default": []},
}


def policy_of(params: dict[str, Any]) -> Policy:
    counts = {name: params[f"keep_{name}"] for name in ("last", *RULES)}
    limits = (("minimum", 1), ("max_remove", 0), ("max_shrink", 0))
    for name, least in (*((f"keep_{rule}", 0) for rule in counts), *limits):
        if params[name] is not None and params[name] < least:
            raise OptionError(f"{name} must be {least} or more", hint="Correct the option.")
    return Policy(
        **counts,
        within=_within(params["keep_within"]),
        minimum=params["minimum"],
        max_remove=params["max_remove"],
        max_shrink=params["max_shrink"],
    )


def _within(text: str | None) -> Duration | None:
    if not text:
        return None
    try:
        return parse_duration(text)
    except ValueError as error:
        raise OptionError(f"keep_within: {printable(text)} is not a duration: {error}", hint="Write 30d.") from None


def zone_of(name: str) -> datetime.tzinfo:
    if name == "UTC":
        return datetime.timezone.utc
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise OptionError(
            f"timezone: {printable(name)} is not a time zone of this host",
            hint="Use a name such as Europe/Berlin. This host needs the package tzdata for names.",
        ) from None


def request_of(run: Run) -> PruneRequest:
    location = parse_location(run.params["path"], "path").as_store()
    settings = run.store_settings()
    require_fitting(settings, [location])
    return PruneRequest(
        location=location,
        policy=policy_of(run.params),
        zone=zone_of(run.params["timezone"]),
        cluster=run.params["cluster"] or None,
        store=settings,
        rehearsed=frozenset(run.params["rehearsed"]),
    )


def diff_of(shown: dict[str, Any]) -> dict[str, Any]:
    def lines(archives: list[dict[str, Any]]) -> str:
        return "".join(f"{one['path']}: {', '.join(one['reasons']) or 'no rule keeps it'}\n" for one in archives)

    removed = set(shown["removed"])
    kept = [one for one in shown["archives"] if one["path"] not in removed]
    return {"before": lines(shown["archives"]), "after": lines(kept)}


def prune_store(run: Run) -> dict[str, Any]:
    run.so_far = lambda: {**run.journal.shown, "changed": bool(run.journal.shown.get("removed")) and not run.check}
    changed = prune(request_of(run), run.journal, time.time(), check=run.check)
    shown = run.journal.shown
    return {**shown, "changed": changed, "diff": diff_of(shown)}


def main() -> None:
    run_module({"argument_spec": OPTIONS}, prune_store)


if __name__ == "__main__":
    main()
