# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The attributes of every module of this collection."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what would be changed without changing anything.
  diff_mode:
    description: Returns details on what has changed, or would be changed, in C(diff_mode).
  idempotent:
    description: If nothing changes in between, a second run with the same options reports no change.
  platform:
    description: Operating systems on which the module runs.
    support: full
    platforms: posix
"""

    ACTIONGROUP_CONSUL = r"""
attributes:
  action_group:
    description:
      - Use C(group/disaster_recovery.consul.consul) in C(module_defaults) to set the connection of all modules at once.
    support: full
    membership:
      - disaster_recovery.consul.consul
"""
