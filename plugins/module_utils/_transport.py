# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``requests`` does not offer by itself: a Unix socket, another server name, and early answers over TLS."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any

from ._errors import MissingLibraryError

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
except ImportError as missing:
    REQUESTS_MISSING = str(missing)
    requests = None  # type: ignore[assignment]  # said to the user by require_requests
    HTTPAdapter = HTTPConnection = HTTPConnectionPool = object  # type: ignore[assignment,misc]  # bases must exist
    HTTPSConnection = HTTPSConnectionPool = object  # type: ignore[assignment,misc]  # as above
else:
    REQUESTS_MISSING = ""


def require_requests() -> None:
    """Raise MissingLibraryError when the requests library is not installed here."""
    if requests is None:
        raise MissingLibraryError("requests", REQUESTS_MISSING)


class _SocketConnection(HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: str, timeout: Any) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if isinstance(self.timeout, (int, float)):
                sock.settimeout(self.timeout)
            sock.connect(self._path)
        except BaseException:
            sock.close()
            raise
        self.sock = sock


class _SocketPool(HTTPConnectionPool):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def _new_conn(self) -> Any:
        self.num_connections += 1
        return _SocketConnection(self._path, self.timeout.connect_timeout)


class _SocketAdapter(HTTPAdapter):
    """Sends every request of a session over one Unix socket, whatever host its URL names."""

    def __init__(self, path: str) -> None:
        self._pool = _SocketPool(path)
        super().__init__()

    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        return self._pool

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


class _TlsConnection(HTTPSConnection):
    """An HTTPS connection whose answer is read even when the server closed it before it had taken in all of a body.

    urllib3 goes on to read after a broken pipe. Over TLS, Python 3.10 and later call the same thing an early end.
    """

    def send(self, data: Any) -> None:
        try:
            super().send(data)
        except ssl.SSLEOFError as error:
            raise BrokenPipeError(errno.EPIPE, str(error)) from error


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _TlsAdapter(HTTPAdapter):
    """Asks for, and expects, a certificate of ``server_name`` where that is another one than the address's."""

    def __init__(self, server_name: str | None) -> None:
        self._names: dict[str, Any] = {}
        if server_name:
            self._names = {"server_hostname": server_name, "assert_hostname": server_name}
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> Any:
        super().init_poolmanager(connections, maxsize, block, **self._names, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": _TlsPool}


def open_session(*, unix_socket: str | None, tls_server_name: str | None) -> Any:
    """Return a requests session that takes nothing from the environment: no proxy, no netrc, no CA bundle.

    :raises MissingLibraryError: requests is not installed.
    """
    require_requests()
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    if unix_socket:
        session.mount("http://", _SocketAdapter(unix_socket))
    session.mount("https://", _TlsAdapter(tls_server_name))
    return session
