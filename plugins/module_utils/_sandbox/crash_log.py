# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of a throwaway server says of its end (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._errors import printable

_FATAL = ("panic: ", "fatal error: ")
_SERIOUS = re.compile(r"\[(ERROR|ERR)\]")
_SECRET = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9+/_=-]{32,}")
_LINES, _LINE_LIMIT = 5, 300
_MASK = "********"


def crash_log(log: str, secrets: Sequence[str] = ()) -> list[str]:
    """Return the lines that say why a server ended, as they may be shown; whatever looks like a secret is masked.

    These are the lines of its panic if there was one, otherwise its last errors, otherwise its last lines.

    :param secrets: texts to mask as well.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    fatal = [number for number, line in enumerate(lines) if line.startswith(_FATAL)]
    if fatal:
        # Below it stands where in the code it happened, which tells users nothing.
        end = next((n for n in range(fatal[0], len(lines)) if lines[n].startswith("goroutine ")), len(lines))
        chosen = [*_serious(lines[: fatal[0]])[-2:], *lines[fatal[0] : end]]
    else:
        chosen = (_serious(lines) or lines)[-_LINES:]
    return [printable(_masked(line, secrets), _LINE_LIMIT) for line in chosen[:_LINES]]


def _serious(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if _SERIOUS.search(line)]


def _masked(line: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        line = line.replace(secret, _MASK)
    return _SECRET.sub(_MASK, line)
