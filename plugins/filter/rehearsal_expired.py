# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_expired
short_description: Name the reports of rehearsals that are no longer to be kept
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Of the names of files in a directory of reports, returns those that are older than the newest runs.
  - The role P(disaster_recovery.consul.rehearsal#role) removes them. Names that are not those of its reports, and
    reports that are dated ahead of now, are never returned.
positional: _input
options:
  _input:
    description: The names.
    type: list
    elements: str
    required: true
  keep:
    description: The reports of so many runs stay. V(0) keeps all.
    type: int
    required: true
  most:
    description: So many names are returned at most.
    type: int
"""

EXAMPLES = r"""
- name: Show what would go
  ansible.builtin.debug:
    msg: >-
      {{ query('ansible.builtin.fileglob', '/srv/www/consul-rehearsal/history/*') | map('basename')
      | disaster_recovery.consul.rehearsal_expired(keep=400) }}
"""

RETURN = r"""
_value:
  description: The names of the files to remove, the oldest first.
  type: list
  elements: str
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._operations.report.history import expired


def rehearsal_expired(names: Iterable[Any], *, keep: int, most: int | None = None) -> Any:
    """Return the names; see DOCUMENTATION."""
    try:
        found = expired(map(str, names), int(keep), time.time())
        return wrap_var(found if most is None else found[: int(most)])
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"rehearsal_expired needs names and a number: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_expired": rehearsal_expired}
