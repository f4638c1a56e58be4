# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What broken connections mean (pure): a table from the text of a fault to a message and a hint."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import TransportError


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
        "nothing answered there",
        "Check host and port, and that no firewall drops the packets.",
    ),
    Fault(
        "wrong version number|record layer failure|unknown protocol|http request",
        False,
        True,
        "TLS did not agree",
        "This port speaks plain HTTP: set scheme: http, or the port of HTTPS (8501 by custom).",
    ),
    Fault(
        "certificate has expired",
        False,
        True,
        "the server's certificate has expired",
        "Renew it on the server.",
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
        "the server demands a client certificate that it trusts",
        "Set client_cert and client_key.",
    ),
    Fault(
        "key values mismatch|PEM lib|no start line|no certificate or crl",
        False,
        True,
        "a certificate or key file can't be used",
        "Check client_cert, client_key and ca_path: PEM, and one made for the other.",
    ),
    Fault(
        "Connection refused",
        True,
        True,
        "the connection was refused",
        "Is Consul running there, and does it listen on this address?",
    ),
    Fault(
        "Name or service not known|name resolution|nodename nor servname|Failed to resolve|getaddrinfo",
        False,
        True,
        "the host name is not known",
        "Check host.",
    ),
    Fault(
        "No such file or directory",
        False,
        True,
        "the Unix socket is not there",
        "Check unix_socket.",
    ),
    Fault(
        "Permission denied",
        False,
        True,
        "access was denied",
        "Run as a user who may open the socket (become).",
    ),
    Fault(
        "unreachable",
        True,
        False,
        "the host can't be reached",
        "Check host and the network.",
    ),
    Fault(
        "timed out|Timeout",
        True,
        False,
        "nothing came for too long",
        "Raise timeout if the servers are just slow; they send nothing until the whole snapshot is ready.",
    ),
    Fault(
        "reset by peer|aborted|Broken pipe|RemoteDisconnected|closed|IncompleteRead|InvalidChunk|broken|EOF occurred",
        True,
        False,
        "the connection was closed",
        "The server, or a proxy before it, gave up; its log tells why.",
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
