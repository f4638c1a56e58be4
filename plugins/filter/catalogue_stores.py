# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: catalogue_stores
short_description: Tell which stores a catalogue of archives names
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns each store of C(rehearsal_catalogue) of the role P(disaster_recovery.consul.rehearsal#role) once. Nothing is
    looked up.
positional: _input
options:
  _input:
    description: Paths and URLs of stores, or dictionaries with C(path) and C(store).
    type: list
    elements: raw
    required: true
  default:
    description: Path or URL of the store that an empty list means.
    type: str
    required: true
  store:
    description: How a URL without a C(store) of its own is reached.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show which stores are meant
  ansible.builtin.debug:
    msg: >-
      {{ ['/srv/consul-archives', 's3://backups/consul/']
      | disaster_recovery.consul.catalogue_stores(default='/var/backups/consul') | map(attribute='path') }}
"""

RETURN = r"""
_value:
  description: The stores.
  type: list
  elements: dict
  contains:
    path:
      description: The path without a slash at its end, or the URL with one.
      type: str
    local:
      description: Whether it is a path.
      type: bool
    store:
      description: How it is reached.
      type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._catalogue import stores_named


def catalogue_stores(entries: Any, *, default: str, store: Any = None) -> list[dict[str, Any]]:
    """Return the stores; see DOCUMENTATION."""
    if not isinstance(entries, (list, tuple)):
        raise AnsibleFilterError("rehearsal_catalogue must be a list of stores")
    return stores_named(entries, default=str(default), store=store if isinstance(store, Mapping) else {})


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"catalogue_stores": catalogue_stores}
