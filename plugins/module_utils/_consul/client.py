# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Consul's HTTP API that this collection uses. The only place that talks to the network."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from .._errors import ApiError, OptionError, TransportError
from .connection_errors import transport_error
from .http_errors import error_of
from .transport import key_is_encrypted, open_session

try:
    import requests
    from urllib3 import exceptions as urllib3_errors
except ImportError:
    pass  # open_session says so, before anything else here is used

READ_SIZE = 1 << 17
PATIENCE = 30
"""Seconds of the timeout that connecting and small questions wait at most."""
JSON_LIMIT = 256 << 20
"""Bytes that an answer to a question may have: more than any cluster's, and less than what a host's memory holds."""
_TEXT_LIMIT = 64 << 10


class Connection(NamedTuple):
    """How to reach the API. ``timeout``: seconds per operation on the socket.

    ``path``: what a proxy wants before the API's own paths. ``basic_auth``: ``user:password`` for such a proxy.
    ``ca_path``: a file or a directory. ``token`` and ``basic_auth`` are never to be shown.
    """

    host: str = "localhost"
    port: int = 8500
    scheme: str = "http"
    path: str = ""
    unix_socket: str | None = None
    token: str | None = None
    basic_auth: str | None = None
    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    tls_server_name: str | None = None
    timeout: float = 300
    retries: int = 3
    retry_delay: float = 1.0

    @property
    def address(self) -> str:
        """The address as a URL without a secret."""
        if self.unix_socket:
            return f"unix://{self.unix_socket}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def authorization(self) -> str | None:
        """The value of the header that a proxy with basic auth asks for."""
        return f"Basic {base64.b64encode(self.basic_auth.encode()).decode()}" if self.basic_auth else None

    @property
    def secrets(self) -> list[str]:
        """All that must not be shown, in each form in which a server could send it back."""
        password = (self.basic_auth or "").partition(":")[2]
        forms = [self.token, (self.authorization or "").partition(" ")[2], self.basic_auth, password]
        return [one for one in forms if one]

    def __repr__(self) -> str:
        return f"Connection({self.address})"


@dataclass(frozen=True)
class Headers:
    """What the headers of a snapshot say; None where one is missing or no number."""

    index: int | None
    last_contact_ms: int | None
    known_leader: bool | None


class Client:
    """Asks one agent. Every failure is an ApiError or a TransportError that can be shown as it is."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        _check_files(connection)
        self._session = open_session(
            unix_socket=connection.unix_socket,
            tls_server_name=connection.tls_server_name,
            trusted=_directory_of(connection),
        )
        if not connection.validate_certs:
            # That was asked for; a warning for each request would only stand amid the module's result.
            warnings.simplefilter("ignore", urllib3_errors.InsecureRequestWarning)

    def with_token(self, token: str | None) -> Client:
        """Return a client that asks the same agent with another token."""
        return Client(self.connection._replace(token=token))

    def url(self, path: str) -> str:
        """Return the URL of an API path, as errors show it."""
        return self.connection.address + path

    def ask(
        self, path: str, *, params: dict[str, str] | None = None, payload: Any = None, accept: tuple[int, ...] = ()
    ) -> Any:
        """Return the JSON answer to a GET, or to a POST when there is a ``payload``.

        :param accept: error statuses whose answer is JSON as well.
        :raises ApiError, TransportError: there is no such answer.
        """
        method = "GET" if payload is None else "POST"
        wait = min(self.connection.timeout, PATIENCE)
        with self._exchange(method, path, params=params, json=payload, timeout=(wait, wait), stream=True) as answer:
            if answer.status_code != 200 and answer.status_code not in accept:
                raise self._error_of(answer, path)
            body = self._bounded(answer, path)
            try:
                return json.loads(body)
            except (ValueError, RecursionError) as error:
                raise ApiError(
                    "the response is not JSON",
                    status=answer.status_code,
                    body="",
                    url=self.url(path),
                    hint="Check that host, port and path lead to Consul's HTTP API and not to a proxy's own page.",
                ) from error

    @contextlib.contextmanager
    def snapshot(self, *, datacenter: str | None, stale: bool) -> Iterator[tuple[Headers, Iterator[bytes]]]:
        """Ask for a snapshot and give its headers and its body, in pieces and exactly as it was sent.

        The body is not verified here: a 200 can be cut, or end in the text of an error, and still be well-formed HTTP.

        :raises ApiError, TransportError: before or, while the pieces are read, in the midst of it.
        """
        params = _query(datacenter)
        if stale:
            params["stale"] = ""
        # Without this header the agent would gzip the archive once more (observed on 1.8.7 and 1.22.7).
        headers = {"Accept-Encoding": "identity"}
        path = "/v1/snapshot"
        with self._exchange("GET", path, params=params, headers=headers, stream=True) as answer:
            if answer.status_code != 200:
                raise self._error_of(answer, path)
            yield _headers_of(answer), self._body(answer, path)

    def restore(self, archive: BinaryIO, size: int, *, datacenter: str | None) -> None:
        """Send an archive of ``size`` bytes, once. A connection that ends without an answer is not asked again.

        When the server answers before it has read everything, as it does with a bad token, its answer is what counts.

        :raises ApiError: Consul said no. :raises TransportError: it said nothing; nothing was sent only if ``unsent``.
        """
        path = "/v1/snapshot"
        # Sent as an object of known length: Consul takes a chunked body as well, but not every proxy does.
        body = _Upload(archive, size)
        headers = {"Content-Type": "application/octet-stream"}
        with self._exchange("PUT", path, params=_query(datacenter), headers=headers, data=body) as answer:
            if answer.status_code != 200:
                raise self._error_of(answer, path)

    def commit_noop(self, *, datacenter: str | None) -> None:
        """Make the servers apply an entry of raft's log that changes nothing: a key that is not there is deleted.

        :raises ApiError: the token may not write keys. :raises TransportError: there was no answer.
        """
        path = f"/v1/kv/disaster_recovery.consul/{uuid.uuid4()}"
        wait = min(self.connection.timeout, PATIENCE)
        with self._exchange("DELETE", path, params=_query(datacenter), timeout=(wait, wait)) as answer:
            if answer.status_code != 200:
                raise self._error_of(answer, path)

    def _error_of(self, answer: Any, path: str) -> ApiError:
        text = _text_of(answer)
        for secret in self.connection.secrets:
            # A proxy's page may show what it was sent, and Ansible masks secrets in results but not in warnings.
            text = text.replace(secret, "********")
        return error_of(answer.status_code, text, self.url(path), anonymous=not self.connection.token)

    @contextlib.contextmanager
    def _exchange(self, method: str, path: str, **options: Any) -> Iterator[Any]:
        connection = self.connection
        headers = {"User-Agent": "disaster_recovery.consul", **options.pop("headers", {})}
        if connection.token:
            headers["X-Consul-Token"] = connection.token
        if connection.authorization:
            headers["Authorization"] = connection.authorization
        options.setdefault("timeout", (min(connection.timeout, PATIENCE), connection.timeout))
        base = "http://localhost" if connection.unix_socket else connection.address
        verify: bool | str = (connection.ca_path or True) if connection.validate_certs else False
        cert = (connection.client_cert, connection.client_key) if connection.client_key else connection.client_cert
        try:
            answer = self._session.request(
                method, base + path, headers=headers, verify=verify, cert=cert, allow_redirects=False, **options
            )
        except (requests.exceptions.RequestException, urllib3_errors.HTTPError, OSError, ValueError) as error:
            raise transport_error(error, self.url(path)) from None
        try:
            yield answer
        finally:
            answer.close()

    def _bounded(self, answer: Any, path: str) -> bytes:
        body = bytearray()
        try:
            for piece in answer.iter_content(READ_SIZE):
                body += piece
                if len(body) > JSON_LIMIT:
                    raise ApiError(
                        f"the response is larger than {JSON_LIMIT} bytes",
                        status=answer.status_code,
                        body="",
                        url=self.url(path),
                        hint="Check that host, port and path lead to Consul's HTTP API.",
                    )
        except (requests.exceptions.RequestException, urllib3_errors.HTTPError, OSError) as error:
            raise transport_error(error, self.url(path)) from None
        return bytes(body)

    def _body(self, answer: Any, path: str) -> Iterator[bytes]:
        announced = answer.headers.get("Content-Length", "")
        expected = _number(announced)
        received = 0
        try:
            for piece in answer.raw.stream(READ_SIZE, decode_content=False):
                received += len(piece)
                yield piece
        except (urllib3_errors.HTTPError, OSError) as error:
            fault = transport_error(error, self.url(path))
            fault.message = f"the response ended after {received} bytes: {fault.message}"
            raise fault from None
        if expected is not None and received != expected:
            message = f"the response is incomplete: received {received} of {expected} bytes"
            raise TransportError(message, url=self.url(path))


class _Upload:
    """A file of known length for requests to send; never read beyond that length."""

    def __init__(self, archive: BinaryIO, size: int) -> None:
        self._archive = archive
        self._left = size
        self.len = size

    def __len__(self) -> int:
        return self.len

    def __iter__(self) -> Iterator[bytes]:
        while True:
            piece = self.read(READ_SIZE)
            if not piece:
                return
            yield piece

    def read(self, size: int = -1) -> bytes:
        wanted = READ_SIZE if size is None or size < 0 else max(size, READ_SIZE)
        piece = self._archive.read(min(wanted, self._left))
        self._left -= len(piece)
        return piece


def _check_files(connection: Connection) -> None:
    for option in ("ca_path", "client_cert", "client_key"):
        path = getattr(connection, option)
        if path and not os.access(path, os.R_OK):
            raise OptionError(
                f"{option}: {path} does not exist or can't be read",
                hint="Correct the path, or run as a user who may read it (become).",
            )
    for option in ("client_key", "client_cert"):
        path = getattr(connection, option)
        if path and key_is_encrypted(path):
            # OpenSSL would ask for the passphrase at the terminal.
            raise OptionError(
                f"{option}: the key in {path} is encrypted",
                hint=f"Set {option} to a key without a passphrase: openssl pkey -in KEY -out KEY_WITHOUT_PASSPHRASE.",
            )


def _directory_of(connection: Connection) -> str | None:
    path = connection.ca_path
    return path if path and connection.validate_certs and os.path.isdir(path) else None


def _query(datacenter: str | None) -> dict[str, str]:
    return {"dc": datacenter} if datacenter else {}


def _headers_of(answer: Any) -> Headers:
    leader = answer.headers.get("X-Consul-KnownLeader")
    return Headers(
        _number(answer.headers.get("X-Consul-Index", "")),
        _number(answer.headers.get("X-Consul-LastContact", "")),
        leader == "true" if leader is not None else None,
    )


def _number(text: str) -> int | None:
    # The largest that Consul has takes 64 bits; Python refuses to read thousands of digits.
    return int(text) if text.isdecimal() and len(text) <= 20 else None


def _text_of(answer: Any) -> str:
    # Byte by byte, because a larger piece is lost when the connection is reset in its middle. Go's servers do that
    # behind their answer to plain HTTP on a port of HTTPS.
    raw = bytearray()
    with contextlib.suppress(urllib3_errors.HTTPError, requests.exceptions.RequestException, OSError):
        for byte in itertools.islice(answer.iter_content(1), _TEXT_LIMIT):
            raw += byte
    return raw.decode("utf-8", "replace")
