# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: notify_plan
short_description: Decide which host of a run sends which notification
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Hosts with the same URL share one notification, which reports all of their clusters.
  - The roles use it for their variables C(*_notify). URLs are not passed to it, except those in O(lost).
positional: _input
options:
  _input:
    description:
      - The hosts that take part, with C(host), C(cluster), C(ping) and C(webhook), the digests of their URLs, or empty,
        and C(may_skip), whether a run may rightly do nothing.
    type: list
    elements: dict
    required: true
  operation:
    description: The role that has ended. Without it, the pings for the start are returned.
    type: str
    choices: [backup, restore, rehearsal]
  noted:
    description: What the hosts noted that got to the end of the role, whether they failed or not.
    type: list
    elements: dict
    default: []
  lost:
    description:
      - Hosts that left the play before the role, each as a list of its name, its target (empty if it is not known), and
        names of its cluster, of which the first counts that is not empty; by default the name of the host.
    type: list
    elements: list
    default: []
"""

EXAMPLES = r"""
- name: Decide who announces the run
  ansible.builtin.set_fact:
    notices: "{{ members | disaster_recovery.consul.notify_plan }}"
  vars:
    members:
      - {host: consul-1, cluster: production, ping: 5f70bf18a0860070, webhook: "", may_skip: false}
  run_once: true
"""

RETURN = r"""
_value:
  description: By the name of the host, a list of C(channels), C(outcome) and C(clusters) for
    M(disaster_recovery.consul.notify).
  type: dict
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._notify_plan import ends_of, starts_of


def notify_plan(
    members: Iterable[Mapping[str, Any]],
    *,
    operation: str | None = None,
    noted: Iterable[Mapping[str, Any]] = (),
    lost: Iterable[Sequence[Any]] = (),
) -> Any:
    """Return the plan; see DOCUMENTATION."""
    try:
        left = [_lost(*one) for one in lost]
        found = ends_of(operation, members, noted, left, time.time()) if operation else starts_of(members)
    except (AttributeError, KeyError, TypeError) as error:
        # Not in the error's own words: a target holds secrets.
        kind = type(error).__name__
        raise AnsibleFilterError(f"notify_plan needs what the roles note of their hosts: {kind}") from None
    # Names of hosts and archives are no templates.
    return wrap_var(found)


def _lost(host: Any, target: Any, *names: Any) -> dict[str, Any]:
    return {"host": host, "cluster": next(filter(None, names), host), "to": target}


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"notify_plan": notify_plan}
