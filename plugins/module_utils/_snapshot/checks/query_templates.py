# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of prepared queries: what Consul certainly fails to compile, which ends the server that restores it (pure).

Consul compiles each template again when it restores one (``Compile`` in agent/consul/prepared_query/template.go). Its
interpolations are HIL, of which only what is wrong in every reading is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .regexps import is_refused

_TYPES = (None, b"", b"name_prefix_match")
_REGEXP_LIMIT = 4096
"""Characters of a regular expression that are looked at, at most."""
_OPENING = re.compile(rb"(?<!\$)\$\{")
_NAME = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]*")
_VARIABLES = (b"agent.segment", b"name.full", b"name.prefix", b"name.suffix", b"true", b"false")
_MARKS_OF_TEXTS = (b'"', b"{", b"[")
_CALL = re.compile(rb"([A-Za-z_][A-Za-z0-9_.-]*)\s*\(")
_FUNCTION, _BUILTIN = b"match", b"__builtin_"
# Nothing in parentheses (the one function takes an argument); two of them or two values in a row; a lone operator.
_NO_EXPRESSION = re.compile(rb"\(\s*\)|\)\s*\(|[A-Za-z0-9_.)]\s+[A-Za-z0-9_]|^[+*/%,=<>&|?:]|[+*/%=<>&|?:!-]$")


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
    return len(text) <= _REGEXP_LIMIT and is_refused(text)


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
        expression = inside.strip()
        if not brace or not expression or (_NAME.fullmatch(expression) and expression not in _VARIABLES):
            return True
        if any(mark in expression for mark in _MARKS_OF_TEXTS):
            # A text within an interpolation may hold all of these marks.
            return False
        if _is_wrong_expression(expression):
            return True
    return False


def _is_wrong_expression(expression: bytes) -> bool:
    """Whether an expression without texts and indexes can't be read, or calls what there is not."""
    depth = 0
    for parenthesis in re.findall(rb"[()]", expression):
        depth += 1 if parenthesis == b"(" else -1
        if depth < 0:
            return True
    called = (call.group(1) for call in _CALL.finditer(expression))
    return (
        depth > 0
        or _NO_EXPRESSION.search(expression) is not None
        or any(name != _FUNCTION and not name.startswith(_BUILTIN) for name in called)
    )
