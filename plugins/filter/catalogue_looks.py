# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: catalogue_looks
short_description: Put together what modules returned of the stores of a catalogue
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Takes results of M(disaster_recovery.consul.snapshot_list) and M(disaster_recovery.consul.snapshot_prune), each in a
    loop over the numbers of the stores, and returns what P(disaster_recovery.consul.rehearsal_report#filter) needs of
    them as C(catalogue).
positional: _input
options:
  _input:
    description: What P(disaster_recovery.consul.catalogue_stores#filter) returned.
    type: list
    elements: dict
    required: true
  listed:
    description: The results of M(disaster_recovery.consul.snapshot_list).
    type: list
    elements: dict
    required: true
  pruned:
    description: The results of M(disaster_recovery.consul.snapshot_prune) in check mode.
    type: list
    elements: dict
    default: []
  host:
    description: Host that paths are on.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: List the archives in each store
  disaster_recovery.consul.snapshot_list:
    path: "{{ stores[item].path }}"
  loop: "{{ range(stores | length) | list }}"
  register: listed
  failed_when: false

- name: Put it together
  ansible.builtin.set_fact:
    catalogue: >-
      {{ stores | disaster_recovery.consul.catalogue_looks(listed=listed.results, host='localhost') }}
"""

RETURN = r"""
_value:
  description: For each store C(store), C(on), C(listed) and C(pruned).
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._catalogue import looks_of


def catalogue_looks(
    stores: Sequence[Mapping[str, Any]],
    *,
    listed: Iterable[Mapping[str, Any]],
    host: str,
    pruned: Iterable[Mapping[str, Any]] = (),
) -> Any:
    """Return what was seen; see DOCUMENTATION."""
    try:
        # Results of modules are no templates, whoever passes them on.
        return looks_of(stores, listed=listed, pruned=pruned, host=str(host))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"catalogue_looks needs results of modules in a loop: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"catalogue_looks": catalogue_looks}
