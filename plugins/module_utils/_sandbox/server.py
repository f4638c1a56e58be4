# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A throwaway Consul server: real, isolated, and gone with the process that started it.

Where the kernel allows it, the server has a network namespace of its own, and can't reach anything. Elsewhere it
listens on two free ports of loopback. Either way its API is a unix socket in a directory that only its owner may enter.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
import uuid

from .._consul.client import Client, Connection
from .._consul.cluster import read_leader
from .._errors import ServerDied, SnapshotError
from .._system.atomic_files import file_errors
from .._system.signals import uninterrupted
from .._system.workdir import NOTE, WorkDir
from .binary import Binary
from .crash_log import crash_log
from .ports import free_port
from .process import LICENSE, LOOPBACK, NETWORK_NAMESPACE, own_network, start_program
from .server_config import API, Ports, Secrets, config_for

_LOG, _CONFIG, _DATA = "consul.log", "config.json", "data"
_LOG_TAIL = 256 << 10
_PAUSE = 0.05
_PORT_TAKEN = "address already in use"
_PORT_ATTEMPTS = 4


class Throwaway:
    """A server in ``workdir``. Leaving the ``with`` block kills it: nothing in it is worth a clean end."""

    def __init__(self, binary: Binary, workdir: WorkDir, *, isolation: str, datacenter: str | None) -> None:
        self._binary = binary
        self._workdir = workdir
        self._isolation = isolation
        self._datacenter = datacenter
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._secrets = Secrets(str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)), key)
        self._process: subprocess.Popen[bytes] | None = None
        self._memory: int | None = None

    def __enter__(self) -> Throwaway:
        return self

    def __exit__(self, *_exc: object) -> None:
        with uninterrupted():
            self._end()

    def client(self, timeout: float) -> Client:
        """Return a client that may do everything, before and after any restore."""
        api = self._workdir.short(API)
        return Client(Connection(unix_socket=api, token=self._secrets.token, timeout=timeout, retries=0))

    def start(self, client: Client) -> None:
        """Start it and wait until it leads and accepts its token, for as long as that takes.

        :raises ServerDied: it ended. :raises FileError: its directory can't be written.
        """
        for left in range(_PORT_ATTEMPTS - 1, -1, -1):
            try:
                self._spawn()
                self.await_leader(client)
                return
            except ServerDied as error:
                # Between the choice of a free port and its use somebody else may have taken it.
                if not left or self._isolation != LOOPBACK or _PORT_TAKEN not in self._log():
                    raise error
                self._end()
                with file_errors("remove", self._workdir.path):
                    shutil.rmtree(self._workdir.inside(_DATA))
                    os.unlink(self._workdir.inside(NOTE))

    def await_leader(self, client: Client) -> None:
        """Wait until the server leads and accepts its token, for as long as that takes.

        The token is read in consistent mode, which a new leader answers only after its start-up work
        (establishLeadership in Consul's agent/consul/leader.go). Without that the token works earlier, and the leader
        would write its own Autopilot configuration over what was restored meanwhile.

        :raises ServerDied: it ended.
        """
        while True:
            # Errors are what a server answers until it leads; one that has ended is found below.
            with contextlib.suppress(SnapshotError):
                if read_leader(client) and client.ask("/v1/acl/token/self", params={"consistent": ""}):
                    return
            self.check_alive()
            time.sleep(_PAUSE)

    def check_alive(self, patience: float = 0) -> None:
        """Raise ServerDied if the server has ended, or ends within ``patience`` seconds."""
        process = self._process
        if process is None:
            raise ServerDied("the server was not started", crash_log=[])
        self._look_at_memory()
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = process.wait(patience) if patience else process.poll()
            if code is not None:
                self._died(code)

    @property
    def memory(self) -> int | None:
        """The most memory, in bytes, that the server was seen to hold at once; None when that could not be seen."""
        self._look_at_memory()
        return self._memory

    def crash_log(self) -> list[str]:
        """Return the lines of the log that say why the server ended."""
        return crash_log(self._log(), [*self._secrets, *filter(None, [os.environ.get(LICENSE)])])

    def _died(self, code: int) -> None:
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        raise ServerDied(f"Consul {self._binary.version} ended {how}", crash_log=self.crash_log())

    def _spawn(self) -> None:
        workdir = self._workdir
        config = config_for(
            self._binary.version,
            data_dir=workdir.inside(_DATA),
            name=f"rehearsal-{secrets.token_hex(4)}",
            datacenter=self._datacenter,
            ports=Ports(free_port(), free_port()) if self._isolation == LOOPBACK else Ports(),
            secrets=self._secrets,
        )
        path = workdir.write(_CONFIG, json.dumps(config, indent=2, sort_keys=True))
        log = workdir.write(_LOG, "")
        with file_errors("write", log), open(log, "ab") as output:
            os.makedirs(workdir.inside(_DATA), mode=0o700, exist_ok=True)
            through = own_network() if self._isolation == NETWORK_NAMESPACE else ()
            command = [self._binary.path, "agent", f"-config-file={path}"]
            with uninterrupted():
                self._process = start_program(
                    command, through, home=workdir.path, note=workdir.inside(NOTE), output=output
                )

    def _end(self) -> None:
        if self._process is not None:
            self._look_at_memory()
            self._process.kill()
            self._process.wait()
            self._process = None

    def _log(self) -> str:
        try:
            with open(self._workdir.inside(_LOG), "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - _LOG_TAIL))
                return log.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def _look_at_memory(self) -> None:
        if self._process is None:
            return
        # A figure for the report: without it the rehearsal goes on.
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{self._process.pid}/status", encoding="ascii", errors="replace") as status:
                peaks = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")]
            self._memory = max([self._memory or 0, *peaks]) or None
