# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between this host and an S3 store: a small server spoils single answers of a real one."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import botocore.auth
import pytest
from contract import PREFIX, Subject, data_of, opened, publish, read
from support.faults import LOOPBACK, Exchange, Fault, FaultServer, head, pass_on

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError

MIB = 1 << 20
PIECES = 20


class Scene(NamedTuple):
    """A bucket of a real server, and a store that reaches it through the one that spoils answers."""

    subject: Subject
    between: FaultServer

    def store(self, **changed: Any) -> Any:
        """Open it."""
        changed = {"retries": 1, "timeout": 20, **changed, "endpoint_url": f"http://{LOOPBACK}:{self.between.port}"}
        return opened(self.subject.url, self.subject.server.options(**changed))

    def path(self, name: str) -> str:
        """Return what requests about an object ask for."""
        return f"/{self.subject.bucket}/{PREFIX}{name}"

    def on(self, method: str, name: str, *faults: Fault) -> None:
        """Spoil answers about an object."""
        self.between.on(method, self.path(name), *faults)

    def count(self, method: str, name: str) -> int:
        """Return how many requests there were."""
        return self.between.count(method, self.path(name))


@pytest.fixture
def scene(server: Callable[..., Any]) -> Iterator[Scene]:
    """Return a fresh bucket behind a server that misbehaves when it is told to."""
    real = server("versitygw")
    with FaultServer(real.endpoint, keeps_host=True) as between:
        yield Scene(Subject(real, real.bucket()), between)


def answer(status: int, code: str, **headers: str) -> Fault:
    """Return a fault: an answer of S3's kind, after the whole request."""

    def fault(exchange: Exchange) -> None:
        exchange.read_body()
        body = f"<Error><Code>{code}</Code><Message>words of a store</Message></Error>".encode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        exchange.send(
            head(status, {"Content-Type": "application/xml", "Content-Length": str(len(body)), **told}) + body
        )

    return fault


def cut_in_the_request(exchange: Exchange) -> None:
    """Break the connection off in the midst of a part."""
    exchange.read_body(MIB)
    exchange.reset()


def lose_the_answer(exchange: Exchange) -> None:
    """Let the store do it, and break the connection off before its answer."""
    exchange.ask_upstream()
    exchange.reset()


def cut_in_the_answer(exchange: Exchange) -> None:
    """Send half of an object."""
    real = exchange.ask_upstream()
    exchange.send(head(real.status, {**real.headers, "Content-Length": str(len(real.body))}))
    exchange.send(real.body[: len(real.body) // 2])
    exchange.hang_up()
    exchange.connection.close()


def damage_the_request(exchange: Exchange) -> None:
    """Change one byte of a part."""
    exchange.read_body()
    exchange.body = exchange.body[:1000] + bytes([exchange.body[1000] ^ 1]) + exchange.body[1001:]
    pass_on(exchange)


def damage_the_answer(exchange: Exchange) -> None:
    """Change one byte of an object."""
    real = exchange.ask_upstream()
    place = len(real.body) - 1
    body = real.body[:place] + bytes([real.body[place] ^ 1])
    exchange.send(head(real.status, {**real.headers, "Content-Length": str(len(body))}) + body)


@pytest.mark.parametrize(
    "fault",
    [
        answer(503, "SlowDown"),
        answer(429, "TooManyRequests"),
        answer(500, "InternalError"),
        answer(400, "RequestTimeout"),
        cut_in_the_request,
        damage_the_request,
    ],
    ids=["SlowDown", "429", "500", "RequestTimeout", "cut", "damaged"],
)
def test_a_part_that_fails_is_sent_again(scene: Scene, fault: Fault) -> None:
    data = data_of(PIECES)
    scene.on("PUT", "x.snap", pass_on, fault, pass_on)
    publish(scene.store(), "x.snap", data)
    assert scene.subject.objects() == {"x.snap": data}
    # Three parts, and one of them twice.
    assert scene.count("PUT", "x.snap") == 4
    assert scene.subject.server.uploads(scene.subject.bucket) == []


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_stays_busy_is_given_up_after_the_retries(scene: Scene, method: str) -> None:
    scene.on(method, "x.snap", answer(503, "SlowDown"))
    with pytest.raises(StoreError, match="busy") as caught:
        publish(scene.store(retries=2), "x.snap", data_of(PIECES))
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.STORE_UNAVAILABLE, True)
    assert scene.count(method, "x.snap") == 3
    assert scene.subject.objects() == {}
    assert scene.subject.server.uploads(scene.subject.bucket) == []


def test_a_busy_store_says_how_long_to_wait(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends import attempts

    waits: list[float] = []
    monkeypatch.setattr(attempts.attempt, "__kwdefaults__", {"pause": waits.append})
    scene.on("PUT", "x.json", answer(503, "SlowDown", Retry_After="7"), answer(503, "SlowDown"), pass_on)
    scene.store(retries=5).put_new("x.json", b"{}")
    assert waits[0] == 7.0
    assert 1.0 <= waits[1] <= 1.5
    assert scene.subject.objects() == {"x.json": b"{}"}


@pytest.mark.parametrize(("method", "pieces"), [("POST", PIECES), ("PUT", 1)])
def test_an_object_whose_answer_was_lost_is_known_as_our_own(scene: Scene, method: str, pieces: int) -> None:
    data = data_of(pieces)
    faults = [pass_on, lose_the_answer, pass_on] if method == "POST" else [lose_the_answer, pass_on]
    scene.on(method, "x.snap", *faults)
    assert publish(scene.store(), "x.snap", data) == "x.snap"
    assert scene.subject.objects() == {"x.snap": data}
    # The second request was refused: it was there already.
    assert scene.count(method, "x.snap") == len(faults)


@pytest.mark.parametrize(("method", "pieces"), [("POST", PIECES), ("PUT", 1)])
def test_somebody_elses_object_is_not_taken_for_our_own(scene: Scene, method: str, pieces: int) -> None:
    scene.subject.store().put_new("x.snap", b"of another writer")
    scene.on(method, "x.snap", *([pass_on] if method == "POST" else []), lose_the_answer, pass_on)
    with pytest.raises(StoreError) as caught:
        publish(scene.store(), "x.snap", data_of(pieces))
    assert caught.value.kind == FailureKind.STORE_EXISTS
    assert scene.subject.objects() == {"x.snap": b"of another writer"}


@pytest.mark.parametrize("start", [0, 5 * MIB])
def test_a_read_that_is_cut_goes_on_where_it_was(scene: Scene, start: int) -> None:
    data = data_of(PIECES)
    publish(scene.subject.store(), "x.snap", data)
    scene.on("GET", "x.snap", cut_in_the_answer, answer(503, "SlowDown"), cut_in_the_answer, pass_on)
    assert read(scene.store(retries=3), "x.snap", start=start) == data[start:]
    assert scene.count("GET", "x.snap") == 4
    asked = [request.headers for request in scene.between.requests if request.method == "GET"]
    # One version all along.
    assert len({headers.get("if-match") for headers in asked[1:]}) == 1
    assert None not in {headers.get("if-match") for headers in asked[1:]}


def test_a_store_that_ignores_ranges_is_read_all_the_same(scene: Scene) -> None:
    data = data_of(PIECES)
    publish(scene.subject.store(), "x.snap", data)

    def all_of_it(exchange: Exchange) -> None:
        # The range is signed: the real server can't be asked without it.
        exchange.read_body()
        exchange.send(head(200, {"Content-Length": str(len(data)), "ETag": '"1"'}) + data)

    scene.on("GET", "x.snap", all_of_it)
    assert read(scene.store(), "x.snap", start=5 * MIB + 1) == data[5 * MIB + 1 :]


def test_a_read_that_is_cut_again_and_again_is_given_up(scene: Scene) -> None:
    publish(scene.subject.store(), "x.snap", data_of(3))

    def nothing_but_the_head(exchange: Exchange) -> None:
        real = exchange.ask_upstream()
        exchange.send(head(real.status, {**real.headers, "Content-Length": str(len(real.body))}) + real.body[:10])
        exchange.connection.close()
        exchange.hang_up()

    scene.on("GET", "x.snap", nothing_but_the_head)
    with pytest.raises(StoreError) as caught:
        read(scene.store(retries=2), "x.snap")
    assert caught.value.kind == FailureKind.STORE_UNAVAILABLE
    assert scene.count("GET", "x.snap") == 3


@pytest.mark.parametrize("pieces", [1, PIECES])
def test_a_byte_that_changed_on_its_way_is_noticed(scene: Scene, pieces: int) -> None:
    publish(scene.subject.store(), "x.snap", data_of(pieces))
    scene.on("GET", "x.snap", damage_the_answer)
    with pytest.raises(StoreError, match="differ from those that were stored"):
        read(scene.store(), "x.snap")


@pytest.mark.parametrize("pieces", [1, PIECES])
def test_a_byte_that_changed_in_the_store_is_noticed(scene: Scene, pieces: int) -> None:
    subject = scene.subject
    publish(subject.store(), "x.snap", data_of(pieces))
    file = subject.server.directory / "data" / subject.bucket / PREFIX / "x.snap"
    with file.open("r+b") as handle:
        handle.seek(-1, 2)
        handle.write(b"?")
    assert file.read_bytes()[-1:] == b"?"
    with pytest.raises(StoreError, match="differ from those that were stored"):
        read(subject.store(), "x.snap")


def test_an_object_that_is_replaced_meanwhile_is_not_mixed(scene: Scene) -> None:
    store, subject = scene.store(), scene.subject
    publish(subject.store(), "x.snap", data_of(PIECES))

    def replace(exchange: Exchange) -> None:
        cut_in_the_answer(exchange)
        subject.server.client().put_object(Bucket=subject.bucket, Key=f"{PREFIX}x.snap", Body=data_of(PIECES, "other"))

    scene.on("GET", "x.snap", replace, pass_on)
    with pytest.raises(StoreError, match="was replaced while it was read"):
        read(store, "x.snap")


def test_another_region_is_named(scene: Scene) -> None:
    refuse = answer(301, "PermanentRedirect", x_amz_bucket_region="eu-central-1")
    for method in ("GET", "HEAD"):
        scene.between.on(method, f"/{scene.subject.bucket}", refuse)
    scene.on("PUT", "x.json", refuse)
    with pytest.raises(StoreError) as caught:
        scene.store().put_new("x.json", b"{}")
    assert "in another region" in caught.value.message
    assert caught.value.hint == "Set store.region to eu-central-1."


def test_an_expired_session_is_named(scene: Scene) -> None:
    scene.on("PUT", "x.json", answer(400, "ExpiredToken"))
    with pytest.raises(StoreError, match="has expired") as caught:
        scene.store(session_token="gone").put_new("x.json", b"{}")
    assert caught.value.kind == FailureKind.STORE_CREDENTIALS
    assert scene.count("PUT", "x.json") == 1
    assert "gone" not in caught.value.as_text()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_named(scene: Scene, hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import datetime

    real = botocore.auth.get_current_datetime

    def off(*arguments: Any, **keywords: Any) -> Any:
        return real(*arguments, **keywords) + datetime.timedelta(hours=hours)

    monkeypatch.setattr(botocore.auth, "get_current_datetime", off)
    with pytest.raises(StoreError, match="clock and the store's differ") as caught:
        scene.subject.store().put_new("x.json", b"{}")
    assert caught.value.kind == FailureKind.STORE_CREDENTIALS
    assert "Correct the time of this host" in caught.value.hint


def test_an_answer_that_is_not_s3s_is_no_answer(scene: Scene) -> None:
    def web_page(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(head(200, {"Content-Type": "text/html", "Content-Length": "15"}) + b"<html>hi</html>")

    scene.between.on("GET", f"/{scene.subject.bucket}", web_page)
    with pytest.raises(StoreError, match="not a listing") as caught:
        list(scene.store().list())
    assert "store.endpoint_url" in caught.value.hint


def test_a_listing_without_an_end_is_left(scene: Scene) -> None:
    page = (
        b"<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>"
        b"<KeyCount>0</KeyCount></ListBucketResult>"
    )

    def again(exchange: Exchange) -> None:
        exchange.send(head(200, {"Content-Type": "application/xml", "Content-Length": str(len(page))}) + page)

    scene.between.on("GET", f"/{scene.subject.bucket}", again)
    with pytest.raises(StoreError, match="does not come to an end"):
        list(scene.store().list())


def test_nobody_listens(scene: Scene) -> None:
    scene.between.stop_listening()
    with pytest.raises(StoreError) as caught:
        scene.store().put_new("x.json", b"{}")
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.STORE_UNAVAILABLE, True)
    assert http.client.responses[503] not in caught.value.message
