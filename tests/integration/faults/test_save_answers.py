# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server, or a proxy before it, may answer to a save; one case a row."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.answers import (
    BROKEN_CHUNKS,
    CHUNKED,
    CLOSE,
    LENGTH,
    half_then,
    hangs_up,
    real,
    reset,
    says,
    says_json,
    sends,
    stalls,
)
from support.archives import LAYERS, STATE, cut_inside
from support.faults import Exchange, Fault, FaultServer, pass_on
from support.modules import Outcome
from support.scene import ONCE, RETRIED, SNAPSHOT, Saving

pytestmark = pytest.mark.every_version


class Row(NamedTuple):
    """A case: the answers in turn (the last one again and again), what it ends in, how often the server was asked."""

    name: str
    answers: tuple[Fault, ...]
    kind: str
    asked: int
    fault: str | None = None
    status: int | None = None
    options: dict[str, Any] | None = None


def refused(status: int, text: str, kind: str, asked: int) -> Row:
    """A row for an error answer."""
    return Row(f"{status} {text[:40]}".strip(), (says(status, text),), kind, asked, status=status)


def spoilt(name: str, answer: Fault, fault: str, asked: int = RETRIED) -> Row:
    """A row for a 200 that is not a whole archive."""
    return Row(name, (answer,), "archive", asked, fault=fault)


def broken(name: str, answer: Fault, asked: int = RETRIED, **options: Any) -> Row:
    """A row for a connection that breaks."""
    return Row(name, (answer,), "connection", asked, options=options)


DENIED = "Permission denied: token with AccessorID 'a9c6…' lacks permission 'acl:write'"
TOO_EARLY = "cannot take snapshot now, wait until the configuration entry at 8 has been applied (have applied 2)"
DIAL = "rpc error getting client: failed to get conn: dial tcp 127.0.0.1:0->127.0.0.1:8300: connect: connection refused"

REFUSED = (
    refused(400, "Client sent an HTTP request to an HTTPS server.", "wrong_scheme", ONCE),
    refused(403, "Permission denied", "permission_denied", ONCE),
    refused(403, DENIED, "permission_denied", ONCE),
    refused(403, "ACL not found", "token_unknown", ONCE),
    refused(403, "Endpoint is blocked by agent configuration", "endpoint_blocked", ONCE),
    refused(403, "Access is restricted", "write_restricted", ONCE),
    refused(404, "404 page not found", "not_found", ONCE),
    refused(405, "method GET not allowed", "not_found", ONCE),
    refused(413, "request body too large", "too_large", ONCE),
    refused(429, "", "rate_limited", RETRIED),
    refused(429, "rate limit exceeded, try again later or against a different server", "rate_limited", RETRIED),
    refused(500, "No cluster leader", "no_leader", RETRIED),
    refused(500, "Not ready to serve consistent reads", "leader_not_ready", RETRIED),
    refused(500, TOO_EARLY, "too_early", RETRIED),
    refused(500, "No path to datacenter", "unknown_datacenter", ONCE),
    refused(500, "Remote DC has no server currently reachable", "datacenter_down", RETRIED),
    refused(500, DIAL, "no_quorum", RETRIED),
    refused(500, "something went wrong", "server_error", RETRIED),
    refused(500, "", "server_error", RETRIED),
    refused(502, "<html><body>Bad Gateway</body></html>", "unavailable", RETRIED),
    refused(503, "rate limit exceeded for operation that can only be performed by the leader", "unavailable", RETRIED),
    refused(504, "", "unavailable", RETRIED),
    refused(418, "", "api", ONCE),
)

PAGE = "<!DOCTYPE html>\n<html><body>Please log in</body></html>"
SPOILT = (
    spoilt("gzipped twice", real(gzip.compress), "double_gzip", ONCE),
    spoilt(
        "gzipped twice, as Content-Encoding says",
        real(gzip.compress, headers={"Content-Encoding": "gzip"}),
        "double_gzip",
        ONCE,
    ),
    spoilt("empty 200", says(200), "truncated"),
    spoilt("empty 200 in chunks", real(lambda _body: b""), "truncated"),
    spoilt("empty 200 until closed", real(lambda _body: b"", framing=CLOSE), "truncated"),
    spoilt("an HTML page", says(200, PAGE, Content_Type="text/html"), "not_gzip"),
    spoilt("JSON", says_json({"error": "no"}), "not_gzip"),
    spoilt("text", says(200, "ok\n"), "not_gzip"),
    spoilt("one byte of gzip", real(lambda body: body[:1]), "truncated"),
    spoilt("text after the archive", real(lambda body: body + b"unexpected EOF"), "trailing"),
    spoilt("text after the archive, until closed", real(lambda body: body + b"x", framing=CLOSE), "trailing"),
    spoilt("zeros after the archive", real(lambda body: body + bytes(512)), "trailing"),
    spoilt("another archive after it", real(lambda body: body + body), "trailing"),
    spoilt("a wrong X-Consul-Index", real(headers={"X-Consul-Index": "1"}), "index"),
)

BROKEN = (
    broken("reset before the answer", reset),
    broken("closed before the answer", hangs_up),
    broken("stalled before the answer", stalls, ONCE, timeout=2, retries=0),
    broken("reset in the body", half_then(reset)),
    broken("closed in the body", half_then(Exchange.hang_up)),
    broken("stalled in the body", half_then(stalls), ONCE, timeout=2, retries=0),
    broken("another protocol", sends(b"SSH-2.0-OpenSSH_9.6\r\n")),
    broken("a status line that is none", sends(b"HTTP/1.1 fine\r\n\r\n")),
    broken("a header without an end", sends(b"HTTP/1.1 200 OK\r\nX-Consul-Index: " + b"9" * 70_000)),
    broken("a chunk without a size", sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\x1f\x8b")),
)


def cuts() -> Iterator[Row]:
    """Cut in every layer: HTTP shows it with a length or chunks, the archive alone shows it without."""
    for layer in LAYERS:
        for framing in (LENGTH, CHUNKED, CLOSE):
            answer = real(lambda body, layer=layer: cut_inside(body, layer), framing=framing)
            name = f"cut in {layer}, {framing}"
            yield broken(name, answer) if framing == LENGTH else spoilt(name, answer, "truncated")
    yield broken("cut in state.bin, chunks without an end", real(_in_state, framing=BROKEN_CHUNKS))
    yield spoilt("cut in state.bin, its Content-Length fits", _well_formed_cut, "truncated")


def _in_state(body: bytes) -> bytes:
    return cut_inside(body, STATE)


def _well_formed_cut(exchange: Exchange) -> None:
    body = _in_state(exchange.ask_upstream().body)
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


ROWS = [*REFUSED, *SPOILT, *BROKEN, *cuts()]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_fails_and_leaves_all_as_it_was(saving: Saving, server: FaultServer, row: Row) -> None:
    server.on(*SNAPSHOT, *row.answers)
    outcome = saving.save(**(row.options or {}))
    saving.check_failed(outcome, row.kind)
    assert outcome.failure.get("fault") == row.fault
    assert outcome.failure.get("status") == row.status
    assert server.count(*SNAPSHOT) == row.asked
    assert len(outcome.result["attempts"]) == row.asked - 1


MENDS = (
    ("a limit of rate", says(429)),
    ("no leader", says(500, "No cluster leader")),
    ("a cut body", real(_in_state)),
    ("a body that breaks off", half_then(reset)),
    ("a connection that is reset", reset),
    ("an empty 200", says(200)),
)


@pytest.mark.parametrize("answer", [answer for _name, answer in MENDS], ids=[name for name, _answer in MENDS])
def test_a_second_try_mends(saving: Saving, server: FaultServer, answer: Fault) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, answer, real(keep=sent.append))
    outcome = saving.save()
    saving.check_saved(outcome, sent[-1])
    assert server.count(*SNAPSHOT) == RETRIED
    assert len(outcome.result["attempts"]) == 1
    assert "trying again" in outcome.stdout  # as a warning; its form is Ansible's business


def test_as_often_as_was_asked_for(saving: Saving, server: FaultServer) -> None:
    server.on(*SNAPSHOT, says(429), half_then(reset), says(503), real())
    outcome = saving.save(retries=3)
    assert not outcome.failed
    assert len(outcome.result["attempts"]) == 3


ODD = {
    "Content-Type: application/json": {"headers": {"Content-Type": "application/json"}},
    "no headers of Consul's": {
        "headers": {"X-Consul-Index": None, "X-Consul-LastContact": None, "X-Consul-KnownLeader": None}
    },
    "headers that are no numbers": {"headers": {"X-Consul-Index": "many", "X-Consul-LastContact": "\u00b2"}},
    "names of headers in lower case": {"rename": str.lower},
    "names of headers in capitals": {"rename": str.upper},
    "Content-Length": {"framing": LENGTH},
    "until closed": {"framing": CLOSE},
}


@pytest.mark.parametrize("how", ODD.values(), ids=ODD)
def test_odd_but_whole(saving: Saving, server: FaultServer, how: dict[str, Any]) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append, **how))
    saving.check_saved(saving.save(), sent[-1])
    assert server.count(*SNAPSHOT) == ONCE


def test_header_names_are_read_in_any_case(saving: Saving, server: FaultServer) -> None:
    server.on(*SNAPSHOT, real(headers={"X-Consul-Index": "1"}, rename=str.lower))
    outcome = saving.save()
    saving.check_failed(outcome, "archive")
    assert outcome.failure["fault"] == "index"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(saving: Saving, server: FaultServer, status: int) -> None:
    with FaultServer() as elsewhere:
        server.on(*SNAPSHOT, says(status, Location=f"http://127.0.0.1:{elsewhere.port}/v1/snapshot"))
        outcome = saving.save()
        saving.check_failed(outcome, "redirected")
        assert outcome.failure["status"] == status
        assert server.count(*SNAPSHOT) == ONCE
        # The token would have gone there, too.
        assert elsewhere.requests == []


def test_nothing_listens(saving: Saving, server: FaultServer) -> None:
    server.stop_listening()
    outcome = saving.save()
    saving.check_failed(outcome, "connection")
    assert "refused" in outcome.result["msg"]
    assert len(outcome.result["attempts"]) == 1


SMALL_QUESTIONS = {
    "status/leader says none": ("GET", "/v1/status/leader", says_json(""), "cluster"),
    "status/leader is HTML": ("GET", "/v1/status/leader", says(200, PAGE), "api"),
    "may not": ("POST", "/v1/internal/acl/authorize", says_json([{"Allow": False}]), "permission_denied"),
    "unknown token": ("POST", "/v1/internal/acl/authorize", says(403, "ACL not found"), "token_unknown"),
    "authorize is reset": ("POST", "/v1/internal/acl/authorize", reset, "connection"),
    "agent/self is reset": ("GET", "/v1/agent/self", half_then(reset), "connection"),
}


@pytest.mark.parametrize(("method", "path", "answer", "kind"), SMALL_QUESTIONS.values(), ids=SMALL_QUESTIONS)
def test_small_questions_are_asked_first(
    saving: Saving, server: FaultServer, method: str, path: str, answer: Fault, kind: str
) -> None:
    server.on(method, path, answer)
    saving.check_failed(saving.save(), kind)
    assert server.count(*SNAPSHOT) == 0


NOT_NEEDED = {
    "authorize is not there": ("POST", "/v1/internal/acl/authorize", says(404, "404 page not found")),
    "agent/self may not be read": ("GET", "/v1/agent/self", says(403, "Permission denied")),
    "authorize fails": ("POST", "/v1/internal/acl/authorize", says(500, "rpc error making call")),
}


@pytest.mark.parametrize(("method", "path", "answer"), NOT_NEEDED.values(), ids=NOT_NEEDED)
def test_small_questions_without_an_answer(
    saving: Saving, server: FaultServer, method: str, path: str, answer: Fault
) -> None:
    sent: list[bytes] = []
    server.on(method, path, answer)
    server.on(*SNAPSHOT, real(keep=sent.append))
    saving.check_saved(saving.save(), sent[-1])


def test_check_mode_finds_the_same_and_writes_nothing(saving: Saving, server: FaultServer) -> None:
    server.on(*SNAPSHOT, real(_in_state), pass_on)
    outcome: Outcome = saving.save(check=True)
    assert outcome.result["changed"]
    assert len(outcome.result["attempts"]) == 1
    saving.check_untouched()


def test_asks_for_no_compression(saving: Saving, server: FaultServer) -> None:
    saving.save()
    asked = [one for one in server.requests if (one.method, one.path) == SNAPSHOT]
    assert [one.headers.get("accept-encoding") for one in asked] == ["identity"]


def test_the_token_is_in_its_header_only(saving: Saving, server: FaultServer, token: str) -> None:
    saving.save()
    assert {one.headers.get("x-consul-token") for one in server.requests} == {token}
    assert not any(token in one.path + one.query for one in server.requests)


@pytest.fixture
def token_file(token: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The token in a file, as people write one."""
    path = tmp_path_factory.mktemp("secret") / "token"
    path.write_text(f"{token}\n", encoding="ascii")
    return path


@pytest.mark.parametrize("from_file", [False, True], ids=["token", "token_file"])
@pytest.mark.parametrize("status", [200, 403, 500])
def test_a_server_that_repeats_the_token(
    saving: Saving,
    server: FaultServer,
    token: str,
    tmp_path_factory: pytest.TempPathFactory,
    from_file: bool,
    status: int,
) -> None:
    told: dict[str, Any] = {}
    if from_file:
        path = tmp_path_factory.mktemp("secret") / "token"
        path.write_text(f"{token}\n", encoding="ascii")
        told = {"token": None, "token_file": str(path)}
    server.on(*SNAPSHOT, says(status, f"you said X-Consul-Token: {token}"))
    # That it is not shown is checked for every run.
    assert saving.save(**told).failed
    assert {one.headers.get("x-consul-token") for one in server.requests} == {token}
