# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what in a bucket, how it is reached, and what is said where that fails: on versitygw's own rules."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract import PREFIX, Subject, data_of, opened, publish, read

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import (
    FailureKind,
    OptionError,
    StoreError,
)

ACTIONS = [
    *("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ListBucket"),
    *("s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads", "s3:GetBucketVersioning", "s3:ListBucketVersions"),
    *("s3:PutObjectRetention", "s3:PutObjectLegalHold", "s3:GetBucketObjectLockConfiguration"),
]
SAVE_ONLY = ["s3:PutObject", "s3:GetObject", "s3:ListBucket"]


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Any]) -> Any:
    """Return a running versitygw."""
    return server("versitygw")


@pytest.fixture
def subject(gateway: Any) -> Subject:
    """Return a fresh bucket."""
    return Subject(gateway, gateway.bucket())


@pytest.mark.parametrize("pieces", [1, 10])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"secret_key": "not-the-secret"}, "does not know these credentials"),
        ({"access_key": "AKIDnobody"}, "does not know these credentials"),
        ({"session_token": "made-up-token"}, "session"),
    ],
    ids=["secret", "key", "token"],
)
def test_wrong_credentials(subject: Subject, wrong: dict[str, str], says: str, pieces: int) -> None:
    store = subject.store(**wrong)
    actions: list[Callable[[], Any]] = [
        lambda: publish(store, "x.snap", data_of(pieces)),
        lambda: store.properties("x.snap"),
        lambda: read(store, "x.snap"),
        lambda: list(store.list()),
    ]
    for action in actions:
        with pytest.raises(StoreError, match=says) as caught:
            action()
        assert (caught.value.kind, caught.value.retryable) == (FailureKind.STORE_CREDENTIALS, False)
        assert not [secret for secret in wrong.values() if secret in caught.value.as_text()]
    assert subject.objects() == {}


def test_credentials_of_the_sdks_own_chain(subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    config = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(config))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    options = subject.server.options(access_key=None, secret_key=None, retries=0)
    with pytest.raises(StoreError, match="there are no credentials") as caught:
        list(opened(subject.url, options).list())
    assert caught.value.kind == FailureKind.STORE_CREDENTIALS
    keys = f"aws_access_key_id = {subject.server.access_key}\naws_secret_access_key = {subject.server.secret_key}\n"
    config.write_text(f"[backups]\n{keys}", encoding="utf-8")
    opened(subject.url, {**options, "profile": "backups"}).put_new("x.json", b"{}")
    assert subject.objects() == {"x.json": b"{}"}
    with pytest.raises(OptionError, match="no such profile"):
        opened(subject.url, {**options, "profile": "nobody"})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", subject.server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", subject.server.secret_key)
    assert [item.name for item in opened(subject.url, options).list()] == ["x.json"]


def without(subject: Subject, action: str) -> Any:
    """Open the store as one who may do all but one thing."""
    keys = subject.server.user(subject.bucket, *(one for one in ACTIONS if one != action))
    return subject.store(**keys)


WRITE: dict[str, Callable[[Any], Any]] = {
    "small": lambda store: publish(store, "y.snap", b"small"),
    "parts": lambda store: publish(store, "y.snap", data_of(10)),
    "put_new": lambda store: store.put_new("y.json", b"{}"),
}
VERBS: list[tuple[str, str, Callable[[Any], Any]]] = [
    *((f"write {name}", "s3:PutObject", action) for name, action in WRITE.items()),
    ("read", "s3:GetObject", lambda store: read(store, "x.snap")),
    ("properties", "s3:GetObject", lambda store: store.properties("x.snap")),
    ("list", "s3:ListBucket", lambda store: list(store.list())),
    ("remove", "s3:DeleteObject", lambda store: store.remove("x.snap")),
    ("versioning", "s3:GetBucketVersioning", lambda store: store.versioning()),
]


@pytest.mark.parametrize(("action", "do"), [verb[1:] for verb in VERBS], ids=[verb[0] for verb in VERBS])
def test_each_verb_names_the_permission_that_is_missing(
    subject: Subject, action: str, do: Callable[[Any], Any]
) -> None:
    publish(subject.store(), "x.snap", b"there")
    with pytest.raises(StoreError) as caught:
        do(without(subject, action))
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.STORE_DENIED, False)
    assert f"The credentials need {action}" in caught.value.hint
    assert subject.objects() == {"x.snap": b"there"}


def test_credentials_that_save_can_do_no_more(subject: Subject) -> None:
    keys = subject.server.user(subject.bucket, *SAVE_ONLY)
    store, data = subject.store(**keys), data_of(10)
    publish(store, "x.snap", data)
    store.put_new("x.snap.manifest.json", b"{}")
    assert read(store, "x.snap") == data
    # Uploads that were left behind are another's to clean: nothing fails for it.
    assert list(store.clean()) == []
    with pytest.raises(StoreError) as caught:
        store.remove("x.snap")
    assert caught.value.kind == FailureKind.STORE_DENIED
    with pytest.raises(StoreError) as caught:
        publish(store, "x.snap", data_of(10, "other"))
    assert caught.value.kind == FailureKind.STORE_EXISTS
    assert subject.objects() == {"x.snap": data, "x.snap.manifest.json": b"{}"}


def test_a_writer_that_may_not_abandon_still_fails_with_its_own_reason(subject: Subject) -> None:
    publish(subject.store(), "x.snap", b"there")
    with pytest.raises(StoreError) as caught:
        publish(without(subject, "s3:AbortMultipartUpload"), "x.snap", data_of(10))
    assert caught.value.kind == FailureKind.STORE_EXISTS


def test_a_bucket_that_is_not_there(gateway: Any) -> None:
    store = opened(f"s3://no-such-bucket-here/{PREFIX}", gateway.options(retries=0))
    actions: list[Callable[[], Any]] = [
        lambda: publish(store, "x.snap", b"small"),
        lambda: publish(store, "x.snap", data_of(10)),
        lambda: store.properties("x.snap"),
        lambda: read(store, "x.snap"),
        lambda: list(store.list()),
        store.versioning,
    ]
    for action in actions:
        with pytest.raises(StoreError, match="there is no such bucket") as caught:
            action()
        assert caught.value.kind == FailureKind.STORE_MISSING


def test_tls_with_a_ca_of_your_own(server: Callable[..., Any], tmp_path: Path) -> None:
    secure = server("versitygw", tls=True)
    subject = Subject(secure, secure.bucket())
    data = data_of(10)
    publish(subject.store(), "x.snap", data)
    assert subject.objects() == {"x.snap": data}
    assert read(subject.store(), "x.snap") == data
    with pytest.raises(StoreError, match="TLS: ") as caught:
        list(subject.store(ca_path=None).list())
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.STORE, False)
    assert "store.ca_path" in caught.value.hint
    assert [item.name for item in subject.store(ca_path=None, validate_certs=False).list()] == ["x.snap"]
    with pytest.raises(OptionError, match="ca_path"):
        subject.store(ca_path=str(tmp_path / "nowhere.pem"))
    # Plain HTTP where TLS is spoken, and the other way round.
    with pytest.raises(StoreError):
        list(subject.store(endpoint_url=secure.endpoint.replace("https:", "http:"), retries=0).list())


def test_tls_where_none_is_spoken(subject: Subject) -> None:
    with pytest.raises(StoreError, match="TLS: "):
        list(subject.store(endpoint_url=subject.server.endpoint.replace("http:", "https:"), retries=0).list())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"secret_key": None}, "access_key and secret_key"),
        ({"access_key": None, "secret_key": None, "session_token": "x"}, "session_token"),
        ({"endpoint_url": "http://user:password@127.0.0.1:1"}, "endpoint_url"),
        ({"endpoint_url": "nonsense"}, "endpoint_url"),
    ],
)
def test_options_that_do_not_fit(subject: Subject, options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError) as caught:
        subject.store(**options)
    assert says in caught.value.as_text()
    assert "password" not in caught.value.as_text()
