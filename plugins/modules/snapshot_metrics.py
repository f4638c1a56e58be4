#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot_metrics
short_description: Write metrics of backups and rehearsals for Prometheus
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Updates a file for a textfile collector, such as that of node_exporter. The roles
    P(disaster_recovery.consul.backup#role) and P(disaster_recovery.consul.rehearsal#role) call it on the controller.
  - At least one of O(report), O(backups), O(attempted) and O(expected) is required.
  - Metrics of other clusters, and metrics that this run does not update, stay in the file. Backups and rehearsals can
    therefore share one file. Each cluster has one series of each metric, whatever its datacenter was before.
  - The file is read, merged and replaced in one step, while its directory is locked. Concurrent runs lose nothing, and
    a collector never reads an incomplete file.
  - No time in the file is later than now. A time that is more than a day ahead is dropped.
  - C(docs/monitoring.md) describes the metrics.
options:
  path:
    description:
      - The file. Its name should end with C(.prom).
      - The directory must exist. A new file gets the mode V(0644), an existing file keeps its owner and mode. A file
        that contains anything other than these metrics is refused.
    type: path
    required: true
  report:
    description: Path of a report of P(disaster_recovery.consul.rehearsal_report#filter), as JSON.
    type: path
  backups:
    description: One entry for each cluster with an archive that was kept or confirmed.
    type: list
    elements: dict
    suboptions:
      cluster:
        description: Name of the cluster.
        type: str
        required: true
      changed:
        description: Whether the archive is new.
        type: bool
        default: false
      confirmed_by_leader:
        description:
          - The value that M(disaster_recovery.consul.snapshot_save) returned. An archive that no leader confirmed does
            not count as a successful attempt.
        type: bool
        default: true
      datacenter:
        description: Datacenter of the cluster, if known.
        type: str
      taken_at:
        description: When the archive was taken.
        type: str
      confirmed_at:
        description: When its content was last confirmed.
        type: str
      size:
        description: Size of the archive in bytes.
        type: int
      records:
        description: Records by type, with C(count) and C(size), as M(disaster_recovery.consul.snapshot_save) returned
          them.
        type: dict
      copies:
        description:
          - Whether each further store has its copy of the archive, by the path or URL of the store. An archive that
            lacks a copy does not count as a successful attempt.
        type: dict
  attempted:
    description:
      - Names of the clusters for which a backup was attempted. Clusters without an entry in O(backups) count as failed.
    type: list
    elements: str
  failures:
    description:
      - The kind of failure for each cluster of which something failed, such as V(connection) or V(no_leader), by its
        name. The time of the run and the kind stay in the file after a later success.
    type: dict
  expected:
    description:
      - Names of all clusters of the inventory. Those without a successful backup can then be found, whether or not one
        was ever attempted.
    type: list
    elements: str
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    support: full
    platforms: posix
seealso:
  - module: disaster_recovery.consul.snapshot_save
  - plugin: disaster_recovery.consul.rehearsal_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the metrics of a report
  disaster_recovery.consul.snapshot_metrics:
    path: /var/lib/node_exporter/textfile/consul.prom
    report: /srv/www/consul-rehearsal/report.json
  delegate_to: localhost

- name: Save the state of Consul
  disaster_recovery.consul.snapshot_save:
    dest: /var/backups/consul/
  register: saved

- name: Write the metrics of the backup
  disaster_recovery.consul.snapshot_metrics:
    path: /var/lib/node_exporter/textfile/consul.prom
    backups:
      - cluster: production
        changed: "{{ saved is changed }}"
        confirmed_by_leader: "{{ saved.confirmed_by_leader }}"
        datacenter: "{{ saved.cluster.datacenter }}"
        taken_at: "{{ saved.taken_at }}"
        confirmed_at: "{{ saved.confirmed_at }}"
        size: "{{ saved.size }}"
        records: "{{ saved.records }}"
  delegate_to: localhost
"""

RETURN = r"""
path:
  description: The file.
  returned: always
  type: str
  sample: /var/lib/node_exporter/textfile/consul.prom
clusters:
  description: The clusters whose metrics this run updated.
  returned: success
  type: list
  elements: str
  sample: [production]
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
  sample: {"total": 0.1, "update": 0.1}
failure:
  description: What went wrong, for a playbook to act on. C(docs/failures.md) explains every kind.
  returned: failure
  type: dict
  contains:
    kind:
      description: The kind of failure.
      type: str
      returned: always
      choices: [defect, file, interrupted, option]
    hint: {description: What to do next., type: str, returned: always}
    path: {description: File or directory concerned., type: str, returned: when there is one}
    place: {description: Place in the code to report., type: str, returned: after a defect of the collection}
  sample: {"hint": "Create it first, or correct the path.", "kind": "file", "path": "/var/lib/node_exporter"}
"""

from typing import Any

from ..module_utils._ansible.runner import Run, run_module
from ..module_utils._operations.report.textfile import Updated, update

OPTIONS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "report": {"type": "path"},
    "backups": {
        "type": "list",
        "elements": "dict",
        "options": {
            "cluster": {"type": "str", "required": True},
            "changed": {"type": "bool", "default": False},
            "confirmed_by_leader": {"type": "bool", "default": True},
            "datacenter": {"type": "str"},
            "taken_at": {"type": "str"},
            "confirmed_at": {"type": "str"},
            "size": {"type": "int"},
            "records": {"type": "dict"},
            "copies": {"type": "dict"},
        },
    },
    "attempted": {"type": "list", "elements": "str"},
    "failures": {"type": "dict"},
    "expected": {"type": "list", "elements": "str"},
}


def result_of(path: str, updated: Updated) -> dict[str, Any]:
    return {"changed": updated.before != updated.after, "path": path, "clusters": updated.clusters}


def diff_of(path: str, updated: Updated) -> dict[str, Any]:
    return {"before": updated.before, "after": updated.after, "before_header": path, "after_header": path}


def write_metrics(run: Run) -> dict[str, Any]:
    path, params = run.params["path"], run.params
    run.so_far = lambda: {"path": path}
    with run.journal.phase("update"):
        updated = update(
            path,
            report=params["report"],
            backups=params["backups"] or (),
            attempted=params["attempted"] or (),
            failures=params["failures"],
            expected=params["expected"] or (),
            write=not run.check,
        )
    return {**result_of(path, updated), **({"diff": diff_of(path, updated)} if run.diff else {})}


def main() -> None:
    run_module(
        {"argument_spec": OPTIONS, "required_one_of": [("report", "backups", "attempted", "expected")]}, write_metrics
    )


if __name__ == "__main__":
    main()
