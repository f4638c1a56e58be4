#!/usr/bin/python
# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: notify
short_description: Report the outcome of a backup, restore or rehearsal to a dead-man service and a webhook
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Sends a ping to a service that raises an alarm when pings stop, such as healthchecks.io, and one JSON document to a
    webhook. C(docs/notifications.md) describes the document.
  - The roles P(disaster_recovery.consul.backup#role), P(disaster_recovery.consul.restore#role) and
    P(disaster_recovery.consul.rehearsal#role) call it. Use it in a play of your own for what the roles don't do, such
    as M(disaster_recovery.consul.snapshot_prune) by itself.
  - It runs on the controller, without a connection to the host, and never fails. A notification that can't be sent is a
    warning.
  - A URL is a secret. It is in no output, warning, result or process list. Set C(no_log) on the task as well, for
    callback plugins that record the arguments of tasks.
  - Redirects are not followed. The proxy variables of the environment, such as E(https_proxy), count.
options:
  to:
    description: Where the notification goes. Without O(to.ping_url) and O(to.webhook_url), nothing is sent.
    type: dict
    required: true
    suboptions:
      ping_url:
        description: URL that gets a C(GET) after a success.
        type: str
      ping_start_url:
        description:
          - URL that gets a C(GET) at the start; by default O(to.ping_url) with C(/start) at the end of its path.
          - Empty for a service that has no such signal.
        type: str
      ping_fail_url:
        description:
          - URL that gets a C(GET) after a failure; by default O(to.ping_url) with C(/fail) at the end of its path.
          - Empty for a service that has no such signal.
        type: str
      webhook_url:
        description: URL that gets a C(POST) with the JSON document, after a success, a failure, or what was skipped.
        type: str
      webhook_headers:
        description: Headers for the webhook, such as C(Authorization).
        type: dict
      ca_path:
        description: File on the controller with certificates to trust beside those of the system.
        type: path
      validate_certs:
        description: Whether the receiver's certificate is verified.
        type: bool
        default: true
      timeout:
        description:
          - Seconds that one notification may take, with the look-up of the name, up to three tries, and a receiver that
            hangs; at most 300.
        type: float
        default: 10.0
  channels:
    description: What is sent.
    type: list
    elements: str
    choices: [ping, webhook]
    default: [ping, webhook]
  outcome:
    description:
      - What is reported. V(start) is a ping only.
      - V(skipped) is for a run that had nothing to do. It sends the document and no ping.
    type: str
    choices: [start, success, failure, skipped]
    required: true
  operation:
    description: What ran.
    type: str
    default: backup
  clusters:
    description: The clusters that it ran for, for the document.
    type: list
    elements: dict
    default: []
    suboptions:
      cluster: {description: Name of the cluster., type: str, required: true}
      host: {description: Host that the work was done through., type: str}
      outcome: {description: The result of the work., type: str, choices: [success, failure, skipped], required: true}
      result: {description: 'A word for it, such as V(kept).', type: str}
      archive: {description: Path or URL of the archive., type: str}
      taken_at: {description: When the archive was taken., type: str}
      age: {description: Seconds since its content was last known to be the cluster's., type: float}
      size: {description: Size of the archive in bytes., type: int}
      duration: {description: Seconds that the work took., type: float}
      rto: {description: Seconds from nothing to a proven server., type: float}
      failure:
        description: What went wrong.
        type: dict
        suboptions:
          kind: {description: 'A kind of C(docs/failures.md), or another word.', type: str, required: true}
          phase: {description: What was being done., type: str}
          state: {description: What is known of the cluster's state after a restore that failed., type: str}
  started_at:
    description: When the run began, such as V(2026-11-23T02:15:00Z).
    type: str
attributes:
  check_mode:
    support: full
    details: Sends nothing.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
seealso:
  - module: disaster_recovery.consul.snapshot_prune
"""

EXAMPLES = r"""
- name: Prune by itself, and report it
  block:
    - name: Remove the archives that no rule keeps
      disaster_recovery.consul.snapshot_prune:
        path: s3://backups/consul/production/
        keep_daily: 14
        keep_weekly: 8

    - name: Report the success
      disaster_recovery.consul.notify:
        to:
          ping_url: "{{ vault_prune_ping_url }}"
        operation: prune
        outcome: success
      no_log: true
  rescue:
    - name: Report the failure
      disaster_recovery.consul.notify:
        to:
          ping_url: "{{ vault_prune_ping_url }}"
        operation: prune
        outcome: failure
      no_log: true

    - name: Fail with the reason
      ansible.builtin.fail:
        msg: "{{ ansible_failed_result.msg }}"
"""

RETURN = r"""
sent:
  description: What the receiver accepted.
  returned: always
  type: list
  elements: str
  sample: [ping, webhook]
problems:
  description: What was not accepted, and why; without URL.
  returned: always
  type: list
  elements: str
  sample: []
"""
