# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``requests`` does not offer by itself: a Unix socket, another server name, and early answers over TLS."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from .._errors import MissingLibraryError, OptionError

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


_CERTIFICATE = re.compile(rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----")
_ENCRYPTED = re.compile(rb"-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type:\s*4,\s*ENCRYPTED")


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
        except BaseException:  # also a signal; it goes on to whoever asked
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
    """Asks for, and expects, a certificate of ``server_name`` where that is another one than the address's.

    ``context``: with the CAs to trust, in place of those that a request names.
    """

    def __init__(self, server_name: str | None, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._names: dict[str, Any] = {}
        if server_name:
            self._names = {"server_hostname": server_name, "assert_hostname": server_name}
        if context is not None:
            self._names["ssl_context"] = context
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> Any:
        super().init_poolmanager(connections, maxsize, block, **self._names, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": HTTPConnectionPool, "https": _TlsPool}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        super().cert_verify(conn, url, verify, cert)
        if self._context is not None:
            conn.ca_certs = conn.ca_cert_dir = None


def trusting(directory: str) -> ssl.SSLContext:
    """Return a context that trusts the CA certificates in a directory, whatever its files are called, and no others.

    :raises OptionError: one of its files can't be used, or none of them holds a certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # urllib3 turns it on, or compares the name itself
    context.set_alpn_protocols(["http/1.1"])
    found = False
    for path in _files_below(directory):
        try:
            if _holds(path, _CERTIFICATE):
                context.load_verify_locations(cafile=path)
                found = True
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            reason = (
                "not a valid certificate"
                if isinstance(error, ssl.SSLError)
                else os.strerror(error.errno or 0)
                if (isinstance(error, OSError))
                else "not a valid path"
            )
            raise OptionError(
                f"ca_path: can't use {path}: {reason}", hint="Replace or remove that file, or set ca_path to one file."
            ) from None
    if not found:
        raise OptionError(
            f"ca_path: no file in {directory} contains a certificate", hint="Put the CA there in PEM format."
        )
    return context


def key_is_encrypted(path: str) -> bool:
    """Whether a PEM file holds a key that needs a passphrase."""
    try:
        return _holds(path, _ENCRYPTED)
    except OSError:
        return False


def _files_below(directory: str) -> Iterator[str]:
    for parent, folders, names in os.walk(directory):
        folders.sort()
        # Names that begin so are a Kubernetes volume's own second view of the same files.
        folders[:] = [name for name in folders if not name.startswith("..")]
        yield from (path for path in (os.path.join(parent, name) for name in sorted(names)) if os.path.isfile(path))


def _holds(path: str, pattern: re.Pattern[bytes]) -> bool:
    with open(path, "rb") as file:
        return any(pattern.match(line) for line in file)


def open_session(*, unix_socket: str | None, tls_server_name: str | None, trusted: str | None = None) -> Any:
    """Return a requests session that takes nothing from the environment: no proxy, no netrc, no CA bundle.

    :param trusted: a directory of CA certificates, which no request may name in ``verify`` by itself.
    :raises MissingLibraryError: requests is not installed. :raises OptionError: the directory can't be used.
    """
    require_requests()
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    if unix_socket:
        session.mount("http://", _SocketAdapter(unix_socket))
    session.mount("https://", _TlsAdapter(tls_server_name, trusting(trusted) if trusted else None))
    return session
