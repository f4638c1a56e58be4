# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: upgrade_gate
short_description: Say why a cluster should not be upgraded now
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns a sentence for each condition for an upgrade that does not hold. None of them, and the gate is open.
positional: _input
options:
  _input:
    description: The result of M(disaster_recovery.consul.cluster_info).
    type: dict
    required: true
  tolerance:
    description: How many servers the cluster must be able to lose.
    type: int
    default: 1
  refused:
    description: What to say when the token may not save snapshots.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Look at the cluster
  disaster_recovery.consul.cluster_info:
  register: cluster

- name: Show what keeps it from being upgraded
  ansible.builtin.debug:
    msg: "{{ cluster | disaster_recovery.consul.upgrade_gate(tolerance=1) }}"
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._upgrade import shut_because


def upgrade_gate(info: Mapping[str, Any], *, tolerance: int = 1, refused: str = "") -> Any:
    """Return the sentences; see DOCUMENTATION."""
    try:
        # Names of servers are in it, which are no templates.
        return wrap_var(shut_because(info, tolerance=int(tolerance), refused=str(refused)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"upgrade_gate needs a result of cluster_info: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"upgrade_gate": upgrade_gate}
