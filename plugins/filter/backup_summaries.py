# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: backup_summaries
short_description: Sum up backups, one line for each
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns a line for each fact C(backup_result) that the role P(disaster_recovery.consul.backup#role) has set.
positional: _input
options:
  _input:
    description: The facts C(backup_result). Empty ones are left out.
    type: list
    elements: dict
    required: true
  check:
    description: Whether the role ran in check mode.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what was saved
  ansible.builtin.debug:
    msg: "{{ results | disaster_recovery.consul.backup_summaries }}"
  vars:
    results: "{{ ansible_play_batch | map('extract', hostvars, 'backup_result') | list }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._backup_summary import summaries_of


def backup_summaries(results: Iterable[Mapping[str, Any]], *, check: bool = False) -> Any:
    """Return the lines; see DOCUMENTATION."""
    try:
        # Paths and names are no templates.
        return wrap_var(summaries_of(results, check=bool(check)))
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"backup_summaries needs facts of the role backup: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"backup_summaries": backup_summaries}
