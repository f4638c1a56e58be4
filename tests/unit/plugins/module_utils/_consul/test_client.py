# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a server that says what it is told to: what is asked, how, and what becomes of the answer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers import BROKEN_CHUNKS, CHUNKED, CLOSE, LENGTH, hangs_up, reset, says, says_json, send_framed, sends
from support.faults import Exchange, Fault, FaultServer

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul import client as _client
from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import (
    READ_SIZE,
    Client,
    Connection,
    Headers,
    _Upload,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    ApiError,
    OptionError,
    TransportError,
)

TOKEN = "6f1c2a9e-a-token-that-must-not-show"
ASK, SNAPSHOT, RESTORE = ("GET", "/v1/status/leader"), ("GET", "/v1/snapshot"), ("PUT", "/v1/snapshot")
BODY = bytes(range(256)) * 2000


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as ready:
        yield ready


@pytest.fixture
def client(server: FaultServer) -> Client:
    return Client(Connection(host="127.0.0.1", port=server.port, token=TOKEN, timeout=5))


def answers(body: bytes, *, framing: str = CHUNKED, announced: int | None = None, **headers: str) -> Fault:
    """An answer to a snapshot."""

    def fault(exchange: Exchange) -> None:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        announce = len(body) if announced is None else announced
        send_framed(exchange, 200, told, body, framing=framing, announced=announce)

    return fault


def snapshot(client: Client, datacenter: str | None = None, stale: bool = False) -> tuple[Headers, bytes]:
    with client.snapshot(datacenter=datacenter, stale=stale) as (headers, pieces):
        return headers, b"".join(pieces)


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        (Connection(), "http://localhost:8500"),
        (Connection(host="::1", port=8501, scheme="https"), "https://[::1]:8501"),
        (Connection(unix_socket="/run/consul.sock"), "unix:///run/consul.sock"),
    ],
)
def test_address(connection: Connection, address: str) -> None:
    assert connection.address == address


def test_a_connection_does_not_show_its_token() -> None:
    assert TOKEN not in repr(Connection(token=TOKEN))
    assert TOKEN not in f"{Connection(token=TOKEN)}"


def test_ask(client: Client, server: FaultServer) -> None:
    server.on(*ASK, says_json("127.0.0.1:8300"))
    assert client.ask("/v1/status/leader", params={"dc": "dc 2&x"}) == "127.0.0.1:8300"
    (asked,) = server.requests
    assert asked.query == "dc=dc+2%26x"
    assert asked.headers["x-consul-token"] == TOKEN


@pytest.mark.parametrize("status", [403, 429, 500])
def test_an_error_does_not_repeat_the_token(client: Client, server: FaultServer, status: int) -> None:
    server.on(*ASK, says(status, f"X-Consul-Token: {TOKEN}"))
    with pytest.raises(ApiError, match=r"X-Consul-Token: \*{8}") as caught:
        client.ask("/v1/status/leader")
    assert TOKEN not in str(caught.value.as_failure()) + caught.value.as_text()


def test_ask_with_a_payload(client: Client, server: FaultServer) -> None:
    bodies: list[bytes] = []

    def noted(exchange: Exchange) -> None:
        exchange.read_body()
        bodies.append(exchange.body)
        says_json([])(exchange)

    server.on("POST", "/v1/internal/acl/authorize", noted)
    assert client.ask("/v1/internal/acl/authorize", payload=[{"Resource": "acl"}]) == []
    assert json.loads(bodies[0]) == [{"Resource": "acl"}]


def test_another_token(client: Client, server: FaultServer) -> None:
    server.on(*ASK, says_json(""))
    client.with_token("another").ask("/v1/status/leader")
    client.with_token(None).ask("/v1/status/leader")
    assert [one.headers.get("x-consul-token") for one in server.requests] == ["another", None]


def test_a_status_that_is_an_answer_too(client: Client, server: FaultServer) -> None:
    server.on(*ASK, says_json({"Healthy": False}, 429))
    assert client.ask("/v1/status/leader", accept=(429,)) == {"Healthy": False}
    with pytest.raises(ApiError) as caught:
        client.ask("/v1/status/leader")
    assert caught.value.kind == "rate_limited"


@pytest.mark.parametrize("text", ["", "<html>", "{", "\ufffd", '{"a": 1', "[" * 100_000, "9" * 5000])
def test_an_answer_that_is_no_json(client: Client, server: FaultServer, text: str) -> None:
    server.on(*ASK, says(200, text))
    with pytest.raises(ApiError) as caught:
        client.ask("/v1/status/leader")
    assert (caught.value.kind, caught.value.retryable) == ("api", False)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(client: Client, server: FaultServer, status: int) -> None:
    with FaultServer() as elsewhere:
        place = f"http://127.0.0.1:{elsewhere.port}/v1/status/leader"
        server.on(*ASK, says(status, Location=place))
        with pytest.raises(ApiError) as caught:
            client.ask("/v1/status/leader")
        assert elsewhere.requests == []
    assert caught.value.kind == "redirected"


def test_an_answer_without_an_end(client: Client, server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client, "JSON_LIMIT", 10_000)
    server.on(*ASK, says_json("x" * 9_990))
    assert client.ask("/v1/status/leader") == "x" * 9_990
    server.on(*ASK, says_json("x" * 10_000))
    with pytest.raises(ApiError, match="larger than 10000 bytes"):
        client.ask("/v1/status/leader")


def test_an_answer_that_is_cut(client: Client, server: FaultServer) -> None:
    server.on(*ASK, answers(b'"x"', framing=BROKEN_CHUNKS))
    with pytest.raises(TransportError, match="connection was closed"):
        client.ask("/v1/status/leader")


def test_the_text_of_an_error_counts_when_the_connection_is_reset_behind_it(
    client: Client, server: FaultServer
) -> None:
    # Without a length and with a reset at its end, as Go's servers answer plain HTTP on a port of HTTPS.
    text = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

    def fault(exchange: Exchange) -> None:
        exchange.send(text)
        reset(exchange)

    server.on(*ASK, fault)
    with pytest.raises(ApiError) as caught:
        client.ask("/v1/status/leader")
    assert caught.value.kind == "wrong_scheme"


def test_nothing_is_taken_from_the_environment(
    client: Client, server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.on(*ASK, says_json(""))
    client.ask("/v1/status/leader")
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("framing", [CHUNKED, CLOSE, LENGTH])
def test_a_snapshot_comes_as_it_was_sent(client: Client, server: FaultServer, framing: str) -> None:
    server.on(*SNAPSHOT, answers(BODY, framing=framing, Content_Encoding="gzip"))
    assert snapshot(client) == (Headers(None, None, None), BODY)
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("datacenter", "stale", "query"), [(None, False, ""), ("dc2", False, "dc=dc2"), ("dc2", True, "dc=dc2&stale=")]
)
def test_what_a_snapshot_is_asked_with(
    client: Client, server: FaultServer, datacenter: str | None, stale: bool, query: str
) -> None:
    server.on(*SNAPSHOT, answers(BODY))
    snapshot(client, datacenter, stale)
    assert server.requests[0].query == query


@pytest.mark.parametrize(
    ("told", "read"),
    [
        (("3135", "7", "true"), Headers(3135, 7, True)),
        (("0", "0", "false"), Headers(0, 0, False)),
        (("", "-1", ""), Headers(None, None, False)),
        (("many", "\u00b2", "TRUE"), Headers(None, None, False)),
        (("9" * 5000, "1" * 21, "x"), Headers(None, None, False)),
    ],
)
@pytest.mark.parametrize("case", [str, str.lower, str.upper])
def test_headers(client: Client, server: FaultServer, told: tuple[str, ...], read: Headers, case: type[str]) -> None:
    names = ("X_Consul_Index", "X_Consul_LastContact", "X_Consul_KnownLeader")
    server.on(*SNAPSHOT, answers(BODY, **{case(name): value for name, value in zip(names, told)}))
    assert snapshot(client)[0] == read


@pytest.mark.parametrize("received", [0, 1, len(BODY) - 1])
def test_less_than_was_announced(client: Client, server: FaultServer, received: int) -> None:
    server.on(*SNAPSHOT, answers(BODY[:received], framing=LENGTH, announced=len(BODY)))
    with pytest.raises(TransportError) as caught:
        snapshot(client)
    assert str(received) in caught.value.message
    assert caught.value.retryable


def test_a_restore_is_sent_in_one_piece(client: Client, server: FaultServer) -> None:
    got: list[Exchange] = []

    def noted(exchange: Exchange) -> None:
        exchange.read_body()
        got.append(exchange)
        says(200)(exchange)

    server.on(*RESTORE, noted)
    # What stands behind the verified bytes stays here.
    client.restore(io.BytesIO(BODY + b"more"), len(BODY), datacenter="dc2")
    (put,) = got
    assert put.body == BODY
    assert put.request.query == "dc=dc2"
    assert put.request.headers["content-length"] == str(len(BODY))
    assert "transfer-encoding" not in put.request.headers


@pytest.mark.parametrize("answer", [hangs_up, sends(b"HTTP/1.1 ?\r\n\r\n"), says(307, Location="http://127.0.0.1:9/")])
def test_a_restore_is_sent_once(client: Client, server: FaultServer, answer: Fault) -> None:
    server.on(*RESTORE, answer)
    with pytest.raises((TransportError, ApiError)) as caught:
        client.restore(io.BytesIO(BODY), len(BODY), datacenter=None)
    assert server.count(*RESTORE) == 1
    assert not getattr(caught.value, "unsent", False)


def test_nobody_is_there(client: Client, server: FaultServer) -> None:
    server.stop_listening()
    with pytest.raises(TransportError, match="refused") as caught:
        client.restore(io.BytesIO(BODY), len(BODY), datacenter=None)
    assert caught.value.unsent


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    client = Client(Connection(unix_socket=str(tmp_path / "http.sock")))
    with pytest.raises(TransportError, match="Unix socket does not exist") as caught:
        client.ask("/v1/status/leader")
    assert caught.value.unsent


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_files_are_looked_at_first(option: str) -> None:
    with pytest.raises(OptionError, match=option):
        Client(Connection(scheme="https", **{option: "/nowhere/file.pem"}))


@pytest.mark.parametrize("size", [-1, 1, 100, READ_SIZE, 1 << 30])
def test_an_upload_ends_where_it_should(size: int) -> None:
    upload = _Upload(io.BytesIO(BODY + b"more"), len(BODY))
    assert len(upload) == len(BODY)
    pieces = iter(lambda: upload.read(size), b"")
    assert b"".join(pieces) == BODY
    assert b"".join(_Upload(io.BytesIO(BODY), 10)) == BODY[:10]
