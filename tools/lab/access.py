# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a cluster from outside: plain HTTP and the real ``consul`` command, nothing of the collection's own."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .errors import LabError
from .server import Server, clean_environment
from .tls import KeyPair


@dataclass(frozen=True)
class ClientTLS:
    """What a client needs for HTTPS."""

    ca_file: Path
    pair: KeyPair


CUT = "unexpected EOF"
CUT_ANSWERS = 3


class Access:
    """Requests to a cluster's servers, with the management token unless told otherwise."""

    def __init__(self, *, binary: Path, servers: list[Server], tls: ClientTLS | None, token_file: Path | None) -> None:
        self.binary = binary
        self.servers = servers
        self.client_tls = tls
        self.token_file = token_file
        self._local = threading.local()

    def http(
        self,
        method: str,
        path: str,
        *,
        server: Server | None = None,
        token: str | None = None,
        check: bool = False,
        timeout: float = 30.0,
        **options: Any,
    ) -> requests.Response:
        """One HTTP request, to the first living server unless one is named.

        ``path`` starts with ``/v1``; ``token=""`` sends none; ``check`` raises on a status of 400 and more; the other
        options are those of requests.
        """
        server = server or self.first_alive()
        headers = dict(options.pop("headers", None) or {})
        secret = self.management_token() if token is None else token
        if secret:
            headers.setdefault("X-Consul-Token", secret)
        # requests asks for gzip by itself, and a snapshot would arrive compressed twice.
        headers.setdefault("Accept-Encoding", "identity")
        url = server.address("http" if server.http_port else "https") + path
        response = self._session().request(method, url, headers=headers, timeout=timeout, **options)
        if check and response.status_code >= 400:
            raise LabError(f"{method} {path.partition('?')[0]}: {response.status_code} {response.text.strip()[:300]}")
        return response

    def get(self, path: str, **options: Any) -> Any:
        """GET some JSON."""
        return self.http("GET", path, check=True, **options).json()

    def put(self, path: str, body: Any = None, **options: Any) -> Any:
        """PUT some JSON and return the answer's."""
        response = self.http("PUT", path, check=True, json=body, **options)
        return response.json() if response.content else None

    def env(
        self, *, token: str | None = None, server: Server | None = None, scheme: str | None = None
    ) -> dict[str, str]:
        """The CONSUL_* variables that lead any client to this cluster; ``token=""`` names none."""
        server = server or self.first_alive()
        address = server.address(scheme)
        variables = {"CONSUL_HTTP_ADDR": address}
        if address.startswith("https:") and self.client_tls:
            variables |= {
                "CONSUL_CACERT": str(self.client_tls.ca_file),
                "CONSUL_CLIENT_CERT": str(self.client_tls.pair.cert),
                "CONSUL_CLIENT_KEY": str(self.client_tls.pair.key),
            }
        if token is None and self.token_file:
            variables["CONSUL_HTTP_TOKEN_FILE"] = str(self.token_file)
        elif token:
            variables["CONSUL_HTTP_TOKEN"] = token
        return variables

    def cli(
        self,
        *arguments: str | Path,
        token: str | None = None,
        server: Server | None = None,
        scheme: str | None = None,
        check: bool = True,
    ) -> str:
        """Run the ``consul`` command against this cluster and return its stdout."""
        told = self.env(token=token, server=server, scheme=scheme)
        command = [str(self.binary), *map(str, arguments)]
        with tempfile.TemporaryDirectory(prefix="consul-") as scratch:
            environment = clean_environment(scratch) | told
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            for _again in range(CUT_ANSWERS):
                # Seen on 1.22.7 under load: the leader resets the connection over which a follower fetches the
                # snapshot, and the follower's answer ends early. The command notices, and does not try again.
                if done.returncode == 0 or CUT not in done.stderr:
                    break
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise LabError(f"consul {' '.join(command[1:3])} failed: {(done.stderr or done.stdout).strip()[:500]}")
        return done.stdout

    def first_alive(self) -> Server:
        """The first server that runs."""
        for server in self.servers:
            if server.running:
                return server
        raise LabError("no server of this cluster is running")

    def management_token(self) -> str | None:
        """The management token's secret, or None without ACLs."""
        return self.token_file.read_text(encoding="utf-8").strip() if self.token_file else None

    def leader(self) -> Server | None:
        """The server that leads, as the first living one sees it."""
        address = self.get("/v1/status/leader", token="")
        return next((server for server in self.servers if server.rpc_address == address), None)

    def followers(self) -> list[Server]:
        """The living servers that do not lead."""
        leader = self.leader()
        return [server for server in self.servers if server is not leader and server.running]

    def trust_domain(self) -> str | None:
        """The cluster's identity: the trust domain of its Connect CA, None where Connect is off."""
        response = self.http("GET", "/v1/connect/ca/roots", token="")
        return response.json().get("TrustDomain") if response.status_code == 200 else None

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # Neither a proxy nor a CA bundle of the environment has a say in what happens on loopback.
            session.trust_env = False
            if self.client_tls:
                session.verify = str(self.client_tls.ca_file)
                session.cert = (str(self.client_tls.pair.cert), str(self.client_tls.pair.key))
            self._local.session = session
        return session
