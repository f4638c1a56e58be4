# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium, driven through a pipe in the DevTools protocol: what a page shows, and what it asks the network for."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

# It may act on nothing but the page: no sandbox helper (root has none), no updates, no accounts, no first-run pages.
OPTIONS = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
]
TIMEOUT = 60.0


class BrowserError(Exception):
    """The browser did not do as it was told; the text says what came instead."""


class Browser:
    """One browser with one page. Leaving the ``with`` block ends it, and its profile goes with it."""

    def __init__(self, binary: Path | str) -> None:
        self._binary = str(binary)
        self._events: list[dict[str, Any]] = []
        self._last = 0
        self._buffer = b""
        self._session: str | None = None

    def __enter__(self) -> Browser:
        self._profile = tempfile.TemporaryDirectory(prefix="disaster-recovery-browser-", ignore_cleanup_errors=True)
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4, wherever the pipes' ends happen to be.
        call = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        command = [self._binary, *OPTIONS, f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", call, "browser", str(to_browser), str(from_browser), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[to_browser, from_browser],
            start_new_session=True,
            env={**os.environ, "HOME": self._profile.name},
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            target = self.tell("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Runtime", "Log"):
                self.tell(f"{domain}.enable")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session and not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(method)
            if answer.get("id") == self._last:
                break
            self._events.append(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        return dict(answer.get("result", {}))

    def open(self, url: str, *, width: int = 1280, height: int = 900, phone: bool = False, dark: bool = False) -> None:
        """Open a page at this size and in this colour scheme, and wait until it is loaded."""
        self._events.clear()
        scale = 2 if phone else 1
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", media="screen", features=[scheme])
        self.tell("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self._events):
            self._events.append(self._next("loading"))

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, asked from outside of the page."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails'].get('text')}")
        return answer["result"].get("value")

    def requested(self) -> list[str]:
        """Return the addresses that the page asked for since it was opened, its own among them."""
        self.ask("1")
        asked = (one["params"] for one in self._events if one.get("method") == "Network.requestWillBeSent")
        return [one["request"]["url"] for one in asked]

    def complaints(self) -> list[str]:
        """Return what the browser's console says of the page."""
        self.ask("1")
        entries = (one["params"]["entry"] for one in self._events if one.get("method") == "Log.entryAdded")
        return [str(entry["text"]) for entry in entries]

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        size = self.tell("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        told = self.tell("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(told["data"]))

    def printed(self, path: Path) -> None:
        """Write the page as a printer would get it, as a PDF."""
        told = self.tell("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        path.write_bytes(base64.b64decode(told["data"]))

    def _next(self, doing: str) -> dict[str, Any]:
        end = time.monotonic() + TIMEOUT
        while b"\0" not in self._buffer:
            ready: Sequence[int] = select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]
            piece = os.read(self._read, 1 << 16) if ready else b""
            if not piece:
                raise BrowserError(f"{doing}: the browser {'ended' if ready else 'did not answer'}")
            self._buffer += piece
        message, _end, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))
