# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Consul's error answers mean (pure): a table from status and text to a kind, a hint, and whether to try again."""

from __future__ import annotations

import re
from typing import NamedTuple

from ._errors import BODY_LIMIT, ApiError


class Meaning(NamedTuple):
    """One row: an answer of ``status`` whose text matches ``text`` is of this kind. Status 0 stands for any."""

    status: int
    text: str
    kind: str
    retryable: bool
    message: str
    hint: str


_ACL_WRITE = 'A policy with acl = "write" is needed to take and restore snapshots.'

# In order: the first row that fits decides. The texts are those of Consul 1.8.7 and 1.22.7, most of them alike.
MEANINGS = (
    Meaning(
        400, r"HTTP request to an HTTPS server", "wrong_scheme", False, "this port speaks HTTPS", "Set scheme: https."
    ),
    Meaning(401, "ACL support disabled", "acl_disabled", False, "ACLs are disabled in this cluster", ""),
    Meaning(
        401,
        "",
        "proxy_auth",
        False,
        "a proxy requires a user name and a password",
        "Set the environment variable CONSUL_HTTP_AUTH to user:password.",
    ),
    Meaning(
        403,
        "ACL not found",
        "token_unknown",
        False,
        "the token does not exist in this cluster",
        "A restore replaces all tokens by those of its archive; otherwise check the token and the datacenter.",
    ),
    Meaning(
        403,
        "blocked by agent configuration",
        "endpoint_blocked",
        False,
        "the agent blocks this endpoint",
        "Remove it from http_config.block_endpoints, or ask another agent.",
    ),
    Meaning(
        403,
        "Access is restricted",
        "write_restricted",
        False,
        "the agent takes no writes from this address",
        "Add this host to http_config.allow_write_http_from, or run on one that is in it.",
    ),
    Meaning(403, "", "permission_denied", False, "the token may not do this", _ACL_WRITE),
    Meaning(
        413,
        "",
        "too_large",
        False,
        "the archive is larger than the server or a proxy lets through",
        "Raise the limit of the body's size (proxy, or http_config.max_request_body_size), or ask a server directly.",
    ),
    Meaning(
        429,
        "",
        "rate_limited",
        True,
        "the servers' rate limit is reached",
        "Try later, or raise limits.request_limits.",
    ),
    Meaning(
        0,
        "No cluster leader",
        "no_leader",
        True,
        "the cluster has no leader",
        "See 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
    ),
    Meaning(
        0, "Not ready to serve consistent reads", "leader_not_ready", True, "the leader is not ready yet", "Try again."
    ),
    Meaning(0, "cannot take snapshot now", "too_early", True, "the server can't take a snapshot yet", "Try again."),
    Meaning(
        0,
        "No path to datacenter",
        "unknown_datacenter",
        False,
        "the datacenter is not known to this cluster",
        "See 'consul catalog datacenters' for the names, and set datacenter to one of them.",
    ),
    Meaning(
        0,
        "Remote DC has no server currently reachable",
        "datacenter_down",
        True,
        "no server of that datacenter can be reached",
        "See 'consul members -wan'.",
    ),
    Meaning(
        0,
        "failed to decompress snapshot|failed to read snapshot file|hash check failed|failed checking integrity",
        "bad_archive",
        False,
        "Consul refused the archive",
        "It is not whole; the old state stands.",
    ),
    Meaning(0, "stale not allowed", "option", False, "a restore can't be stale", ""),
    Meaning(
        0,
        "connection refused|connection reset|broken pipe|EOF",
        "no_quorum",
        True,
        "the server can't reach the leader",
        "See 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
    ),
    Meaning(
        404,
        "",
        "not_found",
        False,
        "this agent does not know the endpoint",
        "Check that the address is Consul's HTTP API.",
    ),
    Meaning(
        405,
        "",
        "not_found",
        False,
        "this agent does not take this kind of request",
        "Check that the address is Consul's HTTP API.",
    ),
    Meaning(502, "", "unavailable", True, "a proxy could not reach Consul", "Ask a server directly."),
    Meaning(
        503, "", "unavailable", True, "Consul is not available", "The servers may be overloaded or limited; try later."
    ),
    Meaning(
        504,
        "",
        "unavailable",
        True,
        "a proxy gave up waiting for Consul",
        "Raise its timeout, or ask a server directly.",
    ),
    Meaning(500, "", "server_error", True, "Consul failed", "Its log tells why."),
)

_OTHER = Meaning(
    0, "", "api", False, "Consul did not answer as expected", "Check that the address is Consul's HTTP API."
)


def meaning_of(status: int, text: str) -> Meaning:
    """Return the row that fits an error answer."""
    for row in MEANINGS:
        if row.status in (0, status) and (row.status or status >= 400) and re.search(row.text, text):
            return row
    return _OTHER


def error_of(status: int, text: str, url: str) -> ApiError:
    """Return the error that an answer with this status and text stands for; ``url`` must hold no secret."""
    row = meaning_of(status, text)
    shown = " ".join(text.split())[:BODY_LIMIT]
    message = f"{row.message} (HTTP {status}{f': {shown}' if shown else ''})"
    return ApiError(message, status=status, body=shown, url=url, kind=row.kind, hint=row.hint, retryable=row.retryable)
