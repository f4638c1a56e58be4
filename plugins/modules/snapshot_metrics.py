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
  - Updates a file that a textfile collector, such as node_exporter's, reads. The roles
    P(disaster_recovery.consul.backup#role) and P(disaster_recovery.consul.rehearsal#role) call it on the controller.
  - At least one of O(report), O(backups) and O(attempted) is required.
  - What the file says about other clusters, and what this run says nothing about, stays; so backups and rehearsals
    share one file. Each cluster has one series of each metric, whatever datacenter was known of it before.
  - The file is read, merged and replaced in one step under a lock on its directory. Two runs at once lose nothing, and
    a collector never sees half of a file.
  - No time in the file lies ahead of now. A time more than a day ahead of now is dropped.
  - C(docs/monitoring.md) describes the metrics.
options:
  path:
    description:
      - The file. Its name should end in C(.prom).
      - The directory must exist. A new file gets the permissions V(0644); an existing one keeps its owner and
        permissions. A file that holds anything else than these metrics is refused.
    type: path
    required: true
  report:
    description: Path of a report that P(disaster_recovery.consul.rehearsal_report#filter) made, as JSON.
    type: path
  backups:
    description: One entry for each cluster of which an archive was kept or confirmed.
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
          - What M(disaster_recovery.consul.snapshot_save) returned. An archive that no leader confirmed does not count
            as a successful attempt.
        type: bool
        default: true
      datacenter:
        description: Datacenter of the cluster, if it is known.
        type: str
      taken_at:
        description: When the archive was taken.
        type: str
      confirmed_at:
        description: When its content was last confirmed to be the cluster's.
        type: str
      size:
        description: Size of the archive in bytes.
        type: int
      records:
        description: Records by type, as M(disaster_recovery.consul.snapshot_save) returned them.
        type: dict
  attempted:
    description:
      - Names of the clusters of which a backup was attempted. For those without an entry in O(backups) the attempt
        failed.
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
  description: The clusters that this run says something about.
  returned: success
  type: list
  elements: str
  sample: [production]
failure:
  description: What went wrong, for a playbook to decide on.
  returned: failure
  type: dict
  contains:
    kind: {description: A word for the kind of fault., type: str, returned: always}
    hint: {description: What to do about it., type: str, returned: always}
    path: {description: File or directory that is at fault., type: str, returned: when there is one}
    place: {description: Place in the code that is at fault., type: str, returned: when the collection has a defect}
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
        },
    },
    "attempted": {"type": "list", "elements": "str"},
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
            write=not run.check,
        )
    return {**result_of(path, updated), **({"diff": diff_of(path, updated)} if run.diff else {})}


def main() -> None:
    run_module({"argument_spec": OPTIONS, "required_one_of": [("report", "backups", "attempted")]}, write_metrics)


if __name__ == "__main__":
    main()
