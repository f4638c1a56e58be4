# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: saves_in_question
short_description: Name clusters whose saves failed, or that may be one cluster under two names
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Compares what M(disaster_recovery.consul.snapshot_save) learned of the clusters. Clusters that have a Raft server or
    the Connect id in common are in question, and so are those whose save failed.
  - The role P(disaster_recovery.consul.backup#role) then asks their hosts with
    M(disaster_recovery.consul.cluster_info).
positional: _input, clusters
options:
  _input:
    description: One entry for each host, with C(cluster), the name of its cluster.
    type: list
    elements: dict
    required: true
  clusters:
    description:
      - For each host, in the same order, RV(disaster_recovery.consul.snapshot_save#module:cluster); an empty dictionary
        where the save failed.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which clusters have to be asked
  ansible.builtin.debug:
    msg: "{{ settings | disaster_recovery.consul.saves_in_question(clusters) }}"
  vars:
    settings:
      - {cluster: production}
      - {cluster: staging}
    clusters:
      - {id: null, servers: [0b5e3a1c-5c1f-4f0a-9d0e-0f5c1f0b7a11]}
      - {}
"""

RETURN = r"""
_value:
  description: Names of clusters, sorted.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _save_first


def saves_in_question(settings: Iterable[Mapping[str, Any]], clusters: Iterable[Any]) -> list[str]:
    """Return the names of clusters; see DOCUMENTATION."""
    try:
        return _save_first.in_question(settings, clusters)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(
            f"saves_in_question needs the names of clusters and what saves learned of them: {error!r}"
        ) from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"saves_in_question": saves_in_question}
