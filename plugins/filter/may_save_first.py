# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: may_save_first
short_description: Decide whether clusters can be saved before they are asked who they are
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns true when every cluster has one host, no save overwrites a file or goes into a bucket, and all settings are
    valid. A save then learns all that is needed, and P(disaster_recovery.consul.saves_in_question#filter) checks it.
  - The role P(disaster_recovery.consul.backup#role) calls it once for all hosts of a play.
positional: _input
options:
  _input:
    description:
      - One entry for each host, with C(host), C(cluster), C(lasting) (the file that a save overwrites or the bucket
        that it goes into, or empty), C(problems), C(names) and C(others), as in
        P(disaster_recovery.consul.cluster_plan#filter).
    type: list
    elements: dict
    required: true
  role:
    description: The role whose variables are checked.
    type: str
    default: backup
  specs:
    description: Content of the role's C(meta/argument_specs.yml), to find misspelled variables.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show whether the clusters can be saved at once
  ansible.builtin.debug:
    msg: "{{ settings | disaster_recovery.consul.may_save_first }}"
  vars:
    settings:
      - {host: consul-1, cluster: production, lasting: "", problems: []}
      - {host: consul-2, cluster: staging, lasting: "", problems: []}
"""

RETURN = r"""
_value:
  description: Whether every host can save without being asked first.
  type: bool
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _save_first
from ..plugin_utils._spelling import known_in


def may_save_first(
    settings: Iterable[Mapping[str, Any]], *, role: str = "backup", specs: Mapping[str, Any] | None = None
) -> bool:
    """Return whether every host can save at once; see DOCUMENTATION."""
    try:
        return _save_first.may_save_first(settings, role=str(role), known=known_in(specs or {}))
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"may_save_first needs dictionaries with host and cluster: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"may_save_first": may_save_first}
