# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_spread
short_description: Decide which host rehearses which cluster
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Spreads clusters over rehearsal hosts, evenly, and the same for the same clusters and hosts. Most clusters stay
    when a host is added.
  - The role P(disaster_recovery.consul.rehearsal#role) uses it.
positional: _input
options:
  _input:
    description: One entry for each host of the play, with C(host), C(cluster) and C(on), a host or a list of hosts.
    type: list
    elements: dict
    required: true
  unusable:
    description: Hosts that get nothing, as long as there is another one.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show where each is rehearsed
  ansible.builtin.debug:
    msg: "{{ [{'host': 'a', 'cluster': 'a', 'on': ['r1', 'r2']}] | disaster_recovery.consul.rehearsal_spread }}"
"""

RETURN = r"""
_value:
  description: For each host of the play where its cluster is rehearsed.
  type: dict
"""

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._rehearsal_hosts import spread


def rehearsal_spread(seats: Any, *, unusable: Iterable[str] = ()) -> dict[str, str]:
    """Return where each is rehearsed; see DOCUMENTATION."""
    try:
        return spread(seats, unusable)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"rehearsal_spread requires one entry for each host: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_spread": rehearsal_spread}
