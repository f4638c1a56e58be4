# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: misspelled_variables
short_description: Name variables that are probably a role's own, spelled wrong
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Compares names of variables with the options in a role's C(argument_specs.yml). A name that begins as the role's
    variables do and is nearly one of them is probably meant to be that one. Ansible would not use it, and say nothing.
positional: _input
options:
  _input:
    description: Names of variables, as P(ansible.builtin.varnames#lookup) returns them.
    type: list
    elements: str
    required: true
  specs:
    description: Content of the role's C(meta/argument_specs.yml).
    type: dict
    required: true
  others:
    description: Names that are nearly the role's and belong to something else.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show what may be misspelled
  ansible.builtin.debug:
    msg: >-
      {{ query('ansible.builtin.varnames', '^backup_')
      | disaster_recovery.consul.misspelled_variables(specs=lookup('ansible.builtin.file', path) | from_yaml) }}
  vars:
    path: "{{ role_path }}/meta/argument_specs.yml"
"""

RETURN = r"""
_value:
  description: For each of them C(name), and C(nearest), the option that is probably meant.
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._spelling import known_in, misspelled


def misspelled_variables(
    names: Iterable[str], *, specs: Mapping[str, Any], others: Iterable[str] = ()
) -> list[dict[str, str]]:
    """Return what is misspelled; see DOCUMENTATION."""
    try:
        return misspelled(map(str, names), known_in(specs), others=map(str, others))
    except (AttributeError, TypeError) as error:
        raise AnsibleFilterError(f"misspelled_variables wants names and a role's argument_specs: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"misspelled_variables": misspelled_variables}
