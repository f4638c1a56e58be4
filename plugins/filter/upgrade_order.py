# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: upgrade_order
short_description: Put the hosts of a cluster in the order in which to upgrade them
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Followers come first and the leader last. A leader of a new version writes to the log what followers of an old
    version may not know, and they end.
positional: _input
options:
  _input:
    description: RV(disaster_recovery.consul.cluster_info#module:servers).
    type: list
    elements: dict
    required: true
  hosts:
    description: Names of the hosts, by the node id of the agent on each.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Look at the cluster
  disaster_recovery.consul.cluster_info:
  register: cluster

- name: Show the order
  ansible.builtin.debug:
    msg: "{{ (cluster.servers | disaster_recovery.consul.upgrade_order(hosts)).hosts }}"
  vars:
    hosts:
      0b5e3a1c-5c1f-4f0a-9d0e-0f5c1f0b7a11: consul-1.example.com
"""

RETURN = r"""
_value:
  description: The order.
  type: dict
  contains:
    hosts:
      description: The hosts in that order.
      type: list
      elements: str
    elsewhere:
      description: Names of servers that are none of these hosts.
      type: list
      elements: str
    leader:
      description: Name of the leader, or null.
      type: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils import _upgrade


def upgrade_order(servers: Iterable[Mapping[str, Any]] | None, hosts: Mapping[str, str]) -> Any:
    """Return the order; see DOCUMENTATION."""
    try:
        return wrap_var(_upgrade.upgrade_order(servers or (), hosts))
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"upgrade_order needs servers of cluster_info: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"upgrade_order": upgrade_order}
