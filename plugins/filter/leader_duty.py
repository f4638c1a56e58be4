# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: leader_duty
short_description: Decide whether a cluster is backed up where only its leader's host does that
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - A cluster is worked on if one of the hosts is its leader, if a host can't tell whether it is, or if the newest
    archive is older than O(fallback_after).
  - The role P(disaster_recovery.consul.backup#role) uses it for C(backup_only_on_leader).
positional: _input
options:
  _input:
    description: The hosts of the cluster that answer, in the order in which they would be tried.
    type: list
    elements: str
    required: true
  answers:
    description: By host, the registered result of M(disaster_recovery.consul.cluster_info).
    type: dict
    required: true
  fallback_after:
    description: How old the newest archive may become before another host works, such as V(36h). Empty for never.
    type: str
    default: ""
  listed:
    description: The registered result of M(disaster_recovery.consul.snapshot_list), once it was asked.
    type: dict
  now:
    description: The time, in seconds since the epoch. By default, the controller's.
    type: float
"""

EXAMPLES = r"""
- name: Show whether this host would take an archive
  ansible.builtin.debug:
    msg: "{{ [inventory_hostname] | disaster_recovery.consul.leader_duty(answers) }}"
  vars:
    answers: "{{ {inventory_hostname: consul} }}"
"""

RETURN = r"""
_value:
  description:
    - C(works), whether the cluster is worked on. C(hosts), through which hosts, the leader's first. C(reason), why.
      C(asks), whether O(listed) is needed for the decision. C(fault), why it can't be made; empty when it can.
  type: dict
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._leader_duty import duty_of


def leader_duty(
    hosts: Iterable[str],
    answers: Mapping[str, Any],
    *,
    fallback_after: str = "",
    listed: Mapping[str, Any] | None = None,
    now: float | None = None,
) -> Any:
    """Return the decision; see DOCUMENTATION."""
    try:
        moment = time.time() if now is None else float(now)
        duty = duty_of(hosts, answers, fallback_after=str(fallback_after or ""), listed=listed or None, now=moment)
    except (AttributeError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"leader_duty needs names of hosts and answers of cluster_info: {error}") from error
    # Names of hosts and messages are in it, which are no templates.
    return wrap_var(duty)


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"leader_duty": leader_duty}
