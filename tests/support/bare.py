# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines with a Consul agent each, configured by files that somebody put there, at Consul's own ports.

Each has an address of 127.0.0.0/8 to itself, so that a page may name ports, and several machines may have the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import LabError, Server
from lab.ports import Ports
from lab.process import deferred_interrupts, spawn
from lab.server import clean_environment

PORTS = Ports(http=8500, https=8501, grpc_tls=8503, server=8300, serf_lan=8301, serf_wan=8302)

# Elections and failure detection in about a second: this network does not lose packets.
QUICK: dict[str, Any] = {
    "performance": {"raft_multiplier": 1},
    "gossip_lan": {"gossip_interval": "100ms", "probe_interval": "500ms", "probe_timeout": "400ms"},
    "autopilot": {"last_contact_threshold": "2s", "server_stabilization_time": "1s"},
    "retry_interval": "250ms",
    "disable_update_check": True,
    "skip_leave_on_interrupt": True,
    "leave_on_terminate": False,
}


def network() -> str:
    """Return the beginning of addresses on loopback that nobody else is likely to use: ``127.93.201.``."""
    chosen = random.SystemRandom()
    return f"127.{chosen.randint(64, 250)}.{chosen.randint(1, 250)}."


class Machine(Server):
    """An agent whose configuration is ``consul_d``; ``settings`` are what this machine alone has."""

    def __init__(self, name: str, directory: Path, binary: Path, ip: str, **settings: Any) -> None:
        super().__init__(name=name, directory=directory, binary=binary, ports=PORTS)
        self.ip = ip
        self.consul_d = directory / "consul.d"
        directory.mkdir(mode=0o700, parents=True)
        # What listens on 127.0.0.1 or on all addresses of a machine listens on the one of this machine.
        own: Mapping[str, Any] = {
            **QUICK,
            "node_name": name,
            "data_dir": str(self.data_dir),
            "bind_addr": ip,
            "client_addr": ip,
            "addresses": {"http": ip, "https": ip},
            "ports": {"dns": -1},
            **settings,
        }
        self.configure(own)

    @property
    def rpc_address(self) -> str:
        """How raft knows this server."""
        return f"{self.ip}:{self.ports.server}"

    def address(self, scheme: str | None = None) -> str:
        """Return the API's URL, by plain HTTP."""
        if scheme not in (None, "http"):
            raise LabError(f"{self.name} is asked by plain HTTP")
        return f"http://{self.ip}:{self.ports.http}"

    def start(self, *, detached: bool = False) -> None:
        """Start the process and return at once."""
        if self.running:
            raise LabError(f"{self.name} is running already")
        files = [f"-config-dir={self.consul_d}", f"-config-file={self.config_file}"]
        with deferred_interrupts():
            self._process = spawn(
                [str(self.binary), "agent", *files],
                cwd=self.directory,
                log=self.log_file,
                env=clean_environment(self.directory),
                detached=detached,
            )
            self.pid = self._process.pid

    def settle(self, old: Mapping[str, str]) -> None:
        """Put what the files of ``consul_d`` say into this machine's own directories: ``old`` to new."""
        for path in self.consul_d.glob("*.hcl"):
            text = path.read_text(encoding="utf-8")
            for before, after in old.items():
                text = text.replace(before, after)
            path.write_text(text, encoding="utf-8")

    def settings(self) -> dict[str, Any]:
        """Return what this machine alone has."""
        return dict(json.loads(self.config_file.read_text(encoding="utf-8")))
