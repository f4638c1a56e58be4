# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of a throwaway server says of its end."""

from __future__ import annotations

from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox.crash_log import crash_log

PANIC = """
==> Starting Consul agent...
    2026-11-23T02:15:00Z [INFO]  agent: hello
    2026-11-23T02:15:01Z [ERROR] agent.server.raft: failed to restore
panic: failed to restore snapshot 2-94-1: Unrecognized msg type 32

goroutine 51 [running]:
github.com/hashicorp/raft.(*Raft).runFSM.func2(0xc0004fe000)
    panic: not this one
"""


def test_a_panic() -> None:
    assert crash_log(PANIC) == [
        "2026-11-23T02:15:01Z [ERROR] agent.server.raft: failed to restore",
        "panic: failed to restore snapshot 2-94-1: Unrecognized msg type 32",
    ]


def test_other_ends() -> None:
    lines = [f"[INFO] {number}" for number in range(9)]
    assert crash_log("\n".join(lines)) == lines[-5:]
    assert crash_log("\n".join([lines[0], "[ERROR] a", lines[1]])) == ["[ERROR] a"]
    assert crash_log("") == []
    assert len(crash_log("panic: " + "a b " * 1000)[0]) == 300
    assert len(crash_log("panic: a\n" + "b\n" * 1000)) == 5


def test_no_secret_is_shown() -> None:
    log = "panic: token 2f6a8c1e-7b7d-4a52-9a53-2d0f5b1a7c11 of dGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyE= and short"
    [line] = crash_log(log, ["short"])
    assert line == "panic: token ******** of ******** and ********"
