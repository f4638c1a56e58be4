# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP server between a client and a real Consul: what it is told to, it spoils; the rest it passes on.

Real servers don't break on command. Whatever is not spoiled comes from the real one, so that nothing but the fault is
made up. What to spoil is a function of the exchange under way; ``support.answers`` has them ready.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
PATIENCE = 60.0
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "expect", "keep-alive")
# Go's net/http says this, in these words, when somebody talks plain HTTP to its HTTPS port.
_PLAIN_ON_TLS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

# And this to what is no HTTP at all, such as the beginning of TLS, which starts with this byte.
_HANDSHAKE = b"\x16"
_NO_HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n400 Bad Request"


class Request(NamedTuple):
    """What a client asked; the names of ``headers`` are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]


class Answer(NamedTuple):
    """What the real server answered."""

    status: int
    headers: dict[str, str]
    body: bytes


class Exchange:
    """One request, and the connection to answer it on."""

    def __init__(self, server: FaultServer, request: Request, connection: socket.socket, reader: BinaryIO) -> None:
        self.server = server
        self.request = request
        self.connection = connection
        self.keep = True
        self.body = b""
        self._reader = reader
        self._unread = int(request.headers.get("content-length", "0"))
        self._expects = request.headers.get("expect", "").lower() == "100-continue"

    def read_body(self, limit: int | None = None) -> None:
        """Read the request's body, or its next ``limit`` bytes, into ``body``."""
        if self._unread and self._expects:
            self._expects = False
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        data = self._reader.read(self._unread if limit is None else min(limit, self._unread))
        self._unread -= len(data)
        self.body += data

    @property
    def read_through(self) -> bool:
        """Whether nothing of the request is left to read."""
        return not self._unread

    def ask_upstream(self) -> Answer:
        """Pass the request on to the real server and return its answer."""
        if self.server.upstream is None:
            raise AssertionError(f"there is no real server behind this, and {self.request.path} was asked")
        self.read_body()
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=PATIENCE)
        with contextlib.closing(upstream):
            path = self.request.path + (f"?{self.request.query}" if self.request.query else "")
            dropped = _HOP_BY_HOP if self.server.keeps_host else (*_HOP_BY_HOP, "host")
            headers = {name: value for name, value in self.request.headers.items() if name not in dropped}
            upstream.request(self.request.method, path, body=self.body or None, headers=headers)
            answer = upstream.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            if self.request.method == "HEAD":
                kept["Content-Length"] = answer.getheader("Content-Length", "0")
            return Answer(answer.status, kept, answer.read())

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def hang_up(self) -> None:
        """End the connection in good order, once this fault is done."""
        self.keep = False

    def reset(self) -> None:
        """End the connection with a reset, as a crash does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.keep = False

    def stall(self) -> None:
        """Say nothing more until the test lets go or the server is closed."""
        self.server.stalled.set()
        self.server.released.wait(PATIENCE)
        self.keep = False


Fault = Callable[[Exchange], None]


def pass_on(exchange: Exchange) -> None:
    """Not a fault: the real server's answer, unchanged."""
    answer = exchange.ask_upstream()
    exchange.send(head(answer.status, {"Content-Length": str(len(answer.body)), **answer.headers}) + answer.body)


def head(status: int, headers: dict[str, str], *, version: str = "1.1") -> bytes:
    """Return a status line and headers."""
    lines = [f"HTTP/{version} {status} {http.client.responses.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class FaultServer:
    """Serves on a free port of loopback until the ``with`` block ends.

    :param upstream: ``host:port`` of the real server's plain HTTP.
    :param tls: to serve HTTPS.
    :param keeps_host: whether the real server gets the name that the client used: stores sign it.
    """

    def __init__(
        self, upstream: str | None = None, *, tls: ssl.SSLContext | None = None, keeps_host: bool = False
    ) -> None:
        self.keeps_host = keeps_host
        self.upstream = urlsplit(upstream).netloc if upstream and "://" in upstream else upstream
        self.requests: list[Request] = []
        self.stalled = threading.Event()
        self.released = threading.Event()
        self._tls = tls
        self._faults: dict[tuple[str, str], list[Fault]] = {}
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def on(self, method: str, path: str, *faults: Fault) -> None:
        """Answer requests with these faults, one each and in this order, the last one from then on."""
        with self._lock:
            self._faults[method, path] = list(faults)

    def count(self, method: str, path: str) -> int:
        """Return how often this was asked."""
        with self._lock:
            return sum((one.method, one.path) == (method, path) for one in self.requests)

    def stop_listening(self) -> None:
        """Refuse every connection from now on, as if the server had died; the port stays taken."""
        with contextlib.suppress(OSError):
            # A listener that is merely closed wakes nobody who waits in accept().
            self._listener.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> FaultServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self.stop_listening()
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            connections, threads = list(self._open), list(self._threads)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        if self._errors and error is None:
            raise self._errors[0]

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._open.add(connection)
                self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            plain.settimeout(PATIENCE)
            connection = self._secured(plain)
            if connection is not None:
                with connection, connection.makefile("rb") as reader:
                    while self._exchange(connection, reader):
                        pass
        except OSError:
            # A client that gives up in the midst of it is what many of these tests are about.
            pass
        except Exception as error:  # raised where the test sees it, at the end of the with block
            self._errors.append(error)
        finally:
            self._forget(plain)

    def _secured(self, plain: socket.socket) -> socket.socket | None:
        speaks_tls = plain.recv(1, socket.MSG_PEEK) == _HANDSHAKE
        if speaks_tls != bool(self._tls):
            plain.recv(1 << 16)
            plain.sendall(_NO_HTTP if speaks_tls else _PLAIN_ON_TLS)
            return None
        if self._tls is None:
            return plain
        secured = self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(secured)
        try:
            secured.do_handshake()
        except ssl.SSLError:
            self._let_alert_be_read(secured)
            raise
        return secured

    def _let_alert_be_read(self, secured: ssl.SSLSocket) -> None:
        # Closed at once, the connection might be reset before the client has read why.
        with contextlib.suppress(OSError), socket.socket(fileno=secured.detach()) as raw:
            raw.settimeout(1)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(1 << 16):
                pass

    def _exchange(self, connection: socket.socket, reader: BinaryIO) -> bool:
        line = reader.readline(1 << 16)
        if not line.strip():
            return False
        method, target, _version = line.decode("latin-1").split()
        headers = http.client.parse_headers(reader)
        parts = urlsplit(target)
        told = {name.lower(): value for name, value in headers.items()}
        exchange = Exchange(self, Request(method, parts.path, parts.query, told), connection, reader)
        self._next_fault(exchange.request)(exchange)
        return exchange.keep and exchange.read_through

    def _next_fault(self, request: Request) -> Fault:
        with self._lock:
            self.requests.append(request)
            faults = self._faults.get((request.method, request.path))
            if not faults:
                return pass_on
            return faults.pop(0) if len(faults) > 1 else faults[0]

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()
