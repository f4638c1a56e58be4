# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a throwaway server is told, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox.server_config import (
    Ports,
    Secrets,
    config_for,
    crash_log,
    version_in,
)

SECRETS = Secrets("a-token", "a-key")


def config(version: str, datacenter: str | None = "dc1") -> dict[str, Any]:
    return config_for(version, data_dir="/data", name="me", datacenter=datacenter, ports=Ports(1, 2), secrets=SECRETS)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Consul v1.22.7\nBuild Date 1970\n", "1.22.7"),
        ("Consul v1.8.7\nProtocol 2", "1.8.7"),
        ("Consul v1.22.7+ent\n", "1.22.7+ent"),
        ("Consul v1.9.0-rc1", "1.9.0-rc1"),
        ("Consul v1.8.7+dfsg1", "1.8.7+dfsg1"),
        ("Vault v1.15.0", None),
        ("my Consul v1.22.7", None),
        ("Consul v1.22.7 or so", None),
        ("hello\nConsul v1.22.7", None),
        ("Consul v1", None),
        ("", None),
    ],
)
def test_versions(text: str, version: str | None) -> None:
    assert version_in(text) == version


def test_what_all_servers_are_told() -> None:
    for version in ("1.8.7", "1.22.7", "2.1.0", "1.22.7+ent"):
        told = config(version)
        assert told["connect"] == {"enabled": False}
        assert told["retry_join"] == []
        assert {told["ports"][name] for name in ("serf_wan", "https", "dns", "grpc")} == {-1}
        assert (told["ports"]["server"], told["ports"]["serf_lan"]) == (1, 2)
        assert (told["bind_addr"], told["client_addr"]) == ("127.0.0.1", "127.0.0.1")
        assert told["addresses"] == {"http": "unix://api.sock"}
        assert told["disable_update_check"]
        assert not told["enable_script_checks"]
        assert told["performance"] == {"raft_multiplier": 1}
        assert told["encrypt"] == "a-key"


def test_names_of_settings_by_version() -> None:
    old, new = config("1.8.7"), config("1.22.7")
    assert old["acl"]["tokens"] == {"master": "a-token"}
    assert new["acl"]["tokens"] == {"initial_management": "a-token"}
    assert "peering" not in old
    assert new["peering"] == {"enabled": False}
    assert "grpc_tls" not in old["ports"]
    assert new["ports"]["grpc_tls"] == -1
    assert [version for version in ("1.14.9", "1.15.0") if "raft_logstore" in config(version)] == ["1.15.0"]
    assert [version for version in ("1.10.12", "1.11.0") if "master" in config(version)["acl"]["tokens"]] == ["1.10.12"]


@pytest.mark.parametrize(
    ("told", "used"),
    [("dc1", "dc1"), ("East-2", "east-2"), (None, "rehearsal"), ("a b", "rehearsal"), ("", "rehearsal")],
)
def test_datacenters(told: str | None, used: str) -> None:
    assert config("1.22.7", told)["datacenter"] == used


def test_secrets_are_not_shown() -> None:
    assert "a-token" not in repr(SECRETS)


PANIC = """
==> Starting Consul agent...
    2026-11-23T02:15:00Z [INFO]  agent: hello
    2026-11-23T02:15:01Z [ERROR] agent.server.raft: failed to restore
panic: failed to restore snapshot 2-94-1: Unrecognized msg type 32

goroutine 51 [running]:
github.com/hashicorp/raft.(*Raft).runFSM.func2(0xc0004fe000)
    panic: not this one
"""


def test_crash_log_of_a_panic() -> None:
    assert crash_log(PANIC) == [
        "2026-11-23T02:15:01Z [ERROR] agent.server.raft: failed to restore",
        "panic: failed to restore snapshot 2-94-1: Unrecognized msg type 32",
    ]


def test_crash_log_of_others() -> None:
    lines = [f"[INFO] {number}" for number in range(9)]
    assert crash_log("\n".join(lines)) == lines[-5:]
    assert crash_log("\n".join([lines[0], "[ERROR] a", lines[1]])) == ["[ERROR] a"]
    assert crash_log("") == []
    assert len(crash_log("panic: " + "a b " * 1000)[0]) == 300
    assert len(crash_log("panic: a\n" + "b\n" * 1000)) == 5


def test_crash_log_hold_no_secret() -> None:
    log = "panic: token 2f6a8c1e-7b7d-4a52-9a53-2d0f5b1a7c11 of dGhpcyBpcyBhIGtleSBvZiAzMiBieXRlcyE= and short"
    [line] = crash_log(log, ["short"])
    assert line == "panic: token ******** of ******** and ********"
