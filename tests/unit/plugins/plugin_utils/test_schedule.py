# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role schedule writes, and what it refuses."""

from __future__ import annotations

import base64
import shlex
import subprocess
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.schedule_found import schedule_found
from ansible_collections.disaster_recovery.consul.plugins.filter.schedule_plan import schedule_plan
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._schedule import MARK, record_in, record_text

SETTINGS: dict[str, Any] = {
    "name": "consul-backup",
    "kind": "systemd",
    "place": "controller",
    "playbook": "backup",
    "user": "backup",
    "calendar": "*-*-* 02:15:00",
    "cron": "15 2 * * *",
    "random_delay": 300,
    "timeout": 21600,
    "config_dir": "/etc/consul-schedule",
    "on_failure": [],
    "credentials": {},
    "ansible_playbook": "/usr/bin/ansible-playbook",
    "inventory": ["/srv/inventory.yml"],
    "variables": {},
    "variables_file": "",
    "arguments": [],
    "fallback_after": "36h",
}
SERVERS = {"place": "servers", "variables": {"backup_cluster": "production"}}


def problems(**changes: Any) -> list[str]:
    return list(schedule_plan({**SETTINGS, **changes})["problems"])


def words(**changes: Any) -> list[str]:
    """The words that a shell makes of the command."""
    command = schedule_plan({**SETTINGS, **changes})["command"]
    said = subprocess.run(
        ["sh", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True
    ).stdout
    return said.split("\0")[:-1]


def test_the_command() -> None:
    assert words() == ["/usr/bin/ansible-playbook", "-i", "/srv/inventory.yml", "disaster_recovery.consul.backup"]
    assert words(
        playbook="rehearse", inventory=["/a", "/b"], variables_file="/etc/x.json", arguments=["--limit", "dc1"]
    ) == [
        *("/usr/bin/ansible-playbook", "-i", "/a", "-i", "/b", "disaster_recovery.consul.rehearse"),
        *("-e", "@/etc/x.json", "--limit", "dc1"),
    ]


@pytest.mark.parametrize("name", ["a b", "it's", 'a"b', "$(reboot)", "`reboot`", "a;reboot", "%n", "ä", "a\\b", "*"])
def test_a_word_stays_one_word_whatever_is_in_it(name: str) -> None:
    assert words(inventory=[f"/srv/{name}"], arguments=[name])[2] == f"/srv/{name}"
    assert words(arguments=[name])[-1] == name


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a.b"}, {"name": ""}, {"name": "../x"}, {"name": "A"}, {"name": "a\n"}, {"name": "-a"},
        {"user": "root root"}, {"user": ""}, {"user": "a\nb"},
        {"config_dir": "etc"}, {"config_dir": "/etc/a b"}, {"config_dir": "/etc/%n"}, {"config_dir": "/etc/../x"},
        {"calendar": "daily\n[Service]"}, {"calendar": "%n"}, {"calendar": ""},
        {"kind": "cron", "cron": "* * * *"}, {"kind": "cron", "cron": "* * * * *\n* * * * * root id"},
        {"timeout": -1}, {"random_delay": -1},
        {"on_failure": ["alarm"]}, {"on_failure": ["a b.service"]}, {"on_failure": ["a.service\nb.service"]},
        {"credentials": {"a": "relative"}}, {"credentials": {"a:b": "/x"}}, {"credentials": {"a": "/x\nUser=root"}},
        {"kind": "cron", "credentials": {"a": "/x"}},
        {"ansible_playbook": "ansible-playbook"}, {"ansible_playbook": "/usr/bin/x\n"},
        {"inventory": []}, {"inventory": ["--flush-cache"]}, {"inventory": [""]}, {"inventory": ["/a\n/b"]},
        {"arguments": ["a\nb"]},
        {"place": "servers"}, SERVERS | {"playbook": "rehearse"}, SERVERS | {"fallback_after": "1m"},
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused(changes: dict[str, Any]) -> None:
    assert len(problems(**changes)) == 1
    assert "\n" not in problems(**changes)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {}, SERVERS, SERVERS | {"fallback_after": ""}, {"name": "consul-backup-2"}, {"calendar": "Mon..Fri 02:00"},
        {"calendar": "*-*-* 00/6:00:00 Europe/Berlin"}, {"kind": "cron", "calendar": "\n"}, {"cron": "no"},
        {"on_failure": ["alarm@%n.service", "x.target"]}, {"credentials": {"consul-token": "/etc/consul.d/x.token"}},
        {"timeout": 0, "random_delay": 0}, {"inventory": ["host,"]}, {"user": "svc-backup"},
    ],
    ids=str,
)
def test_what_can_be_written(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["-e", "t=s3cret"], ["-et=s3cret"], ["--extra-vars", "t=s3cret"], ["--extra-vars=t=s3cret"], ["--extra", "s3cret"],
        ["-e", "@/x", "-e", "s3cret"], ["--ex={s3cret}"],
    ],
)
def test_variables_on_the_command_line_are_refused_without_showing_them(arguments: list[str]) -> None:
    (problem,) = problems(arguments=arguments)
    assert "schedule_variables" in problem
    assert "s3cret" not in problem


@pytest.mark.parametrize(
    "arguments", [["-e", "@/x"], ["-e@/x"], ["--extra-vars=@/x"], ["--limit", "x"], ["--vault-password-file=/x"]]
)
def test_other_arguments_are_taken(arguments: list[str]) -> None:
    assert words(arguments=arguments)[-len(arguments) :] == arguments


def slurped(item: str, text: str | bytes | None) -> dict[str, Any]:
    if text is None:
        return {"item": item, "failed": True}
    raw = text.encode() if isinstance(text, str) else text
    return {"item": item, "content": base64.b64encode(raw).decode()}


def ours(place: str, *inventory: str) -> str:
    return f"#!/bin/sh\n{MARK}\n{record_text(place, inventory)}\nexec x\n"


def test_whose_files_are_there() -> None:
    read = [
        slurped("/a", ours("controller", "/inv")),
        slurped("/b", ours("servers", "/etc/x")),
        slurped("/c", "[Timer]\n"),
        slurped("/d", None),
        slurped("/e", b"\xff\xfe"),
        {"item": "/f", "content": "no base64"},
        slurped("/g", "\n" * 20 + MARK),
    ]
    foreign = ["/c", "/e", "/f", "/g"]
    assert schedule_found(read) == {"own": ["/a", "/b"], "other": [], "foreign": foreign}
    assert schedule_found(read, place="servers") == {"own": ["/b"], "other": ["/a"], "foreign": foreign}
    assert schedule_found(read, place="controller", inventory=["/inv"])["own"] == ["/a"]
    assert schedule_found(read, place="controller", inventory=["/other"])["own"] == []


@pytest.mark.parametrize("told", ["", "# schedule: [", "# schedule: 7", '# schedule: {"place": 7, "inventory": "x"}'])
def test_a_comment_that_somebody_changed(told: str) -> None:
    record = record_in(f"{MARK}\n{told}\n")
    assert record is not None
    assert record["inventory"] == []


def test_a_comment_is_one_line_whatever_the_inventory_is_called() -> None:
    text = record_text("controller", ["/a\u2028b\x85\x0c", 'c"\\'])
    assert len(text.splitlines()) == 1
    assert record_in(f"{MARK}\n{text}\n") == {"place": "controller", "inventory": ["/a\u2028b\x85\x0c", 'c"\\']}


def test_the_command_can_be_read_back() -> None:
    command = schedule_plan({**SETTINGS, "arguments": ["it's"]})["command"]
    assert shlex.split(command)[-1] == "it's"


def test_other_input_is_said_to_be_wrong() -> None:
    with pytest.raises(AnsibleFilterError, match="schedule_plan needs"):
        schedule_plan({})
    with pytest.raises(AnsibleFilterError, match="schedule_found needs"):
        schedule_found(["x"])  # type: ignore[list-item]
