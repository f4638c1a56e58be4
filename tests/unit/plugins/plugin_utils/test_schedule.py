# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role schedule writes, and what it refuses."""

from __future__ import annotations

import base64
import os
import shlex
import subprocess
from pathlib import Path
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
    "hardened": True,
    "collections_path": "/usr/share/ansible/collections",
}
SERVERS = {"place": "servers", "variables": {"backup_cluster": "production"}}


def problems(**changes: Any) -> list[str]:
    return list(schedule_plan({**SETTINGS, **changes})["problems"])


def words(**changes: Any) -> list[str]:
    """The words that a shell makes of the command."""
    command = schedule_plan({**SETTINGS, **changes})["command"]
    said = subprocess.run(["sh", "-c", f"printf '%s\\0' {command}"], capture_output=True, text=True, check=True).stdout
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
        {"name": "a.b"},
        {"name": ""},
        {"name": "../x"},
        {"name": "A"},
        {"name": "a\n"},
        {"name": "-a"},
        {"user": "root root"},
        {"user": ""},
        {"user": "a\nb"},
        {"config_dir": "etc"},
        {"config_dir": "/etc/a b"},
        {"config_dir": "/etc/%n"},
        {"config_dir": "/etc/../x"},
        {"calendar": "daily\n[Service]"},
        {"calendar": "%n"},
        {"calendar": ""},
        {"kind": "cron", "cron": "* * * *"},
        {"kind": "cron", "cron": "* * * * *\n* * * * * root id"},
        {"timeout": -1},
        {"random_delay": -1},
        {"on_failure": ["alarm"]},
        {"on_failure": ["a b.service"]},
        {"on_failure": ["a.service\nb.service"]},
        {"credentials": {"a": "relative"}},
        {"credentials": {"a:b": "/x"}},
        {"credentials": {"a": "/x\nUser=root"}},
        {"kind": "cron", "credentials": {"a": "/x"}},
        {"ansible_playbook": "ansible-playbook"},
        {"ansible_playbook": "/usr/bin/x\n"},
        {"inventory": []},
        {"inventory": ["--flush-cache"]},
        {"inventory": [""]},
        {"inventory": ["/a\n/b"]},
        {"arguments": ["a\nb"]},
        {"inventory": ["/tmp/inventory.yml"]},
        {"ansible_playbook": "/var/tmp/x/bin/ansible-playbook"},
        {"collections_path": "/usr/share/x:/tmp/x"},
        {"place": "servers"},
        SERVERS | {"playbook": "rehearse"},
        SERVERS | {"fallback_after": "1m"},
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused(changes: dict[str, Any]) -> None:
    assert len(problems(**changes)) == 1
    assert "\n" not in problems(**changes)[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        SERVERS,
        SERVERS | {"fallback_after": ""},
        {"name": "consul-backup-2"},
        {"calendar": "Mon..Fri 02:00"},
        {"calendar": "*-*-* 00/6:00:00 Europe/Berlin"},
        {"kind": "cron", "calendar": "\n"},
        {"cron": "no"},
        {"on_failure": ["alarm@%n.service", "x.target"]},
        {"credentials": {"consul-token": "/etc/consul.d/x.token"}},
        {"timeout": 0, "random_delay": 0},
        {"inventory": ["host,"]},
        {"inventory": ["/tmp/inventory.yml"], "hardened": False},
        {"inventory": ["/tmp/inventory.yml"], "kind": "cron"},
        {"user": "svc-backup"},
    ],
    ids=str,
)
def test_what_can_be_written(changes: dict[str, Any]) -> None:
    assert problems(**changes) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["-e", "t=s3cret"],
        ["-et=s3cret"],
        ["--extra-vars", "t=s3cret"],
        ["--extra-vars=t=s3cret"],
        ["--extra", "s3cret"],
        ["-e", "@/x", "-e", "s3cret"],
        ["--ex={s3cret}"],
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


def line_of(text: str | bytes | None) -> str:
    """What look.sh prints of a file; None: it is not there."""
    if text is None:
        return "none="
    return f"file={base64.b64encode(text.encode() if isinstance(text, str) else text).decode()}"


def ours(place: str, *inventory: str) -> str:
    return f"#!/bin/sh\n{MARK}\n{record_text(place, inventory)}\nexec x\n"


def test_whose_files_are_there() -> None:
    files = {
        "/a": line_of(ours("controller", "/inv")),
        "/b": line_of(ours("servers", "/etc/x")),
        "/c": line_of("[Timer]\n"),
        "/d": line_of(None),
        "/e": line_of(b"\xff\xfe"),
        "/f": "file=no base64",
        "/g": line_of("\n" * 20 + MARK),
        "/h": line_of(""),
    }

    def found(**options: Any) -> dict[str, Any]:
        told = schedule_found("\n".join(["uid=0", "systemd=1", *files.values()]), list(files), **options)
        return {name: told[name] for name in ("own", "other", "foreign")}

    foreign = ["/c", "/e", "/f", "/g", "/h"]
    assert found() == {"own": ["/a", "/b"], "other": [], "foreign": foreign}
    assert found(place="servers") == {"own": ["/b"], "other": ["/a"], "foreign": foreign}
    assert found(place="controller", inventory=["/inv"])["own"] == ["/a"]
    assert found(place="controller", inventory=["/other"])["own"] == []


def test_what_else_is_there() -> None:
    nothing = {"own": [], "other": [], "foreign": [], "systemd": False, "cron": False, "program": False}
    assert schedule_found("", ["/a"]) == {**nothing, "calendar": False, "uid": -1}
    assert schedule_found("uid=0\ncron=1\nprogram=1\ncalendar=1", ["/a"]) == {
        **nothing,
        "cron": True,
        "program": True,
        "calendar": True,
        "uid": 0,
    }


def test_the_script_tells_what_the_filter_reads(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[4] / "roles" / "schedule" / "files" / "look.sh"
    own, dangling, absent = tmp_path / "it's $(own)", tmp_path / "dangling", tmp_path / "absent"
    own.write_text(ours("servers", "/x"), encoding="utf-8")
    dangling.symlink_to(absent)
    command = ["sh", "-c", script.read_text(encoding="utf-8"), "look", "/bin/sh", "daily", own, absent, dangling]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = schedule_found(told, [str(own), str(absent), str(dangling)])
    assert (found["own"], found["foreign"]) == ([str(own)], [str(dangling)])
    assert (found["uid"], found["program"]) == (os.getuid(), True)


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
        schedule_found("", None)  # type: ignore[arg-type]
