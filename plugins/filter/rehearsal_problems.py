# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_problems
short_description: Say which settings of the role rehearsal can't be used
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns a sentence for each setting of a host that the role P(disaster_recovery.consul.rehearsal#role) can't use.
positional: _input
options:
  _input:
    description:
      - Values of the role's variables, by their names without C(rehearsal_). These are C(cluster), C(src), C(dir),
        C(work_dir), C(report_dir), C(textfile), C(throttle) and C(pick), and optionally C(catalogue) and C(slo).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what is wrong
  ansible.builtin.debug:
    msg: "{{ settings | disaster_recovery.consul.rehearsal_problems }}"
  vars:
    settings:
      cluster: production
      src: ""
      dir: s3://backups/consul/production/
      work_dir: ""
      report_dir: /srv/www/consul-rehearsal
      textfile: ""
      throttle: 4
      pick: newest
"""

RETURN = r"""
_value:
  description: The sentences.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils import _rehearsal_settings


def rehearsal_problems(settings: Mapping[str, Any]) -> Any:
    """Return the sentences; see DOCUMENTATION."""
    try:
        return wrap_var(_rehearsal_settings.rehearsal_problems(settings))
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"rehearsal_problems needs the settings of a host: {error!r}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_problems": rehearsal_problems}
