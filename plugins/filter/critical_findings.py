# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: critical_findings
short_description: Say what in an archive stops servers that restore it
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns a sentence for each critical finding of M(disaster_recovery.consul.snapshot_info), with the version of
    Consul that it was judged for.
positional: _input
options:
  _input:
    description:
      - Results of M(disaster_recovery.consul.snapshot_info) in a loop over versions of Consul, each with C(item) and
        C(findings).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the archive as servers of these versions do
  disaster_recovery.consul.snapshot_info:
    path: /srv/consul-archives/production/dc1-20261123T021500Z-3135.snap
    target_version: "{{ item }}"
  loop: ["1.21.5", "1.22.7"]
  register: judged

- name: Show what stops them
  ansible.builtin.debug:
    msg: "{{ judged.results | disaster_recovery.consul.critical_findings }}"
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils import _critical_findings


def critical_findings(judged: Iterable[Mapping[str, Any]]) -> Any:
    """Return the sentences; see DOCUMENTATION."""
    try:
        # Names of a cluster's records are in it, which are no templates.
        return wrap_var(_critical_findings.critical_findings(judged))
    except (AttributeError, KeyError, TypeError) as error:
        raise AnsibleFilterError(f"critical_findings needs results of snapshot_info: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"critical_findings": critical_findings}
