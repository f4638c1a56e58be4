# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: backup_copies
short_description: Say what became of the copies of an archive
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns an entry for each store that is to have a copy. The role P(disaster_recovery.consul.backup#role) puts them
    into its result.
positional: _input
options:
  _input:
    description: The stores, as paths and URLs.
    type: list
    elements: str
    required: true
  results:
    description: Results of M(disaster_recovery.consul.snapshot_copy) in a loop over the numbers of the stores.
    type: list
    elements: dict
    required: true
  fetched:
    description: Path of the copy on the controller, or empty.
    type: str
    default: ""
  check:
    description: Whether this is check mode. A store without a result would get its copy then.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show which stores lack the archive
  ansible.builtin.debug:
    msg: "{{ stores | disaster_recovery.consul.backup_copies(copied.results) | map(attribute='problem') | select }}"
"""

RETURN = r"""
_value:
  description: The copies.
  type: list
  elements: dict
  contains:
    path:
      description: The store.
      type: str
    archive:
      description: Where the copy is in it, or would be. Null where that is not known.
      type: str
    made:
      description: Whether it is there.
      type: bool
    changed:
      description: Whether it is new, or would be.
      type: bool
    problem:
      description: Why it is not there, or empty.
      type: str
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._copies import copies_of


def backup_copies(
    places: Sequence[str], results: Iterable[Mapping[str, Any]], *, fetched: str = "", check: bool = False
) -> Any:
    """Return the copies; see DOCUMENTATION."""
    try:
        # Messages of stores are in it, which are no templates.
        return wrap_var(copies_of(places, results, fetched=str(fetched or ""), check=bool(check)))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"backup_copies needs results of snapshot_copy in a loop: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"backup_copies": backup_copies}
