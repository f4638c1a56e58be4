# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Consul's error answers mean (pure): a table from status and text to a kind, a hint, and whether to try again."""

from __future__ import annotations

import re
from typing import NamedTuple

from .._errors import ApiError, FailureKind, printable


class Meaning(NamedTuple):
    """One row: an answer of ``status`` whose text matches ``text`` is of this kind. Status 0 matches any."""

    status: int
    text: str
    kind: FailureKind
    retryable: bool
    message: str
    hint: str


_ACL_WRITE = 'Grant the token the permission that Consul names, if any. Snapshots require a policy with acl = "write".'
_ANONYMOUS = 'Set token or token_file. Snapshots require a token whose policy has acl = "write".'

# In order: the first row that fits decides. The texts are those of Consul 1.8.7 and 1.22.7, most of them alike.
MEANINGS = (
    Meaning(
        400,
        r"HTTP request to an HTTPS server",
        FailureKind.WRONG_SCHEME,
        False,
        "this port requires HTTPS",
        "Set scheme: https.",
    ),
    *(
        Meaning(
            status,
            "",
            FailureKind.REDIRECTED,
            False,
            "the server redirects to another address; redirects are not followed",
            "Set host, port and scheme, or CONSUL_HTTP_ADDR, to the address that serves the API.",
        )
        for status in (301, 302, 303, 307, 308)
    ),
    Meaning(401, "ACL support disabled", FailureKind.ACL_DISABLED, False, "ACLs are disabled in this cluster", ""),
    Meaning(
        401,
        "",
        FailureKind.PROXY_AUTH,
        False,
        "a proxy requires a user name and a password",
        "Set the environment variable CONSUL_HTTP_AUTH to user:password.",
    ),
    Meaning(
        403,
        "ACL not found",
        FailureKind.TOKEN_UNKNOWN,
        False,
        "the token does not exist in this cluster",
        "Check the token and the datacenter. After a restore, only the tokens in its archive exist.",
    ),
    Meaning(
        403,
        "blocked by agent configuration",
        FailureKind.ENDPOINT_BLOCKED,
        False,
        "the agent blocks this endpoint",
        "Remove it from http_config.block_endpoints, or use another agent.",
    ),
    Meaning(
        403,
        "Access is restricted",
        FailureKind.WRITE_RESTRICTED,
        False,
        "the agent does not accept writes from this address",
        "Add this host to http_config.allow_write_http_from, or run on a host that it allows.",
    ),
    Meaning(403, "", FailureKind.PERMISSION_DENIED, False, "the token is not permitted to do this", _ACL_WRITE),
    Meaning(
        413,
        "",
        FailureKind.TOO_LARGE,
        False,
        "the archive is larger than the server or a proxy allows",
        "Raise the limit for request bodies (proxy, http_config.max_request_body_size), or use a server's own address.",
    ),
    Meaning(
        429,
        "",
        FailureKind.RATE_LIMITED,
        True,
        "the servers' rate limit is reached",
        "Try again later, or raise limits.request_limits.",
    ),
    Meaning(
        0,
        "No cluster leader",
        FailureKind.NO_LEADER,
        True,
        "the cluster has no leader",
        "Run 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
    ),
    Meaning(
        0,
        "Not ready to serve consistent reads",
        FailureKind.LEADER_NOT_READY,
        True,
        "the leader is not ready yet",
        "Try again.",
    ),
    Meaning(
        0, "cannot take snapshot now", FailureKind.TOO_EARLY, True, "the server can't take a snapshot yet", "Try again."
    ),
    Meaning(
        0,
        "No path to datacenter",
        FailureKind.UNKNOWN_DATACENTER,
        False,
        "this cluster does not know the datacenter",
        "Run 'consul catalog datacenters', and set datacenter to one of its names.",
    ),
    Meaning(
        0,
        "Remote DC has no server currently reachable",
        FailureKind.DATACENTER_DOWN,
        True,
        "no server of that datacenter is reachable",
        "Run 'consul members -wan' on a server.",
    ),
    Meaning(
        0,
        "failed to decompress snapshot|failed to read snapshot file|hash check failed|failed checking integrity",
        FailureKind.BAD_ARCHIVE,
        False,
        "Consul refused the archive",
        "The archive is damaged. The state of the cluster has not changed.",
    ),
    Meaning(0, "stale not allowed", FailureKind.OPTION, False, "a restore can't be stale", ""),
    Meaning(
        0,
        "connection refused|connection reset|broken pipe|EOF",
        FailureKind.NO_QUORUM,
        True,
        "the server can't reach the leader",
        "Run 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
    ),
    Meaning(
        404,
        "",
        FailureKind.NOT_FOUND,
        False,
        "this agent does not have this endpoint",
        "Check that host, port and path lead to Consul's HTTP API.",
    ),
    Meaning(
        405,
        "",
        FailureKind.NOT_FOUND,
        False,
        "this agent does not accept this HTTP method",
        "Check that host, port and path lead to Consul's HTTP API.",
    ),
    Meaning(
        502,
        "",
        FailureKind.UNAVAILABLE,
        True,
        "a proxy could not reach Consul",
        "Use a server's own address, and check the log of the proxy.",
    ),
    Meaning(
        503,
        "",
        FailureKind.UNAVAILABLE,
        True,
        "Consul is not available",
        "The servers may be overloaded or rate limited. Try again later.",
    ),
    Meaning(
        504,
        "",
        FailureKind.UNAVAILABLE,
        True,
        "a proxy timed out waiting for Consul",
        "Raise the timeout of the proxy, or use a server's own address.",
    ),
    Meaning(500, "", FailureKind.SERVER_ERROR, True, "Consul reported an internal error", "Check its log."),
)

_OTHER = Meaning(
    0,
    "",
    FailureKind.API,
    False,
    "the response does not come from Consul",
    "Check that host, port and path lead to Consul's HTTP API.",
)


def meaning_of(status: int, text: str) -> Meaning:
    """Return the row that fits an error answer."""
    for row in MEANINGS:
        if row.status in (0, status) and (row.status or status >= 400) and re.search(row.text, text):
            return row
    return _OTHER


def error_of(status: int, text: str, url: str, *, anonymous: bool = False) -> ApiError:
    """Return the error for an answer with this status and text; ``url`` must hold no secret.

    :param anonymous: no token was sent.
    """
    row = meaning_of(status, text)
    if anonymous and row.kind == FailureKind.PERMISSION_DENIED:
        row = row._replace(message="no token was given, and the anonymous token may not do this", hint=_ANONYMOUS)
    shown = printable(" ".join(text.split()))
    message = f"{row.message} (HTTP {status}{f': {shown}' if shown else ''})"
    return ApiError(message, status=status, body=shown, url=url, kind=row.kind, hint=row.hint, retryable=row.retryable)
