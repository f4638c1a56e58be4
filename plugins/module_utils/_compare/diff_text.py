# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A comparison in words: one line for people, and the text that Ansible prints in diff mode (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .._errors import printable
from .record_diff import TypeChange

_BEFORE, _AFTER = " (content a)", " (content b)"


def summary_of(types: Mapping[str, TypeChange]) -> str:
    """Return what differs, by type: ``ACLPolicy: 1 removed; KVS: 2 added, 1 changed``, or ``equal``."""
    parts = []
    for name, change in types.items():
        numbers = {"added": change.added, "removed": change.removed, "changed": change.changed}
        counted = ", ".join(f"{count} {word}" for word, count in numbers.items() if count)
        parts += [f"{name}: {counted}"] if counted else []
    return "; ".join(parts) or "equal"


def diff_of(types: Mapping[str, TypeChange], *, before: str, after: str) -> dict[str, str]:
    """Return what Ansible prints: a line for each name that differs, and how many more there are; never content.

    :param before: a header, as is ``after``.
    """
    lines = [line for name, change in types.items() for line in _lines(name, change)]
    return {
        "before_header": before,
        "after_header": after,
        "before": "".join(f"{old}\n" for old, _new in lines if old),
        "after": "".join(f"{new}\n" for _old, new in lines if new),
    }


def _lines(type_name: str, change: TypeChange) -> Iterator[tuple[str, str]]:
    for name, word in sorted((name, word) for word, names in change.names.items() for name in names):
        yield _pair(f"{type_name} {printable(name, None)}", word)
    for word, count in (("added", change.added), ("removed", change.removed), ("changed", change.changed)):
        if count > len(change.names[word]):
            yield _pair(f"{type_name}: {count - len(change.names[word])} more", word)


def _pair(line: str, word: str) -> tuple[str, str]:
    if word == "changed":
        return line + _BEFORE, line + _AFTER
    return ("", line) if word == "added" else (line, "")
