# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible printed: its recap, the reports of the roles, its errors (pure)."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_RECAP = re.compile(r"^(\S+)\s+: (ok=\d+(?: +\w+=\d+)*)\s*$", re.MULTILINE)
_TASK = re.compile(r"^TASK \[(?:disaster_recovery\.consul\.\w+ : )?(.*)\] \**$", re.MULTILINE)
_ANSWER = re.compile(r"^(?:ok|changed): \[[^\]]+\] => (?=\{)", re.MULTILINE)
_FATAL = re.compile(r"^(?:fatal|failed): \[([^\]]+)\][^\n]*? => (?=\{)", re.MULTILINE)
_ERROR = re.compile(r"^\[ERROR\]: (.*)$", re.MULTILINE)

Recap = dict[str, dict[str, int]]


class Message(NamedTuple):
    """What a task said, line by line."""

    task: str
    lines: list[str]


def recap(output: str) -> Recap:
    """Return Ansible's closing table: host to its counts; empty when the run did not get that far."""
    return {
        host: {name: int(number) for name, number in (pair.split("=") for pair in counts.split())}
        for host, counts in _RECAP.findall(output)
    }


def word(counts: Recap) -> str:
    """Return in a word what a recap says: failed, changed, unchanged, or nothing when no host was worked on."""
    if not counts:
        return "nothing"
    if any(host.get("failed") or host.get("unreachable") for host in counts.values()):
        return "failed"
    return "changed" if any(host.get("changed") for host in counts.values()) else "unchanged"


def current_task(output: str) -> str:
    """Return the name of the last task that was begun."""
    names = _TASK.findall(output)
    return str(names[-1]) if names else ""


def messages(output: str) -> list[Message]:
    """Return what tasks said to a person, in turn: each ``debug``."""
    said = []
    for match in _ANSWER.finditer(output):
        answer = _json_at(output, match.end())
        # The answer of any other module that is shown at all says whether it changed something.
        if "msg" in answer and "changed" not in answer:
            told = answer["msg"] if isinstance(answer["msg"], list) else [answer["msg"]]
            said.append(Message(current_task(output[: match.start()]), [str(line) for line in told]))
    return said


def errors(output: str) -> list[str]:
    """Return what failed, each message once; where nothing failed in an orderly way, what Ansible complained of."""
    found = [
        f"{match.group(1)}: {_json_at(output, match.end()).get('msg', 'failed without a message')}"
        for match in _FATAL.finditer(output)
    ]
    return list(dict.fromkeys(found or _ERROR.findall(output)))


def _json_at(output: str, position: int) -> dict[str, object]:
    try:
        found, _end = json.JSONDecoder().raw_decode(output, position)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
