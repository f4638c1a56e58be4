# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A throwaway Consul server: real, alone, and gone with the one who started it.

It has a network namespace of its own where the kernel allows that, so that it could dial nobody even if it wanted to.
Elsewhere it listens on two free ports of loopback. Its API is a unix socket in a directory of its owner's either way.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import functools
import inspect
import json
import os
import random
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from typing import IO, Any, NamedTuple

from .._consul.client import Client, Connection
from .._consul.cluster import read_leader
from .._errors import BinaryError, ServerDied, SnapshotError
from .._system import launch as _launch
from .._system.atomic_files import file_errors
from .._system.signals import uninterrupted
from .._system.workdir import NOTE, WorkDir
from .server_config import API, Ports, Secrets, config_for, crash_log, version_in

NETWORK_NAMESPACE, LOOPBACK = "network_namespace", "loopback"

_LOG, _CONFIG, _DATA = "consul.log", "config.json", "data"
_LICENSE, _LICENSE_PATH = "CONSUL_LICENSE", "CONSUL_LICENSE_PATH"
_LOG_TAIL = 256 << 10
_ENOUGH = 4096
_PATIENCE = 15.0
"""Seconds that a program may take to tell its version, or to become a server's launcher."""
_PAUSE = 0.05
_PORT_TAKEN = "address already in use"
_FIRST_PORT, _LAST_PORT = 20000, 32000
"""Below the range from which Linux serves outgoing connections."""


class Binary(NamedTuple):
    """A Consul program."""

    path: str
    version: str


def find_binary(name: str) -> Binary:
    """Return the Consul of this name or path, having asked it for its version.

    :raises BinaryError: it isn't there, can't be run, or isn't Consul.
    """
    path = shutil.which(name)
    if path is None:
        raise BinaryError(
            f"there is no program {name}", hint="Install Consul on this host, or set consul_binary to where it is."
        )
    path = os.path.abspath(path)
    output, code = _output_of([path, "version"])
    version = version_in(output) if code == 0 else None
    if version is None:
        raise BinaryError(f"{path} is not Consul: 'version' prints no version", hint="Set consul_binary to a Consul.")
    return Binary(path, version)


def isolation() -> str:
    """Return how a server can be kept to itself on this host."""
    unshare = _unsharing()
    if not unshare:
        return LOOPBACK
    _output, code = _output_of([], unshare)
    return NETWORK_NAMESPACE if code == 0 else LOOPBACK


class Throwaway:
    """A server in ``workdir``. Leaving the ``with`` block ends it, at once: nothing in it is worth keeping."""

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
        """Start it and wait until it leads and takes its token, for as long as that takes.

        :raises ServerDied: it ended. :raises FileError: its directory can't be written.
        """
        for left in range(3, -1, -1):
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
        """Wait until the server leads and takes its token, for as long as that takes.

        The token is asked for with a consistent read, which a new leader answers only when all is done that it begins
        with (establishLeadership in Consul's agent/consul/leader.go). The token works before that, and a restore in
        between would be followed by the leader's own Autopilot configuration.

        :raises ServerDied: it ended.
        """
        while True:
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
        return crash_log(self._log(), [*self._secrets, *filter(None, [os.environ.get(_LICENSE)])])

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
            ports=Ports(_free_port(), _free_port()) if self._isolation == LOOPBACK else Ports(),
            secrets=self._secrets,
        )
        path = workdir.write(_CONFIG, json.dumps(config, indent=2, sort_keys=True))
        log = workdir.write(_LOG, "")
        with file_errors("write", log), open(log, "ab") as output:
            os.makedirs(workdir.inside(_DATA), mode=0o700, exist_ok=True)
            apart = _unsharing() if self._isolation == NETWORK_NAMESPACE else ()
            command = [self._binary.path, "agent", f"-config-file={path}"]
            with uninterrupted():
                self._process = _launched(
                    command, apart, home=workdir.path, note=workdir.inside(NOTE), loopback=bool(apart), output=output
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
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{self._process.pid}/status", encoding="ascii", errors="replace") as status:
                peaks = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")]
            self._memory = max([self._memory or 0, *peaks]) or None


@functools.cache
def _launcher() -> str:
    return inspect.getsource(_launch)


def _unsharing() -> tuple[str, ...]:
    unshare = shutil.which("unshare")
    return (unshare, "--user", "--map-root-user", "--net") if unshare else ()


def _environment() -> dict[str, str]:
    """Return our environment for the launcher, which begins in another directory and passes little of it on."""
    variables = dict(os.environ)
    if variables.get(_LICENSE_PATH):
        variables[_LICENSE_PATH] = os.path.abspath(variables[_LICENSE_PATH])
    return variables


def _launched(
    command: Sequence[str],
    through: Sequence[str],
    *,
    home: str,
    note: str,
    loopback: bool,
    output: int | IO[Any],
) -> subprocess.Popen[bytes]:
    arguments = [str(os.getpid()), note, home, "up" if loopback else "", *command]
    try:
        # AnsibleModule.run_command waits for its program to end; this one goes on beside us.
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            [*through, sys.executable, "-I", "-S", "-c", _launcher(), *arguments],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(),
        )
    except OSError as error:
        raise BinaryError(
            f"can't start a program: {os.strerror(error.errno or 0)}",
            hint="Check this host's free memory and its limits on processes.",
        ) from None


def _output_of(command: Sequence[str], through: Sequence[str] = ()) -> tuple[str, int | None]:
    """Run a program that should be soon done, whatever it is.

    Return the beginning of its output, and its exit code, None where it had to be ended.
    """
    with uninterrupted():
        process = _launched(command, through, home="/", note="", loopback=bool(through), output=subprocess.PIPE)
    output, end = b"", time.monotonic() + _PATIENCE
    try:
        while len(output) < _ENOUGH and process.stdout is not None:
            ready, _write, _except = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(process.stdout.fileno(), _ENOUGH) if ready else b""
            if not piece:
                break
            output += piece
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, end - time.monotonic()) if len(output) < _ENOUGH else 0)
        code = process.returncode
    finally:
        with uninterrupted():
            # Whatever it started is in its session as well.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
    return output.decode("utf-8", "replace"), code


def _free_port() -> int:
    """Return a port of loopback that nobody listens on, neither TCP nor UDP."""
    for _attempt in range(1000):
        port = random.randint(_FIRST_PORT, _LAST_PORT)
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                with socket.socket(socket.AF_INET, kind) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise BinaryError(
                    f"can't bind to loopback: {os.strerror(error.errno or 0)}", hint="See whether 127.0.0.1 is up."
                ) from None
            continue
        return port
    raise BinaryError("no port of loopback is free", hint="See what listens on 127.0.0.1.")
