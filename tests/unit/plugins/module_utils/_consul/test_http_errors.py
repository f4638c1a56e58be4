# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Consul's error answers mean: the table, row by row, with the texts that servers were seen to send."""

from __future__ import annotations

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.http_errors import (
    MEANINGS,
    error_of,
    meaning_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import BODY_LIMIT

URL = "http://localhost:8500/v1/snapshot"
DIAL = "failed to get conn: dial tcp 127.0.0.1:0->127.0.0.1:8300: connect: connection refused"
TOO_EARLY = "cannot take snapshot now, wait until the configuration entry at 8 has been applied (have applied 2)"

SEEN = [
    (400, "Client sent an HTTP request to an HTTPS server.\n", "wrong_scheme", False),
    (401, "ACL support disabled", "acl_disabled", False),
    (401, "who are you?", "proxy_auth", False),
    (403, "ACL not found", "token_unknown", False),
    (403, "rpc error making call: ACL not found", "token_unknown", False),
    (403, "Permission denied", "permission_denied", False),
    (403, "Permission denied: anonymous token lacks permission 'acl:write'", "permission_denied", False),
    (403, "", "permission_denied", False),
    (403, "Endpoint is blocked by agent configuration", "endpoint_blocked", False),
    (403, "Access is restricted", "write_restricted", False),
    (404, "404 page not found", "not_found", False),
    (405, "method HEAD not allowed", "not_found", False),
    (413, "", "too_large", False),
    (429, "", "rate_limited", True),
    (429, "rate limit exceeded, try again later or against a different server", "rate_limited", True),
    (500, "No cluster leader", "no_leader", True),
    (500, "rpc error making call: No cluster leader", "no_leader", True),
    (500, "Not ready to serve consistent reads", "leader_not_ready", True),
    (500, TOO_EARLY, "too_early", True),
    (500, "No path to datacenter", "unknown_datacenter", False),
    (500, "Remote DC has no server currently reachable", "datacenter_down", True),
    (500, "failed to decompress snapshot: gzip: invalid header", "bad_archive", False),
    (500, "failed to read snapshot file: unexpected EOF", "bad_archive", False),
    (500, 'failed checking integrity of snapshot: hash check failed for "state.bin"', "bad_archive", False),
    (500, "stale not allowed for restore", "option", False),
    (500, DIAL, "no_quorum", True),
    (500, "rpc error making call: EOF", "no_quorum", True),
    (500, "timed out waiting for re-run of leader actions", "server_error", True),
    (500, 'unknown CA provider ""', "server_error", True),
    (500, "", "server_error", True),
    (502, "<html>", "unavailable", True),
    (503, "rate limit exceeded for operation that can only be performed by the leader", "unavailable", True),
    (504, "", "unavailable", True),
    (301, "", "redirected", False),
    (302, "No cluster leader", "redirected", False),
    *((status, "", "redirected", False) for status in (303, 307, 308)),
    (206, "", "api", False),
    (418, "", "api", False),
]


@pytest.mark.parametrize(("status", "text", "kind", "retryable"), SEEN)
def test_meaning(status: int, text: str, kind: str, retryable: bool) -> None:
    meaning = meaning_of(status, text)
    assert (meaning.kind, meaning.retryable) == (kind, retryable)


def test_every_row_is_of_use() -> None:
    used = {meaning_of(status, text) for status, text, _kind, _retryable in SEEN}
    assert [row for row in MEANINGS if row not in used] == []


def test_the_error_shows_status_and_text() -> None:
    error = error_of(500, "No cluster\n leader", URL)
    # White space is put in order, so that the message stays one line.
    assert error_of(500, "No cluster leader\n", URL).as_failure() == {
        "kind": "no_leader",
        "hint": error_of(500, "No cluster leader", URL).hint,
        "status": 500,
        "body": "No cluster leader",
        "url": URL,
    }
    assert "\n" not in error.message
    assert "HTTP 500" in error.message


def test_a_long_text_is_trimmed() -> None:
    error = error_of(502, "<html>" + "x" * 100_000, URL)
    assert len(error.facts["body"]) == BODY_LIMIT
    assert len(error.message) < 2 * BODY_LIMIT


def test_no_text() -> None:
    assert error_of(503, "", URL).message.endswith("(HTTP 503)")


def test_it_is_said_when_no_token_was_given() -> None:
    given, missing = error_of(403, "Permission denied", URL), error_of(403, "Permission denied", URL, anonymous=True)
    assert given.kind == missing.kind == "permission_denied"
    assert "no token was given" in missing.message
    assert "no token" not in given.message
    assert "token_file" in missing.hint


def test_what_a_server_says_can_be_shown_on_a_terminal() -> None:
    error = error_of(500, "\x1b]0;owned\x07\u202efdp.exe", f"{URL}?dc=\x1b[2J")
    for shown in (error.as_text(), error.message, str(error), error.facts["body"], error.facts["url"]):
        assert shown.isprintable()
        assert "\\x1b" in shown
