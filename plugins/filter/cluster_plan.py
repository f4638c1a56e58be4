# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_plan
short_description: Choose the hosts through which each cluster is worked on
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Takes what M(disaster_recovery.consul.cluster_info) said on each host of a play and decides for each cluster name
    through which hosts its work is done, and whether anything stands against it.
  - Hosts whose clusters have a raft server in common are of one cluster. Two names for one cluster, or one name for
    two, are a fault. Two clusters with one Connect id but different servers, as an original and its clone have, are
    two.
positional: _input
options:
  _input:
    description:
      - One entry for each host, with C(host), C(cluster) and C(info), the registered result of
        M(disaster_recovery.consul.cluster_info).
      - C(problems) are texts that say which settings of the host can't be used. C(paths) are paths by the name of their
        variable, which must be absolute; those in C(required) must not be empty, those in C(stores) may be URLs.
        With C(paths) the name of the cluster is checked, too. C(copy_to) are paths of further stores, each of which
        must be there and may be a URL. C(source) is what to restore its cluster from.
        C(directory) is where the archives of its cluster lie.
    type: list
    elements: dict
    required: true
  answers:
    description:
      - By host, the registered result of M(disaster_recovery.consul.cluster_info), for entries without C(info).
    type: dict
    default: {}
  role:
    description: The role whose variables messages name.
    type: str
    default: backup
  specs:
    description:
      - Content of the role's C(meta/argument_specs.yml). With it, and C(names) of variables in an entry, variables that
        are probably misspelled are a fault; C(others) are names that are not.
    type: dict
    default: {}
  within:
    description: Why not every host of the inventory was asked, as a sentence for a message.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Choose
  ansible.builtin.set_fact:
    plan: "{{ seats | disaster_recovery.consul.cluster_plan }}"
  vars:
    seats:
      - {host: consul-1, cluster: production, info: "{{ hostvars['consul-1'].consul }}"}
      - {host: consul-2, cluster: production, info: "{{ hostvars['consul-2'].consul }}"}
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - By the name of the cluster a dictionary.
    - C(hosts) are those that answer, in the order in which to try them; who knows a leader comes first.
    - C(speaker) is the one host that says what concerns all of them.
    - C(silent) are the hosts that don't answer; C(complaints) says why, with advice.
    - C(fault) says why nothing can be done, and is empty when something can.
    - C(same) are other names whose hosts were seen to be of this cluster.
    - C(doubt) says what is not clear, and is empty when there is nothing.
    - C(shared) are other clusters whose archives are in the same directory.
  type: dict
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._cluster_plan import plan
from ..plugin_utils._spelling import known_in


def cluster_plan(
    told: Iterable[Mapping[str, Any]],
    *,
    answers: Mapping[str, Any] | None = None,
    role: str = "backup",
    specs: Mapping[str, Any] | None = None,
    within: str = "",
) -> Any:
    """Return the plan; see DOCUMENTATION."""
    try:
        # Names and messages of servers are in it, which are no templates.
        known = answers or {}
        seats = [one if "info" in one else {**one, "info": known.get(str(one["host"]))} for one in told]
        return wrap_var(plan(seats, role=str(role), within=str(within), known=known_in(specs or {})))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"cluster_plan wants dictionaries with host, cluster and info: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"cluster_plan": cluster_plan}
