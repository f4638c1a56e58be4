# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from servers and inventories in shell lines and in Markdown (pure).

A rollback kit is pasted into a shell by somebody in a hurry. Whatever a name or a path holds, a shell reads it as one
word, and Markdown shows it as one piece: no character of it ends a quotation, a code span, a line or a code block.
"""

from __future__ import annotations

import re
import shlex
import unicodedata

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that are not shown, or that change how others are shown (bidirectional controls)."""

_BACKTICKS = re.compile("`+")
_BYTES_KEPT = re.compile(r"[A-Za-z0-9 _./:,=+@-]")


def shell_word(text: str) -> str:
    """Return one word of a POSIX shell that stands for this text, on one line, without unseen characters.

    Text with unseen characters is made by the shell's own printf, which takes bytes in octal.

    :raises ValueError: the text holds a NUL, which no shell can pass on, or ends in a line break, which a command
        substitution drops.
    """
    if "\0" in text:
        raise ValueError("a NUL character can't be part of a command line")
    if not any(_unseen(character) for character in text):
        return shlex.quote(text)
    if text.endswith("\n"):
        raise ValueError("text that ends in a line break can't be written as a word of a shell")
    octal = "".join(
        character if _BYTES_KEPT.fullmatch(character) else "".join(f"\\{byte:03o}" for byte in _encoded(character))
        for character in text
    )
    # As printf's format: no % is left in it.
    return f"\"$(printf '{octal}')\""


def markdown_code(text: str) -> str:
    """Return a Markdown code span that shows this text, with unseen characters as escapes such as \\x1b.

    Not for tables: a pipe would end the cell.
    """
    shown = "".join(_escaped(character) if _unseen(character) else character for character in text)
    longest = max((len(run) for run in _BACKTICKS.findall(shown)), default=0)
    fence = "`" * (longest + 1)
    # Markdown takes one space away at each end, when both are there and the rest is not all spaces.
    padding = " " if not shown.strip(" ") or "`" in (shown[0], shown[-1]) or shown[0] == shown[-1] == " " else ""
    return f"{fence}{padding}{shown or '(empty)'}{padding}{fence}"


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in UNSEEN


def _encoded(character: str) -> bytes:
    return character.encode("utf-8", "surrogateescape")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
