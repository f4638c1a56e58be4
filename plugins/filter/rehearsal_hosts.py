# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_hosts
short_description: Name the hosts that rehearse
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns the hosts that C(rehearsal_on) names, each once.
  - The role P(disaster_recovery.consul.rehearsal#role) uses it.
positional: _input
options:
  _input:
    description: A host, a group, or a list of both.
    type: raw
    required: true
  groups:
    description: The groups of the inventory.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show them
  ansible.builtin.debug:
    msg: "{{ ['rehearsal', 'localhost'] | disaster_recovery.consul.rehearsal_hosts(groups=groups) }}"
"""

RETURN = r"""
_value:
  description: The hosts.
  type: list
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._rehearsal_hosts import hosts_of


def rehearsal_hosts(on: Any, *, groups: Mapping[str, Any]) -> list[str]:
    """Return the hosts; see DOCUMENTATION."""
    try:
        return hosts_of(on, groups)
    except (TypeError, AttributeError) as error:
        raise AnsibleFilterError(f"rehearsal_hosts needs a host, a group or a list of them: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_hosts": rehearsal_hosts}
