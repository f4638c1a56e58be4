# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a throwaway server (pure)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .._model.compatibility import series_of
from .ports import HOST

API = "api.sock"
_DATACENTER = re.compile(r"[a-z0-9_-]{1,64}")
_UNNAMED_DATACENTER = "rehearsal"


class Secrets(NamedTuple):
    """What a throwaway server is secured with; never to be shown."""

    token: str
    gossip_key: str

    def __repr__(self) -> str:
        return "Secrets()"


class Ports(NamedTuple):
    """The ports that a server can't do without: its own RPC and gossip."""

    rpc: int = 8300
    gossip: int = 8301


def config_for(
    version: str, *, data_dir: str, name: str, datacenter: str | None, ports: Ports, secrets: Secrets
) -> dict[str, Any]:
    """Return the configuration of a server that joins nobody, dials nobody, runs nothing, and listens on no HTTP port.

    Its datacenter is the archive's, so that what it registers by itself matches the rest. The names of the settings are
    those of ``agent/config/config.go``; a server does not start with one that its version doesn't know.
    """
    series = series_of(version) or (0, 0)
    # A unix socket takes the place of the HTTP port's listener: with that port off there would be none.
    numbers: dict[str, int] = {"http": 8500, "https": -1, "dns": -1, "grpc": -1, "serf_wan": -1}
    numbers.update(server=ports.rpc, serf_lan=ports.gossip)
    named = (datacenter or "").lower()
    config: dict[str, Any] = {
        "server": True,
        "bootstrap_expect": 1,
        "node_name": name,
        "datacenter": named if _DATACENTER.fullmatch(named) else _UNNAMED_DATACENTER,
        "data_dir": data_dir,
        "bind_addr": HOST,
        "client_addr": HOST,
        # Relative to the server's working directory, because a socket's path may have 107 bytes at most.
        "addresses": {"http": f"unix://{API}"},
        "unix_sockets": {"mode": "600"},
        "ports": numbers,
        "encrypt": secrets.gossip_key,
        "retry_join": [],
        "connect": {"enabled": False},
        "enable_script_checks": False,
        "enable_local_script_checks": False,
        "disable_remote_exec": True,
        "disable_update_check": True,
        "disable_keyring_file": True,
        "leave_on_terminate": False,
        "log_level": "INFO",
        "performance": {"raft_multiplier": 1},
        "acl": {
            "enabled": True,
            "default_policy": "deny",
            "tokens": {"initial_management" if series >= (1, 11) else "master": secrets.token},
        },
    }
    if series >= (1, 13):
        config["peering"] = {"enabled": False}
    if series >= (1, 14):
        numbers["grpc_tls"] = -1
    if series >= (1, 15):
        # The other one, newer servers' default, takes 64 MB of the disk before anything is in it (seen on 1.22.7).
        config["raft_logstore"] = {"backend": "boltdb"}
    return config
