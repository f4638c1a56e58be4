# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: archive_place
short_description: Tell a directory of archives from the URL of a store
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns what a role needs to know of a path or URL. Nothing is looked up.
positional: _input
options:
  _input:
    description: A path, or a URL such as C(s3://bucket/prefix/).
    type: str
    required: true
  store:
    description: Whether a URL is that of a store, whether or not it ends with a slash. Otherwise it may be an archive.
    type: bool
    default: false
  option:
    description: Whose value it is, for C(problem).
    type: str
    default: the URL
"""

EXAMPLES = r"""
- name: Show where the archives are
  ansible.builtin.debug:
    msg: "{{ (backup_dir | disaster_recovery.consul.archive_place(store=true)).path }}"
"""

RETURN = r"""
_value:
  description: What is known of the place.
  type: dict
  contains:
    local:
      description: Whether it is a path. C(file:) URLs are paths.
      type: bool
    path:
      description: The path without a slash at its end, or the URL. A store's URL ends with a slash.
      type: str
    pick:
      description: What the last part of a URL asks for, V(newest) or a time, which C(path) then lacks; or empty.
      type: str
    problem:
      description: Why the URL can't be used, or empty.
      type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._places import place_of


def archive_place(text: Any, *, store: bool = False, option: str = "the URL") -> Any:
    """Return what is known of the place; see DOCUMENTATION."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"archive_place needs a path or URL, got {type(text).__name__}")
    return wrap_var(place_of(text, store=bool(store), option=str(option)))


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"archive_place": archive_place}
