# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: snapshot_metrics
short_description: Tell of backups and rehearsals in Prometheus' text format
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns the text of a file for a textfile collector. What the file said already of other clusters, and what this run
    has nothing to say about, stays; so backups and rehearsals can share one file.
  - C(docs/monitoring.md) describes the metrics.
positional: _input
options:
  _input:
    description:
      - What P(disaster_recovery.consul.rehearsal_report#filter) returned, or a list of backups that ended well, each
        with C(cluster), C(datacenter), C(taken_at), C(confirmed_at), C(size) and C(records).
    type: raw
    required: true
  existing:
    description: What is in the file now.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Show the metrics of a report
  ansible.builtin.debug:
    msg: "{{ report | disaster_recovery.consul.snapshot_metrics }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._metrics import merge, of_backups, of_report
from ..module_utils._report import is_report


def snapshot_metrics(told: Any, *, existing: str = "") -> str:
    """Return the text; see DOCUMENTATION."""
    if not is_report(told) and not (isinstance(told, list) and all(isinstance(one, Mapping) for one in told)):
        raise AnsibleFilterError("snapshot_metrics wants a report of rehearsals, or a list of backups")
    try:
        return merge(str(existing), of_backups(told) if isinstance(told, list) else of_report(told))
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"snapshot_metrics: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"snapshot_metrics": snapshot_metrics}
