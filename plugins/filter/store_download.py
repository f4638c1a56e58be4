# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: store_download
short_description: Say how to fetch an archive from a store
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns the command of the store's own client that downloads an archive into the current directory. No credentials
    are part of it.
positional: _input
options:
  _input:
    description: URL of the archive.
    type: str
    required: true
  store:
    description: How the store is reached, as O(disaster_recovery.consul.snapshot_save#module:store).
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show how to fetch the archive
  ansible.builtin.debug:
    msg: "{{ (saved.dest | disaster_recovery.consul.store_download(backup_store)).command }}"
"""

RETURN = r"""
_value:
  description: What to type.
  type: dict
  contains:
    program:
      description: Name of the client.
      type: str
    command:
      description: The command.
      type: str
    login:
      description: What gives the client credentials.
      type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._errors import OptionError
from ..plugin_utils._kit_commands import download_of


def store_download(url: str, store: Mapping[str, Any] | None = None) -> Any:
    """Return what to type; see DOCUMENTATION."""
    try:
        return wrap_var(download_of(str(url), store or {}))
    except (AttributeError, OptionError, ValueError) as error:
        raise AnsibleFilterError(f"store_download: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"store_download": store_download}
