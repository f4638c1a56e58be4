# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Regular expressions as Go reads them: what its package regexp certainly refuses to compile (pure).

The syntax is that of Go's regexp/syntax with the flags of Perl (parse.go, Go 1.14 to 1.25), which Consul compiles with.
Not judged, and so never refused: names of Unicode classes, how large the compiled expression gets, and what only some
versions of Go take.
"""

from __future__ import annotations

import functools
import re

_REPEAT = re.compile(r"\{(0|[1-9][0-9]*)(?:(,)(0|[1-9][0-9]*)?)?\}")
_MOST_REPEATS = 1000
_CAPTURE = re.compile(r"\?P?<([^>]*)>")
_CAPTURE_NAME = re.compile(r"[A-Za-z0-9_]+")
_FLAGS = re.compile(r"\?[imsU]*(?:-[imsU]+)?([:)])")
_POSIX_CLASS = re.compile(
    r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)
_UNICODE_CLASS = re.compile(r"\\[pP](?:\{[^}]*\}|[A-Za-z])")
_PERL_CLASS = re.compile(r"\\[dDsSwW]")
_EMPTY_WIDTH = re.compile(r"\\[ABbz]")
_LITERAL = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_OCTAL = re.compile(r"\\(0[0-7]{0,2}|[1-7][0-7]{1,2})")
_HEXADECIMAL = re.compile(r"\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))")
_CONTROL = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_LAST_RUNE = 0x10FFFF


class _Refused(Exception):
    """The expression can't be compiled."""


@functools.lru_cache(maxsize=64)
def is_refused(expression: str) -> bool:
    """Return whether Go certainly refuses to compile a regular expression.

    Of many equal ones each is not read again: that would be long work for a small archive.
    """
    try:
        _read(expression)
    except _Refused:
        return True
    return False


def _read(text: str) -> None:
    at = open_groups = 0
    # Whether something stands before this place that can be repeated, and whether that is a repetition itself.
    repeatable = repeated = False
    while at < len(text):
        character = text[at]
        repetition = _repetition(text, at)
        if repetition:
            if repeated or not repeatable:
                raise _Refused
            at, repeated = repetition, True
            continue
        repeated = False
        if character == "(":
            at, opened = _group(text, at)
            open_groups += opened
            repeatable = repeatable and not opened
        elif character == "|":
            at, repeatable = at + 1, False
        elif character == ")":
            open_groups -= 1
            if open_groups < 0:
                raise _Refused
            at, repeatable = at + 1, True
        elif text.startswith("\\Q", at):
            quoted = _LITERAL.match(text, at)
            at, repeatable = (quoted.end(), repeatable or quoted.group(1) != "") if quoted else (at + 2, repeatable)
        else:
            at, repeatable = _one(text, at), True
    if open_groups:
        raise _Refused


def _repetition(text: str, at: int) -> int:
    """Return where a repetition ends that begins here; 0 when none does."""
    if text[at] in "*+?":
        end = at + 1
    else:
        braces = _REPEAT.match(text, at)
        # Braces with anything else in them are text.
        if not braces:
            return 0
        low, comma, high = braces.groups()
        most = int((high or low)[:9]) if comma or low else 0
        if int(low[:9]) > _MOST_REPEATS or most > _MOST_REPEATS or (high and int(low[:9]) > most):
            raise _Refused
        end = braces.end()
    return end + text.startswith("?", end)


def _group(text: str, at: int) -> tuple[int, bool]:
    """Return where the beginning of a group ends, and whether it opens one; else it sets flags."""
    if not text.startswith("?", at + 1):
        return at + 1, True
    capture = _CAPTURE.match(text, at + 1)
    if capture:
        if not _CAPTURE_NAME.fullmatch(capture.group(1)):
            raise _Refused
        return capture.end(), True
    flags = _FLAGS.match(text, at + 1)
    if not flags:
        raise _Refused
    return flags.end(), flags.group(1) == ":"


def _one(text: str, at: int) -> int:
    """Return where one character, class or anchor ends."""
    if text[at] == "[":
        return _class(text, at + 1)
    if text[at] != "\\":
        return at + 1
    named = _EMPTY_WIDTH.match(text, at)
    return named.end() if named else _named_class(text, at) or _character(text, at)[0]


def _class(text: str, at: int) -> int:
    """Return where a class in brackets ends, from behind its opening bracket."""
    at += text.startswith("^", at)
    first = True
    while first or not text.startswith("]", at):
        first = False
        posix = _POSIX_CLASS.match(text, at)
        if not posix and text.startswith("[:", at) and text.find(":]", at + 2) >= 0:
            raise _Refused
        named = posix.end() if posix else _named_class(text, at)
        if named:
            at = named
            continue
        at, low = _character(text, at)
        if text.startswith("-", at) and at + 1 < len(text) and text[at + 1] != "]":
            at, high = _character(text, at + 1)
            if high < low:
                raise _Refused
    return at + 1


def _named_class(text: str, at: int) -> int:
    """Return where a class with a letter or a name ends; 0 when none begins here."""
    found = _PERL_CLASS.match(text, at) or _UNICODE_CLASS.match(text, at)
    return found.end() if found else 0


def _character(text: str, at: int) -> tuple[int, int]:
    """Return where a character ends, escaped or not, and which it is."""
    if at >= len(text):
        raise _Refused
    if text[at] != "\\":
        return at + 1, ord(text[at])
    octal = _OCTAL.match(text, at)
    if octal:
        return octal.end(), int(octal.group(1), 8)
    hexadecimal = _HEXADECIMAL.match(text, at)
    if hexadecimal:
        value = int(hexadecimal.group(1) or hexadecimal.group(2), 16)
        if value > _LAST_RUNE:
            raise _Refused
        return hexadecimal.end(), value
    escaped = text[at + 1 : at + 2]
    if escaped in _CONTROL:
        return at + 2, _CONTROL[escaped]
    if not escaped or escaped > "\x7f" or escaped.isalnum():
        raise _Refused
    return at + 2, ord(escaped)
