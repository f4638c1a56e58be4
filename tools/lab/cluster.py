# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster of real Consul servers on loopback: ``with Cluster(directory) as cluster: …``."""

from __future__ import annotations

import base64
import secrets
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from . import binaries, federation, readiness, statefile
from .access import Access, ClientTLS
from .config import ServerPlan, ServerTLS, config_for
from .errors import LabError, PortTaken
from .ports import free_ports
from .server import STOP_SECONDS, Server
from .tls import Authority, KeyPair

ATTEMPTS = 5
LISTEN_SECONDS = 60.0
READY_SECONDS = 90.0
# The limit for the path of a unix socket is 104 bytes on some systems, 108 on Linux.
SOCKET_PATH_MAX = 100


def _random_uuid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Tokens:
    """Secrets that the servers' configuration names.

    Consul makes the management token by itself; the agents' works once somebody stored it (``create_agent_token``, or a
    restore that brings it back).
    """

    initial_management: str = field(default_factory=_random_uuid, repr=False)
    agent: str = field(default_factory=_random_uuid, repr=False)


class Cluster(Access):
    """Servers that were started together, or attached to with ``from_directory``.

    They die with the thread that started them, unless ``detached``.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        version: str = binaries.NEW,
        binary: Path | None = None,
        servers: int = 3,
        datacenter: str = "dc1",
        primary_datacenter: str | None = None,
        primary: Cluster | None = None,
        acl: bool = True,
        tokens: Tokens | None = None,
        tls: bool = False,
        https_client_certs: bool = False,
        authority: Authority | None = None,
        http: bool = True,
        unix_socket: bool = False,
        gossip: bool | str = False,
        connect: bool = True,
        name_prefix: str = "server",
        extra_config: Mapping[str, Any] | None = None,
        detached: bool = False,
    ) -> None:
        """Describe a cluster; nothing is made before ``start``.

        ``primary`` is a running cluster to join over WAN as a secondary datacenter, with its tokens, gossip key and CA.
        ``http=False`` closes the plain HTTP port (HTTPS remains, and the unix socket if there is one).
        ``gossip`` may be a key.
        ``binary`` is a Consul binary to use in place of the laboratory's own of ``version``.
        """
        if not (http or tls):
            raise LabError("the laboratory reaches servers by HTTP or HTTPS: leave one of them on")
        binary = binary or binaries.consul(version)
        super().__init__(binary=binary, servers=[], tls=None, token_file=None)
        self.directory = Path(directory).resolve()
        self.version = binaries.version_of(binary)
        self.size = servers
        self.datacenter = datacenter
        self.primary = primary
        self.primary_datacenter = primary.datacenter if primary else primary_datacenter
        self.acl = acl
        self.tokens: Tokens = tokens or (primary.tokens if primary else Tokens())
        self.tls = tls
        self.https_client_certs = https_client_certs
        self.authority: Authority | None = authority or (primary.authority if primary else None)
        self.plain_http = http
        self.with_unix_socket = unix_socket
        self.gossip_key = gossip if isinstance(gossip, str) else _gossip_key() if gossip else None
        if primary and primary.gossip_key:
            self.gossip_key = primary.gossip_key
        self.connect = connect
        self.name_prefix = name_prefix
        self.extra_config = dict(extra_config or {})
        self.detached = detached
        self._socket_directory: Path | None = None
        # Whether it was ready once: from then on others know its ports, and they stay.
        self._established = False

    @classmethod
    def from_directory(cls, directory: Path | str) -> Cluster:
        """Attach to a cluster that another process started (or that an object of this one did)."""
        directory = Path(directory).resolve()
        state = statefile.load(directory)
        files = {name: Path(path) for name, path in state["token_files"].items()}
        tokens = Tokens(**{name: path.read_text(encoding="utf-8").strip() for name, path in files.items()})
        cluster = cls(directory, binary=Path(state["binary"]), tokens=tokens, **state["options"])
        cluster.servers.extend(Server.from_dict(server, cluster.binary) for server in state["servers"])
        cluster.token_file = files.get("initial_management")
        cluster._established = True
        if state["tls"]:
            tls = {name: Path(path) for name, path in state["tls"].items()}
            cluster.client_tls = ClientTLS(tls["ca_file"], KeyPair(tls["client_cert"], tls["client_key"]))
        if state["socket_directory"]:
            cluster._socket_directory = Path(state["socket_directory"])
        return cluster

    def __enter__(self) -> Cluster:
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all servers that don't run, and wait until they listen.

        The first time this chooses ports and writes configurations; afterwards it starts the same servers again.
        """
        if self.servers:
            return self._start_servers()
        if (self.directory / statefile.NAME).exists():
            raise LabError(f"{self.directory} holds a cluster already: attach with from_directory, or remove it")
        self._start_new()

    def wait_ready(self, timeout: float = READY_SECONDS) -> float:
        """Wait for a leader, all voters, health, usable ACLs and the Connect CA; returns the seconds."""
        for _attempt in range(ATTEMPTS):
            try:
                seconds = readiness.wait_ready(self, timeout=timeout, acl=self.acl, connect=self.connect)
            except PortTaken:
                # A stranger on a server's HTTP port looks like a server that listens, so it shows only now.
                if self._established:
                    raise
                self._discard()
                self._start_new()
            else:
                self._established = True
                return seconds
        raise LabError(f"no free ports were found in {ATTEMPTS} attempts")

    def stop(self) -> None:
        """End all servers in good order, those that won't by force."""
        for server in self.servers:
            server.terminate()
        self._finish(STOP_SECONDS)

    def kill(self) -> None:
        """The disaster: SIGKILL to all servers at once."""
        for server in self.servers:
            server.send_kill()
        self._finish(STOP_SECONDS)

    def wipe(self) -> None:
        """Delete the data of all (stopped) servers; configurations, certificates and tokens stay."""
        for server in self.servers:
            server.wipe()

    def upgrade(self, version: str) -> None:
        """Run another Consul on the same data: one server after the other, each healthy before the next is stopped.

        The leader is the last: a newer one writes to the log what ends older followers (seen with 1.22.7 and 1.8.7).
        """
        binary = binaries.consul(version)
        waiting = list(self.servers)
        while waiting:
            leader = self.leader()
            server = min(waiting, key=lambda one: one is leader)
            waiting.remove(server)
            server.terminate()
            server.wait_stopped(STOP_SECONDS)
            server.binary = binary
            server.configure(config_for(version, self._plan(server)))
            self._start_servers()
            self.wait_ready()
        self.binary, self.version = binary, version
        self._save()

    def federate(self, other: Cluster, timeout: float = READY_SECONDS) -> None:
        """Join another datacenter over WAN and wait until each can be reached from the other."""
        federation.join(self, other)
        federation.wait_joined(self, other, timeout)

    def create_agent_token(self) -> None:
        """Store the token that the servers' configuration names for their agents, with a policy of its own."""
        if not self.acl:
            return
        rules = 'node_prefix "" { policy = "write" }\nservice_prefix "" { policy = "read" }'
        policy = {"Name": "lab-agents", "Rules": rules}
        self.put("/v1/acl/policy", policy)
        token = {"SecretID": self.tokens.agent, "Description": "agents", "Policies": [{"Name": policy["Name"]}]}
        self.put("/v1/acl/token", token)

    def _start_new(self) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._prepare()
                return self._start_servers()
            except PortTaken:
                self._discard()
                if attempt == ATTEMPTS:
                    raise

    def _discard(self) -> None:
        """Forget servers that could not start; certificates and tokens stay."""
        self.kill()
        for server in self.servers:
            server.wipe()
            server.log_file.unlink(missing_ok=True)
        self.servers.clear()

    def _prepare(self) -> None:
        """Make all that servers need before they start: directories, certificates, tokens, ports, configurations."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        if self.tls and self.client_tls is None:
            self.authority = self.authority or Authority.create(self.binary, self.directory / "ca")
            self.client_tls = ClientTLS(self.authority.ca_file, self.authority.client(self.directory / "client"))
        if self.acl:
            for name, secret in self._secrets().items():
                statefile.write_private(self._token_file(name), secret + "\n")
            self.token_file = self._token_file("initial_management")
        for number in range(1, self.size + 1):
            self.servers.append(self._new_server(f"{self.name_prefix}-{number}"))
        for server in self.servers:
            server.configure(config_for(self.version, self._plan(server)))

    def _new_server(self, name: str) -> Server:
        directory = self.directory / name
        directory.mkdir(mode=0o700, exist_ok=True)
        return Server(
            name=name,
            directory=directory,
            binary=self.binary,
            ports=free_ports(),
            http=self.plain_http,
            https=self.tls,
            unix_socket=self._socket_path(directory) if self.with_unix_socket else None,
        )

    def _plan(self, server: Server) -> ServerPlan:
        tls = None
        if self.authority and self.tls:
            pair = self.authority.server(server.directory / "tls", self.datacenter)
            tls = ServerTLS(self.authority.ca_file, pair, self.https_client_certs)
        secondary = self.primary_datacenter not in (None, self.datacenter)
        return ServerPlan(
            name=server.name,
            datacenter=self.datacenter,
            data_dir=server.data_dir,
            ports=server.ports,
            servers=self.size,
            join=tuple(other.ports.serf_lan for other in self.servers if other is not server),
            join_wan=tuple(other.ports.serf_wan for other in self.primary.servers) if self.primary else (),
            primary_datacenter=self.primary_datacenter,
            http=self.plain_http,
            unix_socket=server.unix_socket,
            gossip_key=self.gossip_key,
            connect=self.connect,
            acl=self.acl,
            # A secondary gets its tokens from the primary; the management token may copy them.
            initial_management=None if secondary else self.tokens.initial_management,
            agent_token=self.tokens.agent,
            replication_token=self.tokens.initial_management if secondary and self.acl else None,
            tls=tls,
            extra=self.extra_config,
        )

    def _start_servers(self) -> None:
        try:
            self._save()
            for server in self.servers:
                if not server.running:
                    server.start(detached=self.detached)
                    self._save()
            deadline = time.monotonic() + LISTEN_SECONDS
            for server in self.servers:
                server.wait_listening(deadline)
        except BaseException:
            self.kill()
            raise

    def _finish(self, timeout: float) -> None:
        if not self.servers:
            return
        for server in self.servers:
            server.wait_stopped(timeout)
            if server.unix_socket:
                server.unix_socket.unlink(missing_ok=True)
        if self._socket_directory and self._socket_directory.exists():
            self._socket_directory.rmdir()
        self._save()

    def _socket_path(self, directory: Path) -> Path:
        path = directory / "http.sock"
        if len(str(path)) <= SOCKET_PATH_MAX:
            return path
        if self._socket_directory is None:
            self._socket_directory = Path(tempfile.mkdtemp(prefix="consul-lab-"))
        return self._socket_directory / f"{directory.name}.sock"

    def _secrets(self) -> dict[str, str]:
        return {"initial_management": self.tokens.initial_management, "agent": self.tokens.agent}

    def _token_file(self, name: str) -> Path:
        return self.directory / f"{name}.token"

    def _save(self) -> None:
        if not self.directory.exists():
            return
        tls = self.client_tls
        files = {"ca_file": tls.ca_file, "client_cert": tls.pair.cert, "client_key": tls.pair.key} if tls else {}
        state = {
            "binary": str(self.binary),
            "options": {
                "version": self.version,
                "servers": self.size,
                "datacenter": self.datacenter,
                "primary_datacenter": self.primary_datacenter,
                "acl": self.acl,
                "tls": self.tls,
                "https_client_certs": self.https_client_certs,
                "http": self.plain_http,
                "unix_socket": self.with_unix_socket,
                "connect": self.connect,
                "name_prefix": self.name_prefix,
                "detached": self.detached,
            },
            "token_files": {name: str(self._token_file(name)) for name in (self._secrets() if self.acl else ())},
            "tls": {name: str(path) for name, path in files.items()},
            "socket_directory": str(self._socket_directory) if self._socket_directory else None,
            "servers": [server.to_dict() for server in self.servers],
        }
        statefile.save(self.directory, state)


def _gossip_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
