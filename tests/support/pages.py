# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pages print in fenced blocks, so that tests can carry it out as it is printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, and its text without the indentation that a list gives it."""

    language: str
    text: str


def section(page: Path, heading: str) -> str:
    """Return the text below a heading of the second level, up to the next one."""
    parts = re.split(r"^## (.*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[heading]


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a text, in order."""
    found = []
    for indentation, language, body in BLOCK.findall(text):
        lines = [line[len(indentation) :] if line.strip() else line for line in body.splitlines(keepends=True)]
        found.append(Block(language, "".join(lines)))
    return found
