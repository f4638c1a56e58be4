# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a throwaway server is told, and what it says of itself (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .._errors import printable
from .._model.versions import series_of

API = "api.sock"
_LOOPBACK = "127.0.0.1"
_VERSION = re.compile(r"Consul v(\d+\.\d+\.\d+[0-9A-Za-z.+~-]*)\s*")
_DATACENTER = re.compile(r"[a-z0-9_-]{1,64}")
_UNNAMED_DATACENTER = "rehearsal"

_FATAL = ("panic: ", "fatal error: ")
_SERIOUS = re.compile(r"\[(ERROR|ERR)\]")
_SECRET = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z0-9+/_=-]{32,}")
_LAST_LINES, _LINE_LIMIT = 5, 300


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


def version_in(text: str) -> str | None:
    """Return the version that ``consul version`` tells in its first line; None when that is not Consul's."""
    found = _VERSION.fullmatch(text.partition("\n")[0])
    return found.group(1) if found else None


def config_for(
    version: str, *, data_dir: str, name: str, datacenter: str | None, ports: Ports, secrets: Secrets
) -> dict[str, Any]:
    """Return the configuration of a server that joins nobody, dials nobody, runs nothing, and listens on no HTTP port.

    It is given the archive's datacenter, so that what it registers by itself fits in with the rest. The names of the
    settings are those of ``agent/config/config.go``; a server dies of one that it doesn't know.
    """
    series = series_of(version) or (0, 0)
    # A unix socket takes the place of the HTTP port's listener: with that port off there would be none.
    numbers: dict[str, int] = {"http": 8500, "https": -1, "dns": -1, "grpc": -1, "serf_wan": -1}
    numbers.update(server=ports.rpc, serf_lan=ports.gossip)
    told = (datacenter or "").lower()
    config: dict[str, Any] = {
        "server": True,
        "bootstrap_expect": 1,
        "node_name": name,
        "datacenter": told if _DATACENTER.fullmatch(told) else _UNNAMED_DATACENTER,
        "data_dir": data_dir,
        "bind_addr": _LOOPBACK,
        "client_addr": _LOOPBACK,
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


def last_words(log: str, secrets: Sequence[str] = ()) -> list[str]:
    """Return the lines that say why a server ended, as they may be shown; whatever looks like a secret is masked.

    That is what it panicked with where it did, its last errors where it told any, and its last lines else.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    fatal = [number for number, line in enumerate(lines) if line.startswith(_FATAL)]
    if fatal:
        # Below it stands where in the code it happened, which tells users nothing.
        end = next((n for n in range(fatal[0], len(lines)) if lines[n].startswith("goroutine ")), len(lines))
        chosen = [*_serious(lines[: fatal[0]])[-2:], *lines[fatal[0] : end]]
    else:
        chosen = (_serious(lines) or lines)[-_LAST_LINES:]
    return [printable(_masked(line, secrets), _LINE_LIMIT) for line in chosen[:_LAST_LINES]]


def _serious(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if _SERIOUS.search(line)]


def _masked(line: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        line = line.replace(secret, "********")
    return _SECRET.sub("********", line)
