# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: pick_archives
short_description: Order a directory's archives by the time they were taken
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Takes the C(files) that M(ansible.builtin.find) returned and puts the newest archive first. An archive's time is
    what its name says, if it is one that this collection or Consul Enterprise's snapshot agent gives; or else what its
    C(meta.json) says; or else the time of the file.
  - No archive is read and none is verified.
positional: _input
options:
  _input:
    description: Files, each with C(path) and C(mtime).
    type: list
    elements: dict
    required: true
  pick:
    description:
      - V(newest) or V(all) for all of them, or a time, such as V(2026-11-23T02:15:00Z), for those that are not younger.
    type: str
    default: newest
  metas:
    description: Texts of C(meta.json), by path.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look for archives
  ansible.builtin.find:
    paths: /srv/consul-archives/production
    patterns: "*.snap"
  register: found

- name: Show the newest
  ansible.builtin.debug:
    msg: "{{ (found.files | disaster_recovery.consul.pick_archives | first).path }}"
"""

RETURN = r"""
_value:
  description: The archives, the newest first, each with C(path) and C(taken_at).
  type: list
  elements: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._pick import NEWEST, picked


def pick_archives(
    files: Iterable[Mapping[str, Any]], *, pick: str = NEWEST, metas: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return the archives in question; see DOCUMENTATION."""
    try:
        return picked(files, str(pick), metas or {})
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"pick_archives: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"pick_archives": pick_archives}
