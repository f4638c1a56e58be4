# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a throwaway server is told."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._sandbox.server_config import (
    Ports,
    Secrets,
    config_for,
)

SECRETS = Secrets("a-token", "a-key")


def config(version: str, datacenter: str | None = "dc1") -> dict[str, Any]:
    return config_for(version, data_dir="/data", name="me", datacenter=datacenter, ports=Ports(1, 2), secrets=SECRETS)


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
