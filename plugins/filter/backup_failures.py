# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: backup_failures
short_description: Say in one word why the backup of each cluster failed
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns the kind of failure of each cluster of which something failed, for
    O(disaster_recovery.consul.snapshot_metrics#module:failures). The role P(disaster_recovery.consul.backup#role) calls
    it.
  - The kinds are those of C(docs/failures.md), and V(copy) (a further store lacks its copy), V(stale) (no leader
    confirmed the archive), V(unreachable) (the host can't be reached), V(refused) (the role refused to work on the
    cluster, or failed in another way).
  - Each list has one entry for each host.
positional: _input
options:
  _input:
    description: The cluster of each host.
    type: list
    elements: str
    required: true
  saved:
    description: What M(disaster_recovery.consul.snapshot_save) returned, or an empty dictionary.
    type: list
    elements: dict
    required: true
  asked:
    description: What M(disaster_recovery.consul.cluster_info) returned, or an empty dictionary.
    type: list
    elements: dict
    required: true
  results:
    description: The fact C(backup_result), or an empty dictionary.
    type: list
    elements: dict
    required: true
  pruned:
    description: What M(disaster_recovery.consul.snapshot_prune) returned in a loop, or an empty dictionary.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Show why the backup failed
  ansible.builtin.debug:
    msg: >-
      {{ ['production'] | disaster_recovery.consul.backup_failures(
      saved=[{'failed': true, 'failure': {'kind': 'connection'}}], asked=[{}], results=[{}], pruned=[{}]) }}
"""

RETURN = r"""
_value:
  description: The kind of failure, by cluster.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._backup_failures import failures_of


def backup_failures(
    clusters: Sequence[str],
    *,
    saved: Sequence[Mapping[str, Any]],
    asked: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
    pruned: Sequence[Mapping[str, Any]],
) -> Any:
    """Return the kinds; see DOCUMENTATION."""
    try:
        return wrap_var(failures_of(clusters, saved=saved, asked=asked, results=results, pruned=pruned))
    except (AttributeError, IndexError, TypeError) as error:
        raise AnsibleFilterError(f"backup_failures needs one entry for each host in each list: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"backup_failures": backup_failures}
