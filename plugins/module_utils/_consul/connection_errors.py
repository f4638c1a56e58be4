# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What broken connections mean (pure): a table from the text of a fault to a message and a hint."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._errors import TransportError


class Fault(NamedTuple):
    """One row. ``text`` is searched for in the fault's own words: TLS libraries have no finer types than these.

    ``unsent``: there was no connection that a request could have been sent over.
    """

    text: str
    retryable: bool
    unsent: bool
    message: str
    hint: str


# In order: the first row that fits decides.
FAULTS = (
    Fault(
        "ConnectTimeout|ConnectionTimeout",
        True,
        True,
        "connection timed out",
        "Check host and port, and that no firewall drops the packets.",
    ),
    Fault(
        "wrong version number|record layer failure|unknown protocol|http request",
        False,
        True,
        "the TLS handshake failed",
        "This port serves plain HTTP: set scheme: http, or port to the one for HTTPS (usually 8501).",
    ),
    Fault(
        "alert certificate expired|alert certificate revoked",
        False,
        True,
        "the server reports the client certificate as expired or revoked",
        "Renew client_cert, and compare the clocks of both hosts.",
    ),
    Fault(
        "certificate has expired",
        False,
        True,
        "the server's certificate, or that of its CA, has expired",
        "Renew it on the server, and compare the clocks of both hosts.",
    ),
    Fault(
        "not yet valid",
        False,
        True,
        "the server's certificate, or that of its CA, is not valid yet",
        "Compare the clocks of both hosts.",
    ),
    Fault(
        "certificate purpose",
        False,
        True,
        "the server's certificate is not issued for servers",
        "Issue a certificate with the extended key usage serverAuth.",
    ),
    Fault(
        "too weak",
        False,
        True,
        "the server's certificate uses a key or a signature that OpenSSL on this host refuses",
        "Issue a certificate with a longer key and SHA-256.",
    ),
    Fault(
        "alert protocol version|unsupported protocol|no protocols available",
        False,
        True,
        "the server and this host have no TLS version in common",
        "Compare tls_min_version of the server with what OpenSSL on this host allows.",
    ),
    Fault(
        "hostname mismatch|doesn't match|not valid for",
        False,
        True,
        "the server's certificate is for another name",
        "Set tls_server_name to a name that is in it (server.<datacenter>.consul on most servers), or correct host.",
    ),
    Fault(
        "self.signed certificate|unable to get local issuer|certificate verify failed",
        False,
        True,
        "the server's certificate is signed by a CA that is not trusted here",
        "Set ca_path to the CA that signed it.",
    ),
    Fault(
        "certificate required|bad certificate|alert unknown ca|alert handshake failure|certificate unknown",
        False,
        True,
        "the server requires a client certificate that it trusts",
        "Set client_cert and client_key.",
    ),
    Fault(
        "key values mismatch|PEM lib|no start line|no certificate or crl",
        False,
        True,
        "a certificate or key file can't be used",
        "Check client_cert, client_key and ca_path: all must be PEM files, and the key must belong to the certificate.",
    ),
    Fault(
        "Connection refused",
        True,
        True,
        "the connection was refused",
        "Check that Consul runs there and listens on this address and port.",
    ),
    Fault(
        "Name or service not known|name resolution|nodename nor servname|Failed to resolve|getaddrinfo",
        False,
        True,
        "the host name can't be resolved",
        "Check host, and name resolution on the host that the module runs on.",
    ),
    Fault(
        "No such file or directory",
        False,
        True,
        "the Unix socket does not exist",
        "Check unix_socket.",
    ),
    Fault(
        "Permission denied",
        False,
        True,
        "access was denied",
        "Run as a user with access to the socket (become).",
    ),
    Fault(
        "unreachable|No route to host",
        True,
        False,
        "the host is unreachable",
        "Check host and the network.",
    ),
    Fault(
        "timed out|Timeout",
        True,
        False,
        "timed out waiting for a response",
        "Raise timeout if the servers are only slow: they send nothing until the whole snapshot is ready.",
    ),
    Fault(
        "reset by peer|aborted|Broken pipe|RemoteDisconnected|closed|IncompleteRead|InvalidChunk|broken|EOF occurred|"
        "ended prematurely",
        True,
        False,
        "the connection was closed",
        "The server, or a proxy in front of it, closed the connection. Check its log.",
    ),
)


def transport_error(error: BaseException, url: str) -> TransportError:
    """Return the error to show for what requests, urllib3 or the system raised; ``url`` must hold no secret."""
    words = f"{type(error).__name__}: {error}"
    for row in FAULTS:
        if re.search(row.text, words, re.IGNORECASE):
            return TransportError(
                f"{row.message} ({url})", hint=row.hint, retryable=row.retryable, unsent=row.unsent, url=url
            )
    return TransportError(f"the connection failed with {type(error).__name__} ({url})", url=url)
