# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver of notifications: a small HTTP server that takes down what it gets, and answers as it is told."""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Received(NamedTuple):
    """A request; ``at``: when it came, as ``time.monotonic`` says."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


Behaviour = Callable[[http.server.BaseHTTPRequestHandler], None]


def answers(status: int, **headers: str) -> Behaviour:
    """Answer with a status."""

    def act(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()

    return act


def hangs(seconds: float = 60) -> Behaviour:
    """Answer nothing for so long."""
    return lambda handler: time.sleep(seconds)


def trickles(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Send an answer that never ends, byte by byte, so that no read of it ever takes long."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.2)


def floods(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Send a body that never ends."""
    with contextlib.suppress(OSError):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65536)


class Receiver:
    """What came, in order; ``behaviour`` by path, 200 for every other one."""

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.port = port
        self.received: list[Received] = []
        self.behaviour: dict[str, Behaviour] = {}

    @property
    def paths(self) -> list[str]:
        """The paths that were asked for."""
        return [one.path for one in self.received]

    def events(self) -> list[dict[str, Any]]:
        """What was posted, as JSON."""
        return [json.loads(one.body) for one in self.received if one.method == "POST"]

    def forget(self) -> None:
        """Forget what came so far."""
        self.received.clear()


@contextlib.contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.command, self.path, headers, body, time.monotonic()))
            receiver.behaviour.get(self.path, answers(200))(self)

        do_GET = _serve
        do_POST = _serve

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        # One that hangs ends with the tests.
        block_on_close = False

        def handle_error(self, *arguments: Any) -> None:
            """A client that gives up is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        receiver = Receiver(server.server_address[1], "https" if tls else "http")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
