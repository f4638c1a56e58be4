# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: rehearsal_html
short_description: Show a report of rehearsals as one self-contained page
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns an HTML page that needs neither network nor scripts. Everything in it that comes from archives and
    inventories is escaped.
positional: _input
options:
  _input:
    description: What P(disaster_recovery.consul.rehearsal_report#filter) returned.
    type: dict
    required: true
  templates:
    description: Directory on the controller that holds C(report.html.j2), such as the role's own.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Write the page
  ansible.builtin.copy:
    content: "{{ report | disaster_recovery.consul.rehearsal_html(templates=role_path ~ '/templates') }}"
    dest: /srv/www/consul-rehearsal.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from ..module_utils._operations.report.history import is_report
from ..plugin_utils._report_view import view_of

MARKS = {"passed": "✓", "missed": "!", "failed": "✕", "unknown": "?"}
PAGE = "report.html.j2"


def rehearsal_html(report: Any, *, templates: str) -> str:
    """Return the page; see DOCUMENTATION."""
    if not is_report(report):
        raise AnsibleFilterError("rehearsal_html requires what the filter rehearsal_report returned")
    # An environment of its own, because Ansible's does not escape.
    environment = Environment(
        loader=FileSystemLoader(str(templates)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["mark"] = MARKS.__getitem__
    try:
        return environment.get_template(PAGE).render(view=view_of(report))
    except TemplateError as error:
        raise AnsibleFilterError(f"rehearsal_html: {PAGE} in {templates} can't be rendered: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rehearsal_html": rehearsal_html}
