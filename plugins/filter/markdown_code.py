# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: markdown_code
short_description: Show text as a code span in Markdown
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns a code span that shows the text, whatever is in it. Control characters and others that are not seen are
    shown as escapes; backticks don't end the span.
  - Not for tables, where a pipe ends a cell.
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show a name that came from a server
  ansible.builtin.debug:
    msg: "Leader: {{ backup_result.leader | disaster_recovery.consul.markdown_code }}"
"""

RETURN = r"""
_value:
  description: A code span.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _kit_text


def markdown_code(text: Any) -> str:
    """Return the text as a code span; see DOCUMENTATION."""
    try:
        return _kit_text.markdown_code(str(text))
    except ValueError as error:
        raise AnsibleFilterError(f"markdown_code: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"markdown_code": markdown_code}
