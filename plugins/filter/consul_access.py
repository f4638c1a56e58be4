# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: consul_access
short_description: Say how commands reach Consul
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns environment variables for the C(consul) program and the beginning of a C(curl) command. A token is never
    part of it.
positional: _input
options:
  _input:
    description: Options of a connection, as in M(disaster_recovery.consul.cluster_info).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show how to call the API
  ansible.builtin.debug:
    msg: "{{ access.curl }} {{ access.api }}/v1/status/leader"
  vars:
    access: "{{ backup_connection | disaster_recovery.consul.consul_access }}"
"""

RETURN = r"""
_value:
  description: What commands need.
  type: dict
  contains:
    environment:
      description: Variables by name.
      type: dict
    api:
      description: What URLs of the API begin with, in double quotes.
      type: str
    curl:
      description: The program with its options.
      type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._kit_commands import access_of


def consul_access(connection: Mapping[str, Any]) -> Any:
    """Return what commands need; see DOCUMENTATION."""
    try:
        given = connection.get("validate_certs")
        return wrap_var(access_of(connection, validates=given is None or boolean(given)))
    except (AttributeError, TypeError) as error:
        raise AnsibleFilterError(f"consul_access needs the options of a connection: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"consul_access": consul_access}
