# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of prepared queries: what Consul certainly fails to compile, which ends the server that restores it (pure).

Consul compiles each template again when it restores one (``Compile`` in agent/consul/prepared_query/template.go). Its
regular expressions are RE2's and its interpolations are HIL; here only what is wrong in every reading is refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES = (None, b"", b"name_prefix_match")
_REGEXP_LIMIT = 4096
"""Characters of a regular expression that are looked at, at most."""

# What Python says of an expression that RE2 refuses as well. Whatever else it says may be a difference between the two.
_WRONG_IN_BOTH = (
    "missing ), unterminated subpattern",
    "unbalanced parenthesis",
    "unterminated character set",
)
_OPENING = re.compile(rb"(?<!\$)\$\{")
_VARIABLE = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*")
_VARIABLES = (b"agent.segment", b"name.full", b"name.prefix", b"name.suffix", b"true", b"false")


def fault_of_template(query: Mapping[bytes, Any]) -> str:
    """Return the path of what can't be compiled in a prepared query; an empty text where nothing is certainly wrong."""
    template = query.get(b"Template") or {}
    kind = template.get(b"Type")
    if kind not in _TYPES:
        return ".Template.Type"
    if not kind:
        return ""
    if _is_wrong_regexp(template.get(b"Regexp") or b""):
        return ".Template.Regexp"
    return ".Service" if any(map(_is_wrong_interpolation, _texts(query.get(b"Service")))) else ""


def _is_wrong_regexp(pattern: bytes) -> bool:
    try:
        text = pattern.decode()
    except UnicodeDecodeError:
        return True
    if len(text) > _REGEXP_LIMIT:
        return False
    try:
        # What Python warns of is its own future, and the warning shows the expression.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except re.error as error:
        return error.msg.startswith(_WRONG_IN_BOTH)
    except (RecursionError, OverflowError):
        return False
    return False


def _texts(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _is_wrong_interpolation(text: bytes) -> bool:
    for opening in _OPENING.finditer(text):
        inside, brace, _rest = text[opening.end() :].partition(b"}")
        name = inside.strip()
        if not brace or not name or (_VARIABLE.fullmatch(name) and name not in _VARIABLES):
            return True
        if b'"' in name or b"{" in name:
            # A text within an interpolation may hold all of these marks.
            return False
    return False
