# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Consul server process in a directory of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import LabError, PortTaken
from .ports import LOOPBACK, Ports
from .process import deferred_interrupts, is_running, send, spawn, wait_gone

STOP_SECONDS = 10.0


class Server:
    """A server: its configuration file, data and log lie in ``directory``, and its pid is known.

    Ending it does not need the object that started it: a pid and the directory (which is in the command line) do.
    """

    def __init__(
        self,
        *,
        name: str,
        directory: Path,
        binary: Path,
        ports: Ports,
        http: bool = True,
        https: bool = False,
        unix_socket: Path | None = None,
        pid: int | None = None,
    ) -> None:
        self.name = name
        self.directory = directory
        self.binary = binary
        self.ports = ports
        self.unix_socket = unix_socket
        self.pid = pid
        self._http = http
        self._https = https
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], binary: Path) -> Server:
        """From a state file."""
        return cls(
            name=data["name"],
            directory=Path(data["directory"]),
            binary=binary,
            ports=Ports.from_dict(data["ports"]),
            http=data["http"] is not None,
            https=data["https"] is not None,
            unix_socket=Path(data["unix_socket"]) if data["unix_socket"] else None,
            pid=data["pid"],
        )

    def to_dict(self) -> dict[str, Any]:
        """For a state file, with the addresses as a person would want them."""
        return {
            "name": self.name,
            "pid": self.pid,
            "directory": str(self.directory),
            "http": self.address("http") if self.http_port else None,
            "https": self.address("https") if self.https_port else None,
            "unix_socket": str(self.unix_socket) if self.unix_socket else None,
            "ports": self.ports.to_dict(),
        }

    @property
    def http_port(self) -> int | None:
        """The port of plain HTTP, if it is open."""
        return self.ports.http if self._http else None

    @property
    def https_port(self) -> int | None:
        """The port of HTTPS, if it is open."""
        return self.ports.https if self._https else None

    @property
    def rpc_address(self) -> str:
        """How raft knows this server."""
        return f"{LOOPBACK}:{self.ports.server}"

    @property
    def config_file(self) -> Path:
        """The configuration file; it holds the secrets that the command line does not."""
        return self.directory / "config.json"

    @property
    def data_dir(self) -> Path:
        """Where Consul keeps its state."""
        return self.directory / "data"

    @property
    def log_file(self) -> Path:
        """What Consul has to say, over all its starts."""
        return self.directory / "consul.log"

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        if self._process is not None:
            return self._process.poll() is None
        return is_running(self.pid, str(self.directory))

    def address(self, scheme: str | None = None) -> str:
        """The API's URL: ``http``, ``https`` or ``unix``; by default the first of them that this server offers."""
        offered = {
            "http": f"http://{LOOPBACK}:{self.http_port}" if self.http_port else None,
            "https": f"https://{LOOPBACK}:{self.https_port}" if self.https_port else None,
            "unix": f"unix://{self.unix_socket}" if self.unix_socket else None,
        }
        address = offered[scheme] if scheme else next((url for url in offered.values() if url), None)
        if address is None:
            raise LabError(f"{self.name} does not offer {scheme or 'its API'}")
        return address

    def configure(self, config: Mapping[str, Any]) -> None:
        """Write the configuration file, readable to its owner alone."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config_file.unlink(missing_ok=True)
        descriptor = os.open(self.config_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(config, handle, indent=2, sort_keys=True)

    def start(self, *, detached: bool = False) -> None:
        """Start the process and return at once; ``wait_listening`` tells when it answers."""
        if self.running:
            raise LabError(f"{self.name} is running already")
        if self.unix_socket:
            self.unix_socket.parent.mkdir(mode=0o700, exist_ok=True)
            self.unix_socket.unlink(missing_ok=True)
        with deferred_interrupts():
            self._process = spawn(
                [str(self.binary), "agent", f"-config-file={self.config_file}"],
                cwd=self.directory,
                log=self.log_file,
                env=clean_environment(self.directory),
                detached=detached,
            )
            self.pid = self._process.pid

    def wait_listening(self, deadline: float) -> None:
        """Wait until the API takes connections (``deadline`` on the monotonic clock)."""
        while not self._accepts():
            self.check_alive()
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} does not listen; its log ends with:\n{self.log_tail()}")
            time.sleep(0.03)

    def check_alive(self) -> None:
        """Raise, with the end of the log, when the process has died."""
        if self.running:
            return
        log = self.log_tail()
        if "address already in use" in log:
            raise PortTaken(f"{self.name} found a port taken")
        raise LabError(f"{self.name} is not running; its log ends with:\n{log}")

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM); ``wait_stopped`` sees to it."""
        self._signal(signal.SIGTERM)

    def send_kill(self) -> None:
        """End the process at once (SIGKILL), as a power cut would; ``wait_stopped`` waits until it is gone."""
        self._signal(signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.send_kill()
        self.wait_stopped(STOP_SECONDS)

    def stop(self) -> None:
        """End the process in good order, by force if it won't."""
        self.terminate()
        self.wait_stopped(STOP_SECONDS)

    def wait_stopped(self, timeout: float) -> None:
        """Wait for the end of the process and force it when the time is up."""
        if self._process is not None:
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        elif not wait_gone(self.pid, str(self.directory), timeout):
            self._signal(signal.SIGKILL)
            if not wait_gone(self.pid, str(self.directory), timeout):
                raise LabError(f"{self.name} (pid {self.pid}) does not end")
        self._process = None
        self.pid = None

    def wipe(self) -> None:
        """Delete the data of a stopped server: the next start makes a new one with a new node id."""
        if self.running:
            raise LabError(f"{self.name} still runs: stop or kill it before its data is deleted")
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def log_tail(self, lines: int = 20) -> str:
        """The end of the log."""
        if not self.log_file.exists():
            return "(no log)"
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        # An own child is told through its object, which cannot mistake a recycled pid for it.
        if self._process is not None:
            self._process.send_signal(number)
        else:
            send(self.pid, str(self.directory), number)

    def _accepts(self) -> bool:
        port = self.http_port or self.https_port
        if port is None:
            return self.unix_socket is not None and _connects(socket.AF_UNIX, str(self.unix_socket))
        return _connects(socket.AF_INET, (LOOPBACK, port))


def clean_environment(scratch: Path | str | None = None) -> dict[str, str]:
    """This process's environment without what it says about other Consuls.

    ``scratch`` becomes Consul's directory for temporary files. It leaves what it unpacked of a refused archive there.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CONSUL_")}
    return clean if scratch is None else {**clean, "TMPDIR": str(scratch)}


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
