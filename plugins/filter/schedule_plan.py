# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: schedule_plan
short_description: Turn the settings of a schedule into the command that it runs
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns the command of a schedule, and what is wrong with its settings.
  - The role P(disaster_recovery.consul.schedule#role) calls it for the place where a schedule is kept.
positional: _input
options:
  _input:
    description:
      - The settings, named as the variables of the role without C(schedule_), and C(variables_file), the path of the
        file with variables, or empty.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the command of a schedule
  ansible.builtin.debug:
    msg: "{{ (settings | disaster_recovery.consul.schedule_plan).command }}"
"""

RETURN = r"""
_value:
  description: C(problems), a list of sentences. Without any, C(command) as one line of a shell, C(mark) and C(record),
    the comments by which the role recognizes its files.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _schedule


def schedule_plan(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the command and the problems; see DOCUMENTATION."""
    try:
        problems = _schedule.problems_of(settings)
        if problems:
            return {"problems": problems}
        return {
            "problems": [],
            "command": _schedule.command_text(_schedule.command_of(settings)),
            "mark": _schedule.MARK,
            "record": _schedule.record_text(str(settings["place"]), settings["inventory"]),
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"schedule_plan needs the settings of a schedule: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"schedule_plan": schedule_plan}
