# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions over a Unix socket, directories of CAs, and what a session does not take from the environment."""

from __future__ import annotations

import http.server
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul import transport
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    MissingLibraryError,
    OptionError,
)

CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUJZ7mzpcuNFIEp7YNhwXGo2NXbW0wCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQYS10ZXN0LWF1dGhvcml0eTAgFw0yNjExMjYwNDE3NTlaGA8y
MTI2MTEwMjA0MTc1OVowGzEZMBcGA1UEAwwQYS10ZXN0LWF1dGhvcml0eTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABC72Hd0dVkLJY6nCeYFVbpfibd0baT/R/h4d
qx8M7waNNQsJWZOP04QzEo9IVZ59FtO6bAXomBUJZgf35LsdcXKjUzBRMB0GA1Ud
DgQWBBQXdRsmgdMerIB+hN/30Bfk6IaxaDAfBgNVHSMEGDAWgBQXdRsmgdMerIB+
hN/30Bfk6IaxaDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQCK
u+nuWHDnCcGO67OnTUVHgN5uGxfSSdMWSMgaxiDbnQIgdmadOTlnAs9Stj3j0uUX
7xsgb5sp2KYHSkpQqlAJbOM=
-----END CERTIFICATE-----
"""
ENCRYPTED = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"]


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers with the path that was asked for, and the headers that came with it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = f"{self.path} {sorted(self.headers)}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Keep the tests' output free of it."""


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[Any, Any]:
        return self.socket.accept()[0], ("a socket", 0)


@pytest.fixture
def unix_socket(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "s")
    with Server(path, Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_a_unix_socket_whatever_the_host(unix_socket: str) -> None:
    with transport.open_session(unix_socket=unix_socket, tls_server_name=None) as session:
        for host in ("localhost", "nowhere.invalid"):
            answer = session.get(f"http://{host}/v1/x", timeout=5)
            assert answer.text.startswith("/v1/x ")


def test_nothing_comes_from_the_environment(unix_socket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password hidden\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with transport.open_session(unix_socket=unix_socket, tls_server_name=None) as session:
        answer = session.get("http://localhost/", timeout=5)
    assert "authorization" not in answer.text.lower()


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    session = transport.open_session(unix_socket=str(tmp_path / "none"), tls_server_name=None)
    with session, pytest.raises(Exception, match="No such file or directory"):
        session.get("http://localhost/", timeout=5)


def test_requests_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "requests", None)
    monkeypatch.setattr(transport, "REQUESTS_MISSING", "No module named 'requests'")
    with pytest.raises(MissingLibraryError, match="the Python library requests is missing"):
        transport.open_session(unix_socket=None, tls_server_name=None)


def test_a_directory_of_certificates(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "any name at all").write_text(f"# whose it is\n{CERTIFICATE}")
    (tmp_path / "README").write_text("not a certificate")
    # A Kubernetes volume shows the same files once more below such a name.
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "broken").write_text("-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n")
    [authority] = transport.trusting(str(tmp_path)).get_ca_certs()
    assert authority["subject"] == ((("commonName", "a-test-authority"),),)


def test_a_directory_without_certificates(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("not a certificate")
    with pytest.raises(OptionError, match=r"ca_path: no file in .* a certificate"):
        transport.trusting(str(tmp_path))


def test_a_certificate_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(CERTIFICATE)
    (tmp_path / "damaged.pem").write_text(CERTIFICATE[:200])
    with pytest.raises(OptionError, match=r"ca_path: can't use .*/damaged\.pem: not a valid certificate"):
        transport.trusting(str(tmp_path))


@pytest.mark.parametrize("text", ENCRYPTED)
def test_keys_with_a_passphrase(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(f"{CERTIFICATE}{text}")
    assert transport.key_is_encrypted(str(path))
    path.write_text(f"{CERTIFICATE}-----BEGIN PRIVATE KEY-----\n")
    assert not transport.key_is_encrypted(str(path))
    assert not transport.key_is_encrypted(str(tmp_path / "none"))
