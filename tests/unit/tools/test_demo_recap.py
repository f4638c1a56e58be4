# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the demonstration reads from Ansible's output."""

from __future__ import annotations

from demo import recap

OUTPUT = """
PLAY [Back up each Consul cluster] *********************************************

TASK [disaster_recovery.consul.backup : Ask each host's Consul about its cluster] ***
ok: [s-1]
ok: [s-2]

TASK [disaster_recovery.consul.backup : Check that the cluster is ready for an upgrade] ***
ok: [s-1] => {
    "changed": false,
    "msg": "not for a person"
}

TASK [disaster_recovery.consul.backup : Report] ********************************
ok: [s-1] => {
    "msg": "demo: kept a.snap on s-1 {\\"quoted\\"}"
}

TASK [disaster_recovery.consul.restore : Say what is left to do] ***************
ok: [s-1] => {
    "msg": [
        "first",
        "second"
    ]
}

PLAY RECAP *********************************************************************
s-1                        : ok=12   changed=1    unreachable=0    failed=0    skipped=3    rescued=0    ignored=0
s-2                        : ok=3    changed=0    unreachable=0    failed=0    skipped=3    rescued=0    ignored=0
"""
FAILED = """
TASK [Check] ***
fatal: [s-1]: FAILED! => {"assertion": "x", "changed": false, "msg": "demo: don't upgrade now. No leader."}
failed: [s-2] (item=one) => {"changed": false, "item": "one", "msg": "no room"}
fatal: [s-3 -> localhost]: FAILED! => {"changed": false, "msg": "no room"}
fatal: [s-2]: FAILED! => {"censored": "the output has been hidden"}
"""


def test_the_recap_is_ansibles_own() -> None:
    counts = recap.recap(OUTPUT)
    assert counts["s-1"]["ok"] == 12
    assert {host: count["changed"] for host, count in counts.items()} == {"s-1": 1, "s-2": 0}
    # Ansible fills its lines up with spaces.
    assert recap.recap("s-1   : ok=1    changed=0   \n")["s-1"] == {"ok": 1, "changed": 0}
    assert recap.recap("nothing of the kind") == {}


def test_what_a_recap_says_in_a_word() -> None:
    quiet = {"ok": 3, "changed": 0, "failed": 0, "unreachable": 0}
    assert recap.word(recap.recap(OUTPUT)) == "changed"
    assert recap.word({"a": quiet, "b": quiet}) == "unchanged"
    assert recap.word({"a": quiet, "b": {**quiet, "changed": 2, "failed": 1}}) == "failed"
    assert recap.word({"a": {**quiet, "unreachable": 1}}) == "failed"
    assert recap.word({}) == "nothing"


def test_messages_are_what_tasks_meant_to_say() -> None:
    assert recap.messages(OUTPUT) == [
        recap.Message("Report", ['demo: kept a.snap on s-1 {"quoted"}']),
        recap.Message("Say what is left to do", ["first", "second"]),
    ]


def test_the_task_of_the_moment() -> None:
    assert recap.current_task(OUTPUT) == "Say what is left to do"
    assert recap.current_task("PLAY [x] ***") == ""


def test_errors_are_told_once_with_their_host() -> None:
    assert recap.errors(FAILED) == [
        "s-1: demo: don't upgrade now. No leader.",
        "s-2: no room",
        "s-3 -> localhost: no room",
        "s-2: failed without a message",
    ]
    assert recap.errors("[ERROR]: the playbook could not be found\n") == ["the playbook could not be found"]
