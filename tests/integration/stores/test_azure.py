# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between this host and Azure Blob Storage: keys, SAS tokens, answers that a small server spoils."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from contract import PREFIX, Subject, data_of, opened, publish, read
from support.answers import says
from support.faults import LOOPBACK, Exchange, Fault, FaultServer, head, pass_on

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError

MIB = 1 << 20
PIECES = 20
HOUR = datetime.timedelta(hours=1)


class Scene(NamedTuple):
    """A container of a real server, and a store that reaches it through the one that spoils answers."""

    subject: Subject
    between: FaultServer

    def store(self, **changed: Any) -> Any:
        """Open it."""
        account = f"http://{LOOPBACK}:{self.between.port}/{self.subject.server.account}"
        return opened(
            self.subject.url,
            self.subject.server.options(**{"retries": 2, "timeout": 20, **changed, "account_url": account}),
        )

    def path(self, name: str = "") -> str:
        """Return what requests about a blob, or about the container, ask for."""
        container = f"/{self.subject.server.account}/{self.subject.bucket}"
        return f"{container}/{PREFIX}{name}" if name else container

    def sas(self, permission: str, **changed: Any) -> str:
        """Return a token for the container, as the SDK signs it."""
        from azure.storage.blob import generate_container_sas

        now = datetime.datetime.now(datetime.UTC)
        keywords = {"start": now - HOUR, "expiry": now + HOUR, **changed}
        server = self.subject.server
        return str(
            generate_container_sas(
                server.account, self.subject.bucket, account_key=server.account_key, permission=permission, **keywords
            )
        )

    def with_sas(self, permission: str, **changed: Any) -> Any:
        """Open the store with such a token alone."""
        return self.subject.store(account_key=None, sas_token=self.sas(permission, **changed))


@pytest.fixture
def scene(server: Callable[..., Any]) -> Iterator[Scene]:
    """Return a fresh container behind a server that misbehaves when it is told to."""
    real = server("azurite")
    with FaultServer(real.endpoint, keeps_host=True) as between:
        yield Scene(Subject(real, real.bucket()), between)


def refuses(status: int, code: str, **headers: str) -> Fault:
    """Return a fault: an answer of Azure's kind."""
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>words</Message></Error>'
    return says(status, body, Content_Type="application/xml", x_ms_error_code=code, **headers)


def cut_in_the_request(exchange: Exchange) -> None:
    """Break the connection off in the midst of a block."""
    exchange.read_body(MIB)
    exchange.reset()


def lose_the_answer(exchange: Exchange) -> None:
    """Let the store do it, and break the connection off before its answer."""
    exchange.ask_upstream()
    exchange.reset()


TROUBLES = [refuses(503, "ServerBusy"), says(429, Retry_After="1"), cut_in_the_request, lose_the_answer]


@pytest.mark.parametrize("trouble", TROUBLES, ids=["busy", "throttled", "cut", "lost"])
@pytest.mark.parametrize("at", [0, 2, 3], ids=["first block", "last block", "list"])
def test_a_request_that_is_lost_is_sent_again(scene: Scene, trouble: Fault, at: int) -> None:
    data = data_of(PIECES)
    scene.between.on("PUT", scene.path("x.snap"), *[pass_on] * at, trouble, pass_on)
    assert publish(scene.store(), "x.snap", data) == "x.snap"
    assert scene.subject.objects() == {"x.snap": data}
    assert scene.between.count("PUT", scene.path("x.snap")) == 5


def test_it_gives_up_after_its_retries_and_leaves_nothing(scene: Scene) -> None:
    scene.between.on("PUT", scene.path("x.snap"), pass_on, refuses(503, "ServerBusy"))
    with pytest.raises(StoreError) as caught:
        publish(scene.store(), "x.snap", data_of(PIECES))
    assert caught.value.kind is FailureKind.STORE_UNAVAILABLE
    assert "HTTP 503, ServerBusy" in caught.value.message
    assert scene.subject.objects() == {}
    assert scene.between.count("PUT", scene.path("x.snap")) == 4


def test_an_answer_that_is_lost_for_good_does_not_hide_the_blob(scene: Scene) -> None:
    scene.between.on("PUT", scene.path("x.json"), pass_on, lose_the_answer, refuses(503, "ServerBusy"))
    scene.store().put_new("x.json", b"{}")
    assert scene.subject.objects() == {"x.json": b"{}"}


def test_the_blob_of_another_writer_is_not_taken_for_the_own(scene: Scene) -> None:
    def other_first(exchange: Exchange) -> None:
        scene.subject.store().put_new("x.json", b"{}")
        exchange.reset()

    scene.between.on("PUT", scene.path("x.json"), pass_on, other_first, pass_on)
    with pytest.raises(StoreError) as caught:
        scene.store().put_new("x.json", b"{}")
    assert caught.value.kind is FailureKind.STORE_EXISTS


def change_the_block(exchange: Exchange) -> None:
    """Let the store get another byte than was sent."""
    exchange.read_body()
    exchange.body = exchange.body[:-1] + bytes([exchange.body[-1] ^ 1])
    pass_on(exchange)


def test_a_block_that_was_changed_on_the_way_is_sent_again(scene: Scene) -> None:
    data = data_of(PIECES)
    scene.between.on("PUT", scene.path("x.snap"), pass_on, change_the_block, pass_on)
    publish(scene.store(), "x.snap", data)
    assert scene.subject.objects() == {"x.snap": data}


def test_a_way_that_changes_every_block_is_given_up(scene: Scene) -> None:
    scene.between.on("PUT", scene.path("x.snap"), change_the_block)
    with pytest.raises(StoreError, match="damaged on their way"):
        publish(scene.store(), "x.snap", data_of(PIECES))
    assert scene.subject.objects() == {}
    assert scene.subject.store().accepts_wrong_checksum("canary", b"abc") is False


def test_a_read_that_is_cut_goes_on(scene: Scene) -> None:
    data = data_of(PIECES)
    publish(scene.subject.store(), "x.snap", data)

    def cut(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        exchange.send(head(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))}))
        exchange.send(answer.body[: len(answer.body) // 2])
        exchange.reset()

    scene.between.on("GET", scene.path("x.snap"), pass_on, cut, refuses(503, "ServerBusy"), pass_on)
    assert read(scene.store(), "x.snap") == data


def test_bytes_that_were_changed_on_the_way_are_refused(scene: Scene) -> None:
    publish(scene.subject.store(), "x.snap", data_of(PIECES))

    def change(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])
        kept = {name: value for name, value in answer.headers.items() if name.lower() != "content-md5"}
        exchange.send(head(answer.status, {**kept, "Content-Length": str(len(body))}) + body)

    scene.between.on("GET", scene.path("x.snap"), pass_on, change, pass_on)
    with pytest.raises(StoreError, match=r"differ from those that were stored \(sha256"):
        read(scene.store(), "x.snap")


def test_a_blob_that_changes_while_it_is_read(scene: Scene) -> None:
    publish(scene.subject.store(), "x.snap", data_of(PIECES))

    def replace(exchange: Exchange) -> None:
        scene.subject.store().overwrite("x.snap", b"other" * MIB)
        pass_on(exchange)

    scene.between.on("GET", scene.path("x.snap"), pass_on, replace, pass_on)
    with pytest.raises(StoreError, match="changed meanwhile"):
        read(scene.store(), "x.snap")


DENIED = [
    ("r", lambda store: store.put_new("y.json", b"{}"), "w (write)"),
    ("c", lambda store: store.properties("x.json"), "r (read)"),
    ("c", lambda store: read(store, "x.json"), "r (read)"),
    ("rc", lambda store: list(store.list()), "l (list)"),
    ("rc", lambda store: store.remove("x.json"), "d (delete)"),
    ("rc", lambda store: store.overwrite("x.json", b"other"), "w (write)"),
]


@pytest.mark.parametrize(("has", "action", "needs"), DENIED, ids=[f"{row[0]}, {row[2]}" for row in DENIED])
def test_a_verb_that_is_denied_names_its_permission(
    scene: Scene, has: str, action: Callable[[Any], Any], needs: str
) -> None:
    scene.subject.store().put_new("x.json", b"{}")
    with pytest.raises(StoreError) as caught:
        action(scene.with_sas(has))
    assert caught.value.kind is FailureKind.STORE_DENIED
    assert needs in caught.value.hint
    assert scene.subject.objects() == {"x.json": b"{}"}


def test_a_token_that_may_write_alone_is_enough_to_publish(scene: Scene) -> None:
    # Blocks take w: what only creates (c) takes no blob in parts.
    data, store = data_of(PIECES), scene.with_sas("w")
    publish(store, "x.snap", data)
    with pytest.raises(StoreError) as caught:
        publish(store, "x.snap", b"other")
    assert caught.value.kind is FailureKind.STORE_EXISTS
    assert scene.subject.objects() == {"x.snap": data}


def test_a_token_that_has_expired(scene: Scene) -> None:
    now = datetime.datetime.now(datetime.UTC)
    with pytest.raises(StoreError, match="the SAS token expired at ") as caught:
        list(scene.with_sas("rcl", start=now - 2 * HOUR, expiry=now - HOUR).list())
    assert caught.value.kind is FailureKind.STORE_CREDENTIALS


@pytest.mark.parametrize("name", ["account_key", "sas_token", "connection_string"])
def test_wrong_credentials_are_not_shown(scene: Scene, name: str) -> None:
    secret = "d3Jvbmctc2VjcmV0LW9mLXRoZS10ZXN0cw=="
    server = scene.subject.server
    given = {
        "account_key": secret,
        "sas_token": scene.sas("rcl").partition("sig=")[0] + f"sig={secret}",
        "connection_string": f"AccountName={server.account};AccountKey={secret};BlobEndpoint={server.account_url}",
    }[name]
    url = {"account_url": None} if name == "connection_string" else {}
    with pytest.raises(StoreError) as caught:
        list(scene.subject.store(**{"account_key": None, **url, name: given}).list())
    assert caught.value.kind is FailureKind.STORE_CREDENTIALS
    assert secret not in caught.value.as_text()


def test_a_connection_string(scene: Scene) -> None:
    server = scene.subject.server
    text = f"AccountName={server.account};AccountKey={server.account_key};BlobEndpoint={server.account_url}"
    scene.subject.store(account_url=None, account_key=None, connection_string=text).put_new("x.json", b"{}")
    assert scene.subject.objects() == {"x.json": b"{}"}


def test_a_clock_that_is_wrong(scene: Scene) -> None:
    date = formatdate(time.time() - 3600, usegmt=True)
    scene.between.on("GET", scene.path(), refuses(403, "AuthenticationFailed", Date=date))
    with pytest.raises(StoreError) as caught:
        list(scene.store().list())
    assert caught.value.kind is FailureKind.STORE_CREDENTIALS
    assert "This host's clock is 60 minutes ahead" in caught.value.hint


def test_no_such_container(scene: Scene) -> None:
    store = opened("az://no-such-container/backups/", scene.subject.server.options())
    for action in (lambda: list(store.list()), lambda: store.put_new("x.json", b"{}"), lambda: store.remove("x.json")):
        with pytest.raises(StoreError, match="there is no container no-such-container") as caught:
            action()
        assert caught.value.kind is FailureKind.STORE_MISSING


@pytest.mark.parametrize("code", ["BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"])
def test_what_is_locked_or_held_is_not_removed(scene: Scene, code: str) -> None:
    # Azurite knows no immutability.
    scene.subject.store().put_new("x.json", b"{}")
    scene.between.on("DELETE", scene.path("x.json"), refuses(409, code))
    with pytest.raises(StoreError) as caught:
        scene.store().remove("x.json")
    assert caught.value.kind is FailureKind.STORE_LOCKED
    (remnant,) = scene.store().purge("x.json")
    assert remnant.name == "x.json"


def test_a_lock_is_asked_for_with_the_blob(scene: Scene) -> None:
    publish(scene.store(object_lock={"mode": "COMPLIANCE", "days": 30}), "x.snap", data_of(9))
    commit = [one for one in scene.between.requests if one.method == "PUT"][-1]
    assert "comp=blocklist" in commit.query
    assert commit.headers["x-ms-immutability-policy-mode"].lower() == "locked"
    until = parsedate_to_datetime(commit.headers["x-ms-immutability-policy-until-date"])
    assert until.timestamp() - time.time() == pytest.approx(30 * 86400, abs=600)


def test_a_store_without_legal_holds_says_so(scene: Scene) -> None:
    scene.subject.store().put_new("x.json", b"{}")
    with pytest.raises(StoreError, match="the store has no such feature"):
        scene.subject.store().hold("x.json", on=True)


def test_an_access_tier(scene: Scene) -> None:
    scene.subject.store(storage_class="Cool").put_new("x.json", b"{}")
    with scene.subject.server.client() as client:
        found = client.get_blob_client(scene.subject.bucket, f"{PREFIX}x.json").get_blob_properties()
    assert found.blob_tier == "Cool"


def test_a_ca_of_ones_own(server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = server("azurite", tls=True)
    subject = Subject(real, real.bucket())
    # What is set for other programs has no say in it.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    data = data_of(PIECES)
    publish(subject.store(), "x.snap", data)
    assert read(subject.store(ca_path=None, validate_certs=False), "x.snap") == data
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(StoreError, match="TLS: ") as caught:
        read(subject.store(ca_path=None), "x.snap")
    assert not caught.value.retryable
    assert "store.ca_path" in caught.value.hint
