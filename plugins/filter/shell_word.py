# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: shell_word
short_description: Quote text for a shell line in a document
version_added: 0.1.0
author:
  - Contributors to the disaster_recovery.consul project (@disaster-recovery)
description:
  - Returns one word of a POSIX shell that means the text, whatever is in it. The word has no line break and no
    unseen character, so that it can neither end a code block in Markdown nor show as something else.
  - It differs from P(ansible.builtin.quote#filter) in those characters only.
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show a command to paste
  ansible.builtin.debug:
    msg: "ls -l {{ backup_dir | disaster_recovery.consul.shell_word }}"
"""

RETURN = r"""
_value:
  description: One word of a shell.
  type: str
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import _kit_text


def shell_word(text: Any) -> str:
    """Return the text as one word of a shell; see DOCUMENTATION."""
    try:
        return _kit_text.shell_word(str(text))
    except ValueError as error:
        raise AnsibleFilterError(f"shell_word: {error}") from error


class FilterModule:
    """Ansible's way to filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"shell_word": shell_word}
