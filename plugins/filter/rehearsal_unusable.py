# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_unusable
short_description: Say which rehearsal hosts can't be used
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns a reason for each host whose Consul does not run, that can't be reached, or that has no space.
  - The role P(disaster_recovery.consul.rehearsal#role) uses it.
positional: _input
options:
  _input:
    description: Results of the loop that asked each host.
    type: list
    elements: dict
    required: true
  binary:
    description: The Consul program that was asked for.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show them
  ansible.builtin.debug:
    msg: "{{ probed.results | disaster_recovery.consul.rehearsal_unusable(binary='consul') }}"
"""

RETURN = r"""
_value:
  description: A reason for each such host.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._rehearsal_hosts import unusable_of


def rehearsal_unusable(probes: Iterable[Mapping[str, Any]], *, binary: str) -> Any:
    """Return the reasons; see DOCUMENTATION."""
    try:
        return wrap_var(unusable_of(probes, str(binary)))
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"rehearsal_unusable requires the results of a loop: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_unusable": rehearsal_unusable}
