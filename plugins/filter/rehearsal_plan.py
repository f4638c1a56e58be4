# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_plan
short_description: Decide which host rehearses which archives
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Hosts that represent the same cluster with the same archives are one; the first of them does the work. Where
    several clusters keep their archives in one directory, only archives that name their cluster count.
  - The role P(disaster_recovery.consul.rehearsal#role) calls it once for all hosts of a play.
positional: _input
options:
  _input:
    description: One entry for each host.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host.
        type: str
        required: true
      cluster:
        description: Name of the cluster that it represents.
        type: str
        required: true
      'on':
        description: Host on which the archives are.
        type: str
        required: true
      place:
        description: Directory of the archives.
        type: path
        required: true
      work:
        description: Text that is equal for equal work on the same archives.
        type: str
        required: true
      catalogue:
        description: Directories and URLs of the stores that the report lists for it.
        type: list
        elements: str
"""

EXAMPLES = r"""
- name: Show who works
  ansible.builtin.debug:
    msg: >-
      {{ [seat | combine({'host': 'a'}), seat | combine({'host': 'b'})] | disaster_recovery.consul.rehearsal_plan }}
  vars:
    seat:
      cluster: production
      'on': localhost
      place: /srv/consul-archives/production
      work: newest
"""

RETURN = r"""
_value:
  description:
    - For each host C(works), whether it does the work, and C(shared), whether several clusters of the play keep their
      archives in its directory, and C(catalogue), the same for each store of its catalogue.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._rehearsal_plan import planned


def rehearsal_plan(seats: Any) -> dict[str, dict[str, Any]]:
    """Return the plan; see DOCUMENTATION."""
    try:
        return planned(seats)
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"rehearsal_plan requires one entry for each host: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_plan": rehearsal_plan}
