# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: schedule_found
short_description: Tell the files of a schedule from those of somebody else
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Files of the role P(disaster_recovery.consul.schedule#role) have a comment that says so, and to what place and
    inventory they belong. The role overwrites and removes no other file.
positional: _input
options:
  _input:
    description: What C(files/look.sh) of the role printed.
    type: str
    required: true
  paths:
    description: The files that it was asked for.
    type: list
    elements: str
    required: true
  place:
    description: Count only files that belong to this place, V(controller) or V(servers).
    type: str
    default: ""
  inventory:
    description: Count only files that belong to these inventories.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Show what is there of a schedule
  ansible.builtin.debug:
    msg: "{{ looked.stdout | disaster_recovery.consul.schedule_found(paths) }}"
"""

RETURN = r"""
_value:
  description: Paths as C(own), as C(other) (files of the role for another place or inventory) and as C(foreign). Also
    C(uid), C(systemd), C(cron), C(program) and C(calendar), which say what else is there.
  type: dict
"""

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._schedule import found_in


def schedule_found(
    told: str, paths: Iterable[str], *, place: str = "", inventory: Iterable[str] | None = None
) -> dict[str, Any]:
    """Return whose files are there; see DOCUMENTATION."""
    try:
        sources = None if inventory is None else [str(source) for source in inventory]
        return found_in(str(told), [str(path) for path in paths], place=str(place), inventory=sources)
    except TypeError as error:
        raise AnsibleFilterError(f"schedule_found needs a text and paths: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"schedule_found": schedule_found}
