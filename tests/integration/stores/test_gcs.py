# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong between this host and Google Cloud Storage: a small server spoils single answers of a real one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from contract import PREFIX, Subject, data_of, opened, publish, read
from support.answers import says, says_json
from support.faults import LOOPBACK, Answer, Exchange, Fault, FaultServer, head, pass_on

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError

MIB = 1 << 20
PIECES = 20
UPLOAD, OBJECTS = "upload", "objects"


def with_sessions_here(exchange: Exchange) -> None:
    """Pass on the beginning of an upload, whose other requests are to come here as well."""
    answer = exchange.ask_upstream()
    location = answer.headers.get("Location", "")
    here = f"http://{LOOPBACK}:{exchange.server.port}"
    answer.headers["Location"] = location.replace(f"http://{exchange.server.upstream}", here)
    exchange.send(head(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))}) + answer.body)


class Scene(NamedTuple):
    """A bucket of a real server, and a store that reaches it through the one that spoils answers."""

    subject: Subject
    between: FaultServer

    def store(self, **changed: Any) -> Any:
        """Open it."""
        changed = {"retries": 2, "timeout": 20, **changed, "endpoint_url": f"http://{LOOPBACK}:{self.between.port}"}
        return opened(self.subject.url, self.subject.server.options(**changed))

    def path(self, of: str) -> str:
        """Return what requests ask for: the uploads of the bucket, its list, or an object."""
        if of == UPLOAD:
            return f"/upload/storage/v1/b/{self.subject.bucket}/o"
        if of == OBJECTS:
            return f"/storage/v1/b/{self.subject.bucket}/o"
        return f"/storage/v1/b/{self.subject.bucket}/o/{quote(PREFIX + of, safe='')}"

    def bytes_of(self, name: str) -> str:
        """Return what a request for the bytes of an object asks for."""
        return f"/download{self.path(name)}"

    def sent(self, method: str, path: str) -> list[dict[str, str]]:
        """Return the headers of the requests."""
        return [one.headers for one in self.between.requests if (one.method, one.path) == (method, path)]


@pytest.fixture
def scene(server: Callable[..., Any]) -> Iterator[Scene]:
    """Return a fresh bucket behind a server that misbehaves when it is told to."""
    real = server("fake-gcs-server")
    with FaultServer(real.endpoint, keeps_host=True) as between:
        found = Scene(Subject(real, real.bucket()), between)
        between.on("POST", found.path(UPLOAD), with_sessions_here)
        yield found


def refuses(status: int, reason: str, message: str = "words of a store") -> Fault:
    """Return a fault: an answer of Google's kind."""
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return says_json({"error": error}, status)


def cut_in_the_request(exchange: Exchange) -> None:
    """Break the connection off in the midst of a block."""
    exchange.read_body(MIB)
    exchange.reset()


def lose_the_answer(exchange: Exchange) -> None:
    """Let the store do it, and break the connection off before its answer."""
    exchange.ask_upstream()
    exchange.reset()


class Session:
    """Answers as Google does when it is asked how much has arrived: fake-gcs-server publishes what it has then."""

    def __init__(self) -> None:
        self._stored = 0
        self._resource = b""

    def around(self, fault: Fault) -> Fault:
        """Return a fault that is for blocks alone."""

        def answer(exchange: Exchange) -> None:
            if exchange.request.headers["content-range"] != "bytes */*":
                ask = exchange.ask_upstream
                exchange.ask_upstream = lambda: self._note(exchange, ask())  # type: ignore[method-assign]
                fault(exchange)
            elif self._resource:
                exchange.send(head(200, {"Content-Length": str(len(self._resource))}) + self._resource)
            else:
                arrived = {"Range": f"bytes=0-{self._stored - 1}"} if self._stored else {}
                exchange.send(head(308, {"Content-Length": "0", **arrived}))

        return answer

    def _note(self, exchange: Exchange, answer: Answer) -> Answer:
        self._stored += len(exchange.body)
        self._resource = answer.body if answer.status == 200 else b""
        return answer


@pytest.mark.parametrize("trouble", [says(503), says(429, Retry_After="1"), cut_in_the_request, lose_the_answer])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_block_that_is_lost_is_sent_again_and_no_other(scene: Scene, trouble: Fault, at: int) -> None:
    data, session = data_of(PIECES), Session()
    scene.between.on("PUT", scene.path(UPLOAD), *map(session.around, [*[pass_on] * at, trouble, pass_on]))
    publish(scene.store(), "x.snap", data)
    assert scene.subject.objects() == {"x.snap": data}
    blocks = [one["content-range"] for one in scene.sent("PUT", scene.path(UPLOAD)) if one["content-length"] != "0"]
    # One of three blocks was sent again; none where only the answer was lost.
    assert len(blocks) == (3 if trouble is lose_the_answer else 4)


def test_it_gives_up_after_its_retries_and_leaves_nothing(scene: Scene) -> None:
    scene.between.on("PUT", scene.path(UPLOAD), pass_on, says(503))
    with pytest.raises(StoreError) as caught:
        publish(scene.store(), "x.snap", data_of(PIECES))
    assert caught.value.kind is FailureKind.STORE_UNAVAILABLE
    assert "HTTP 503" in caught.value.message
    assert scene.subject.objects() == {}
    # The first block, and the second one three times; the upload was given up in the end.
    assert len(scene.sent("PUT", scene.path(UPLOAD))) == 4
    assert len(scene.sent("DELETE", scene.path(UPLOAD))) == 1


def test_an_answer_that_is_lost_for_good_does_not_hide_the_object(scene: Scene) -> None:
    scene.between.on("PUT", scene.path(UPLOAD), lose_the_answer, says(503))
    scene.store().put_new("x.json", b"{}")
    assert scene.subject.objects() == {"x.json": b"{}"}


def test_the_object_of_another_writer_is_not_taken_for_the_own(scene: Scene) -> None:
    def other_first(exchange: Exchange) -> None:
        if not scene.subject.objects():
            scene.subject.store().put_new("x.json", b"{}")
        exchange.reset()

    scene.between.on("PUT", scene.path(UPLOAD), *map(Session().around, [other_first, pass_on]))
    with pytest.raises(StoreError) as caught:
        scene.store().put_new("x.json", b"{}")
    assert caught.value.kind is FailureKind.STORE_EXISTS


def test_a_read_that_is_cut_goes_on(scene: Scene) -> None:
    data = data_of(PIECES)
    publish(scene.subject.store(), "x.snap", data)

    def cut(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        exchange.send(head(answer.status, {**answer.headers, "Content-Length": str(len(answer.body))}))
        exchange.send(answer.body[: len(answer.body) // 2])
        exchange.reset()

    scene.between.on("GET", scene.bytes_of("x.snap"), pass_on, cut, says(503), pass_on)
    assert read(scene.store(), "x.snap") == data


def test_bytes_that_were_changed_on_the_way_are_refused(scene: Scene) -> None:
    publish(scene.subject.store(), "x.snap", data_of(PIECES))

    def change(exchange: Exchange) -> None:
        answer = exchange.ask_upstream()
        body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])
        exchange.send(head(answer.status, {**answer.headers, "Content-Length": str(len(body))}) + body)

    scene.between.on("GET", scene.bytes_of("x.snap"), pass_on, change, pass_on)
    with pytest.raises(StoreError, match=r"differ from those that were stored \(crc32c"):
        read(scene.store(), "x.snap")


def test_a_block_that_was_changed_on_the_way_is_not_left_there(scene: Scene) -> None:
    def change(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.body = exchange.body[:-1] + bytes([exchange.body[-1] ^ 1])
        pass_on(exchange)

    scene.between.on("PUT", scene.path(UPLOAD), pass_on, change, pass_on)
    with pytest.raises(StoreError, match="other bytes than were sent"):
        publish(scene.store(), "x.snap", data_of(PIECES))
    assert scene.subject.objects() == {}


def test_the_service_gets_the_checksum_before_it_publishes(scene: Scene) -> None:
    # fake-gcs-server looks at the one that is sent first, for a small object. Google refuses both if they are wrong.
    assert scene.store().accepts_wrong_checksum("canary", b"abc") is False
    assert scene.subject.objects() == {}
    scene.between.requests.clear()
    scene.store().put_new("x.json", b"abc")
    (request,) = scene.sent("PUT", scene.path(UPLOAD))
    assert request["x-goog-hash"] == f"crc32c={base64.b64encode(bytes.fromhex('364b3fb7')).decode()}"


DENIED = [
    ("POST", UPLOAD, lambda store: store.put_new("y.json", b"{}"), "storage.objects.create"),
    ("GET", "x.json", lambda store: store.properties("x.json"), "storage.objects.get"),
    ("GET", OBJECTS, lambda store: list(store.list()), "storage.objects.list"),
    ("DELETE", "x.json", lambda store: store.remove("x.json"), "storage.objects.delete"),
    ("PATCH", "x.json", lambda store: store.hold("x.json", on=True), "storage.objects.update"),
    ("PATCH", "x.json", lambda store: store.extend_lock("x.json"), "storage.objects.setRetention"),
]


@pytest.mark.parametrize(("method", "of", "action", "permission"), DENIED, ids=[row[3] for row in DENIED])
def test_a_verb_that_is_denied_names_its_permission(
    scene: Scene, method: str, of: str, action: Callable[[Any], Any], permission: str
) -> None:
    scene.subject.store().put_new("x.json", b"{}")
    scene.between.on(method, scene.path(of), refuses(403, "forbidden", "tests@x does not have access"))
    with pytest.raises(StoreError) as caught:
        action(scene.store(object_lock={"mode": "GOVERNANCE", "days": 1}))
    assert caught.value.kind is FailureKind.STORE_DENIED
    assert permission in caught.value.hint
    assert scene.subject.objects() == {"x.json": b"{}"}


@pytest.mark.parametrize("reason", ["retentionPolicyNotMet", "objectUnderActiveHold"])
def test_what_is_locked_or_held_is_not_removed(scene: Scene, reason: str) -> None:
    scene.subject.store().put_new("x.json", b"{}")
    scene.between.on("DELETE", scene.path("x.json"), refuses(403, reason))
    with pytest.raises(StoreError) as caught:
        scene.store().remove("x.json")
    assert caught.value.kind is FailureKind.STORE_LOCKED
    (remnant,) = scene.store().purge("x.json")
    assert remnant.name == "x.json"


def test_a_lock_is_asked_for_with_the_object(scene: Scene) -> None:
    store = scene.store(object_lock={"mode": "GOVERNANCE", "days": 30})
    publish(store, "x.snap", data_of(9))
    told = scene.subject.server.ask("GET", scene.path("x.snap")).json()
    assert told["retention"]["mode"] == "Unlocked"
    until = store.properties("x.snap").locked_until
    assert until is not None
    assert store.extend_lock("x.snap") == pytest.approx(until, abs=300)
    # One that ends later stays as it is.
    assert scene.store(object_lock={"mode": "COMPLIANCE", "days": 1}).extend_lock("x.snap") >= until
    scene.store(object_lock={"mode": "COMPLIANCE", "days": 1}).put_new("y.json", b"{}")
    assert scene.store().properties("y.json").lock_mode == "COMPLIANCE"


def test_no_such_bucket(scene: Scene) -> None:
    store = opened("gs://no-such-bucket/backups/", scene.subject.server.options())
    for action in (lambda: list(store.list()), lambda: store.put_new("x.json", b"{}")):
        with pytest.raises(StoreError, match="there is no bucket no-such-bucket") as caught:
            action()
        assert caught.value.kind is FailureKind.STORE_MISSING


def key_file(directory: Path, token_uri: str) -> Path:
    """Write the key file of a service account that Google does not know."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    content = {"type": "service_account", "client_email": "tests@example.test", "private_key_id": "1"}
    path = directory / "key.json"
    path.write_text(json.dumps({**content, "private_key": key.decode(), "token_uri": token_uri}), encoding="utf-8")
    return path


def test_a_service_account(scene: Scene, tmp_path: Path) -> None:
    with FaultServer() as tokens:
        key = key_file(tmp_path, f"http://{LOOPBACK}:{tokens.port}/token")
        tokens.on("POST", "/token", says_json({"access_token": "given", "expires_in": 3600, "token_type": "Bearer"}))
        scene.store(credentials_file=str(key)).put_new("x.json", b"{}")
        assert {one.headers["authorization"] for one in scene.between.requests} == {"Bearer given"}
        # What Google says to a clock that is wrong, and to a key that was withdrawn.
        told = {"error": "invalid_grant", "error_description": "Invalid JWT: check your iat and exp values"}
        tokens.on("POST", "/token", says_json(told, 400))
        with pytest.raises(StoreError) as caught:
            scene.store(credentials_file=str(key)).put_new("y.json", b"{}")
    assert caught.value.kind is FailureKind.STORE_CREDENTIALS
    assert "clock" in caught.value.hint
    assert scene.subject.objects() == {"x.json": b"{}"}


def test_a_token_that_is_refused(scene: Scene) -> None:
    scene.between.on("GET", scene.path(OBJECTS), refuses(401, "authError", "Invalid Credentials"))
    with pytest.raises(StoreError) as caught:
        list(scene.store().list())
    assert caught.value.kind is FailureKind.STORE_CREDENTIALS


def test_a_ca_of_ones_own(server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = server("fake-gcs-server", tls=True)
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
