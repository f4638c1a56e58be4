# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What broken connections mean: the table, row by row, with the texts of Python, OpenSSL and urllib3."""

from __future__ import annotations

import socket
import ssl

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.connection_errors import (
    FAULTS,
    transport_error,
)

URL = "https://consul.example:8501/v1/snapshot"
_VERIFY = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"

# The fault; the message; whether a further try may help; whether nothing can have been sent.
SEEN: list[tuple[BaseException, str, bool, bool]] = [
    (OSError("ConnectTimeoutError(<x>, 'Connection to a timed out.')"), "connection timed out", True, True),
    (ssl.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "the TLS handshake failed", False, True),
    (ssl.SSLError("[SSL] record layer failure"), "the TLS handshake failed", False, True),
    (
        ssl.SSLError("sslv3 alert certificate expired"),
        "the server reports the client certificate as expired or revoked",
        False,
        True,
    ),
    (
        ssl.SSLError(f"{_VERIFY}: certificate has expired"),
        "the server's certificate, or that of its CA, has expired",
        False,
        True,
    ),
    (
        ssl.SSLError(f"{_VERIFY}: certificate is not yet valid"),
        "the server's certificate, or that of its CA, is not valid yet",
        False,
        True,
    ),
    (
        ssl.SSLError(f"{_VERIFY}: unsuitable certificate purpose"),
        "the server's certificate is not issued for servers",
        False,
        True,
    ),
    (
        ssl.SSLError(f"{_VERIFY}: EE certificate key too weak"),
        "the server's certificate uses a key or a signature that OpenSSL on this host refuses",
        False,
        True,
    ),
    (
        ssl.SSLError("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version"),
        "the server and this host have no TLS version in common",
        False,
        True,
    ),
    (
        ssl.SSLError(f"{_VERIFY}: Hostname mismatch, certificate is not valid for 'a'"),
        "the server's certificate is for another name",
        False,
        True,
    ),
    (
        ssl.SSLError(f"{_VERIFY}: unable to get local issuer certificate"),
        "the server's certificate is signed by a CA that is not trusted here",
        False,
        True,
    ),
    (
        ssl.SSLError("[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"),
        "the server requires a client certificate that it trusts",
        False,
        True,
    ),
    (
        ssl.SSLError("[X509: KEY_VALUES_MISMATCH] key values mismatch"),
        "a certificate or key file can't be used",
        False,
        True,
    ),
    (ConnectionRefusedError(111, "Connection refused"), "the connection was refused", True, True),
    (socket.gaierror(-2, "Name or service not known"), "the host name can't be resolved", False, True),
    (FileNotFoundError(2, "No such file or directory"), "the Unix socket does not exist", False, True),
    (PermissionError(13, "Permission denied"), "access was denied", False, True),
    (OSError(113, "No route to host"), "reach", True, False),
    (TimeoutError("The read operation timed out"), "timed out waiting for a response", True, False),
    (ConnectionResetError(104, "Connection reset by peer"), "the connection was closed", True, False),
    (OSError("Response ended prematurely"), "the connection was closed", True, False),
]


@pytest.mark.parametrize(
    ("fault", "message", "retryable", "unsent"), SEEN, ids=[str(fault) for fault, _message, _retry, _sent in SEEN]
)
def test_meanings(fault: BaseException, message: str, retryable: bool, unsent: bool) -> None:
    error = transport_error(fault, URL)
    assert message in error.message
    assert error.message.endswith(f" ({URL})")
    assert (error.retryable, error.unsent) == (retryable, unsent)
    assert error.hint
    assert error.as_failure()["url"] == URL


def test_every_row_is_reached() -> None:
    reached = {transport_error(fault, "").message for fault, _message, _retry, _sent in SEEN}
    assert reached == {f"{row.message} ()" for row in FAULTS}


def test_a_fault_that_nobody_knows() -> None:
    error = transport_error(ValueError("a text that may hold anything"), URL)
    assert error.message == f"the connection failed with ValueError ({URL})"
    # Nothing is known, so it may have been sent.
    assert not error.unsent
