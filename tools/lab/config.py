# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server's configuration, for every version that the laboratory runs: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .ports import LOOPBACK, Ports
from .tls import KeyPair

Config = dict[str, Any]


@dataclass(frozen=True)
class ServerTLS:
    """The certificates of one server, and whether HTTPS asks its clients for one."""

    ca_file: Path
    pair: KeyPair
    https_client_certs: bool = False


@dataclass(frozen=True)
class ServerPlan:
    """All that is to be known about a server before it starts."""

    name: str
    datacenter: str
    data_dir: Path
    ports: Ports
    servers: int = 1
    join: tuple[int, ...] = ()
    join_wan: tuple[int, ...] = ()
    primary_datacenter: str | None = None
    http: bool = True
    unix_socket: Path | None = None
    gossip_key: str | None = None
    connect: bool = True
    acl: bool = False
    initial_management: str | None = None
    agent_token: str | None = None
    replication_token: str | None = None
    tls: ServerTLS | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def at_least(version: str, minor: str) -> bool:
    """Whether ``version`` (1.22.7) is of the series ``minor`` (1.14) or newer."""
    return tuple(map(int, version.split(".")[:2])) >= tuple(map(int, minor.split(".")))


def config_for(version: str, plan: ServerPlan) -> Config:
    """The configuration file of one server."""
    config: Config = {
        "server": True,
        "node_name": plan.name,
        "datacenter": plan.datacenter,
        "data_dir": str(plan.data_dir),
        "bind_addr": LOOPBACK,
        "client_addr": LOOPBACK,
        "bootstrap_expect": plan.servers,
        "retry_join": [f"{LOOPBACK}:{port}" for port in plan.join],
        "retry_interval": "250ms",
        "retry_join_wan": [f"{LOOPBACK}:{port}" for port in plan.join_wan],
        "retry_interval_wan": "250ms",
        "leave_on_terminate": False,
        "skip_leave_on_interrupt": True,
        "disable_update_check": True,
        "log_level": "INFO",
        # Elections and failure detection in about a second: a laboratory's network does not lose packets.
        "performance": {"raft_multiplier": 1},
        "gossip_lan": {"gossip_interval": "100ms", "probe_interval": "500ms", "probe_timeout": "400ms"},
        "gossip_wan": {"gossip_interval": "100ms", "probe_interval": "500ms", "probe_timeout": "400ms"},
        # A busy machine may be late with a heartbeat; that must not look like a sick server.
        "autopilot": {"last_contact_threshold": "2s", "server_stabilization_time": "1s"},
        "connect": {"enabled": plan.connect},
        "ports": _ports(version, plan),
        "addresses": _addresses(plan),
    }
    if plan.primary_datacenter:
        config["primary_datacenter"] = plan.primary_datacenter
    if plan.gossip_key:
        config["encrypt"] = plan.gossip_key
    if plan.unix_socket:
        config["unix_sockets"] = {"mode": "600"}
    if plan.acl:
        config["acl"] = _acl(version, plan)
    if plan.tls:
        config |= _tls(version, plan.tls)
    return merged(config, plan.extra)


def _ports(version: str, plan: ServerPlan) -> Config:
    ports: Config = {
        # A unix socket counts as the HTTP port's listener: with the port off there would be none.
        "http": plan.ports.http if plan.http or plan.unix_socket else -1,
        "https": plan.ports.https if plan.tls else -1,
        "dns": -1,
        "grpc": -1,
        "server": plan.ports.server,
        "serf_lan": plan.ports.serf_lan,
        "serf_wan": plan.ports.serf_wan,
    }
    if at_least(version, "1.14"):
        ports["grpc_tls"] = plan.ports.grpc_tls
    return ports


def _addresses(plan: ServerPlan) -> Config:
    http = [LOOPBACK] if plan.http else []
    if plan.unix_socket:
        http.append(f"unix://{plan.unix_socket}")
    return {"http": " ".join(http)} if http else {}


def _acl(version: str, plan: ServerPlan) -> Config:
    management = "initial_management" if at_least(version, "1.11") else "master"
    tokens = {
        management: plan.initial_management,
        "agent": plan.agent_token,
        "replication": plan.replication_token,
    }
    return {
        "enabled": True,
        "default_policy": "deny",
        "enable_token_replication": plan.replication_token is not None,
        "tokens": {name: value for name, value in tokens.items() if value},
    }


def _tls(version: str, tls: ServerTLS) -> Config:
    files = {"ca_file": str(tls.ca_file), "cert_file": str(tls.pair.cert), "key_file": str(tls.pair.key)}
    if at_least(version, "1.12"):
        return {
            "tls": {
                "defaults": files | {"verify_outgoing": True},
                "internal_rpc": {"verify_incoming": True, "verify_server_hostname": True},
                "https": {"verify_incoming": tls.https_client_certs},
            }
        }
    return files | {
        "verify_outgoing": True,
        "verify_incoming_rpc": True,
        "verify_incoming_https": tls.https_client_certs,
        "verify_server_hostname": True,
    }


def merged(base: Mapping[str, Any], extra: Mapping[str, Any]) -> Config:
    """``base`` with ``extra`` laid over it, mapping by mapping."""
    result = dict(base)
    for key, value in extra.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result
