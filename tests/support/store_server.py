# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all object stores of the tests have in common: a process, a port, and fresh buckets."""

from __future__ import annotations

import os
import secrets
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from lab import binaries, process
from lab.errors import LabError
from lab.ports import LOOPBACK, free_port

PATIENCE = 60.0
ATTEMPTS = 3


class StoreServer:
    """One server. A subclass says how it is started, and how its buckets are made and looked at."""

    name: str
    program: str
    scheme: str
    probe = "/"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = 0
        self.pid = 0
        self._process: Any = None
        self._buckets = 0

    # ---- What a subclass says

    def command(self, program: str) -> list[str]:
        """Return the command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return variables beside those that every program needs."""
        return {}

    def make_bucket(self, name: str, **options: Any) -> None:
        """Create a bucket."""
        raise NotImplementedError

    def options(self, **changed: Any) -> dict[str, Any]:
        """Return the option ``store`` of modules, with some of it changed; what is None is left out."""
        raise NotImplementedError

    # ---- What they share

    @property
    def endpoint(self) -> str:
        """The URL at which it is reached."""
        return f"http://{LOOPBACK}:{self.port}"

    def bucket(self, **options: Any) -> str:
        """Return the name of a new, empty bucket."""
        self._buckets += 1
        name = f"bucket-{self._buckets}-{secrets.token_hex(4)}"
        self.make_bucket(name, **options)
        return name

    def url(self, bucket: str, prefix: str = "") -> str:
        """Return a URL as users write it."""
        return f"{self.scheme}://{bucket}/{prefix}"

    def __enter__(self) -> Any:
        program = str(binaries.program(self.program))
        self.directory.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, ATTEMPTS + 1):
            self.port = free_port()
            try:
                self._start(program)
                return self
            except LabError:
                # Another process may have taken one of its ports in between.
                self.stop()
                if attempt == ATTEMPTS:
                    raise
        raise AssertionError("not reached")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self, program: str) -> None:
        # Neither proxies nor credentials nor a home of the user's have a say in it.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.environment()}
        log = self.directory / "server.log"
        self._process = process.spawn(
            self.command(program), cwd=self.directory, log=log, env=environment, detached=False
        )
        self.pid = self._process.pid
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise LabError(f"{self.name} did not start:\n{text}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        try:
            opener.open(self.endpoint + self.probe, timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            return error.code < 500
        except OSError:
            return False
        return True
