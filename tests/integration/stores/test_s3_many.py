# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many small objects in a bucket: how many requests they cost, and that the short way past the SDK means the same."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import opened
from support.calls import Calls
from support.faults import LOOPBACK, Exchange, Fault, FaultServer, head, pass_on
from support.stores import VersityGw

from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import FailureKind, StoreError
from lab import Cluster

MANIFEST = ".manifest.json"
PREFIX = "backups/"


@pytest.fixture
def s3(server: Callable[..., Any]) -> VersityGw:
    """A running versitygw."""
    gateway: VersityGw = server(VersityGw.name)
    return gateway


@pytest.fixture
def between(s3: VersityGw) -> Iterator[FaultServer]:
    """What counts requests to it, and spoils answers."""
    with FaultServer(s3.endpoint, keeps_host=True) as counting:
        yield counting


@pytest.fixture(scope="module")
def saved(
    shared_cluster: Callable[..., Cluster], calls: Calls, tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, dict[str, Any]]:
    """An archive of a real cluster, and its manifest."""
    cluster = shared_cluster(name_prefix="counted")
    cluster.http("PUT", "/v1/kv/a", data="1", check=True)
    path = Path(
        calls.ok(cluster, "snapshot_save", dest=f"{tmp_path_factory.mktemp('counted')}/", cluster="one")["dest"]
    )
    return path.read_bytes(), json.loads(path.with_name(path.name + MANIFEST).read_bytes())


def fill(s3: VersityGw, bucket: str, saved: tuple[bytes, dict[str, Any]], count: int) -> None:
    """Put archives of so many hours into a bucket."""
    archive, manifest = saved
    client, begin = s3.client(), datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    for number in range(count):
        name, when = f"{number:04}.snap", f"{begin + datetime.timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}"
        told = {**manifest, "taken_at": when, "confirmed_at": when}
        client.put_object(Bucket=bucket, Key=PREFIX + name, Body=archive)
        client.put_object(Bucket=bucket, Key=PREFIX + name + MANIFEST, Body=json.dumps(told))


def options_for(s3: VersityGw, between: FaultServer, **changed: Any) -> dict[str, Any]:
    """Return the option ``store`` that leads through the server that counts."""
    return s3.options(endpoint_url=f"http://{LOOPBACK}:{between.port}", **changed)


def test_requests_grow_with_the_archives_and_not_faster(
    s3: VersityGw, between: FaultServer, calls: Calls, saved: tuple[bytes, dict[str, Any]]
) -> None:
    counted: dict[int, dict[str, Counter[str]]] = {}
    of_bucket: dict[str, set[int]] = {}
    for size in (20, 40):
        bucket = s3.bucket()
        fill(s3, bucket, saved, size)
        told: dict[str, Any] = {"path": s3.url(bucket, PREFIX), "store": options_for(s3, between)}
        pruned = {**told, "keep_last": size // 2}
        for what, act in (
            ("list", lambda told=told: calls.ok(None, "snapshot_list", **told)),
            ("check", lambda told=pruned: calls.ok(None, "snapshot_prune", check=True, **told)),
            ("prune", lambda told=pruned: calls.ok(None, "snapshot_prune", **told)),
        ):
            before = len(between.requests)
            act()
            asked = between.requests[before:]
            counted.setdefault(size, {})[what] = Counter(one.method for one in asked if one.path != f"/{bucket}")
            of_bucket.setdefault(what, set()).add(sum(one.path == f"/{bucket}" for one in asked))
        assert len(s3.objects(bucket)) == size
    # Pages of lists, and questions about the bucket.
    assert of_bucket == {"list": {1}, "check": {3}, "prune": {4}}
    for size, by_action in counted.items():
        # One for each manifest; the newest archive's properties; two for each archive that goes.
        assert by_action["list"] == {"GET": size}
        assert by_action["check"] == {"GET": size, "HEAD": 1}
        assert by_action["prune"] == {"GET": size, "HEAD": 1, "DELETE": size}


def spoiled(change: Callable[[bytes], bytes], *, status: int | None = None) -> Fault:
    """Return a fault: the real answer, with another body or status."""

    def fault(exchange: Exchange) -> None:
        real = exchange.ask_upstream()
        body = change(real.body)
        exchange.send(head(status or real.status, {**real.headers, "Content-Length": str(len(body))}) + body)

    return fault


def cut(exchange: Exchange) -> None:
    """Send half of an object, and end the connection."""
    real = exchange.ask_upstream()
    exchange.send(head(real.status, {**real.headers, "Content-Length": str(len(real.body))}) + real.body[:2])
    exchange.reset()


NAMES = ["a.snap.manifest.json", "with space+plus%percent~ü&x=y;z.json", "(brackets)'quote'!*$,:@.json"]


def test_what_is_read_the_short_way_is_what_is_there(s3: VersityGw, between: FaultServer) -> None:
    bucket = s3.bucket()
    store = opened(s3.url(bucket, PREFIX), options_for(s3, between))
    for name in NAMES:
        store.put_new(name, name.encode())
    for _again in range(2):
        assert [store.read_small(name, 100) for name in NAMES] == [name.encode() for name in NAMES]
    assert store.read_small(NAMES[1], 4) == b"with"
    agents = [one.headers["user-agent"] for one in between.requests if one.method == "GET"]
    # The SDK's own way is to be seen by a header that it adds to each request.
    by_sdk = [one for one in between.requests if one.method == "GET" and "amz-sdk-invocation-id" in one.headers]
    assert (len(by_sdk), len(agents), len(set(agents))) == (1, 7, 1)
    for name in NAMES:
        store.remove(name)
    assert s3.objects(bucket) == {}


@pytest.mark.parametrize(
    "fault",
    [cut, spoiled(lambda body: b"X" + body[1:]), spoiled(lambda body: body, status=503)],
    ids=["cut", "damaged", "busy"],
)
def test_an_answer_that_is_spoiled_once_is_asked_for_again(s3: VersityGw, between: FaultServer, fault: Fault) -> None:
    bucket = s3.bucket()
    store = opened(s3.url(bucket, PREFIX), options_for(s3, between, retries=1))
    for name in NAMES[:2]:
        store.put_new(name, b"the bytes")
    assert store.read_small(NAMES[1], 100) == b"the bytes"
    between.on("GET", f"/{bucket}/{PREFIX}{NAMES[0]}", fault, pass_on)
    assert store.read_small(NAMES[0], 100) == b"the bytes"
    assert between.count("GET", f"/{bucket}/{PREFIX}{NAMES[0]}") == 2


def test_bytes_that_stay_damaged_are_refused(s3: VersityGw, between: FaultServer) -> None:
    bucket = s3.bucket()
    store = opened(s3.url(bucket, PREFIX), options_for(s3, between))
    for name in NAMES[:2]:
        store.put_new(name, b"the bytes")
    store.read_small(NAMES[1], 100)
    between.on("GET", f"/{bucket}/{PREFIX}{NAMES[0]}", spoiled(lambda body: b"X" + body[1:]))
    with pytest.raises(StoreError, match="differ from those that were stored"):
        store.read_small(NAMES[0], 100)


def test_what_is_missing_or_denied_is_told_as_ever(s3: VersityGw) -> None:
    bucket = s3.bucket()
    keys = s3.user(bucket, "s3:PutObject", "s3:ListBucket", "s3:GetObject")
    store = opened(s3.url(bucket, PREFIX), s3.options(**keys))
    store.put_new("a", b"1")
    store.read_small("a", 10)
    with pytest.raises(StoreError) as missing:
        store.read_small("b", 10)
    assert missing.value.kind is FailureKind.STORE_MISSING
    with pytest.raises(StoreError) as denied:
        store.remove("a")
    assert denied.value.kind is FailureKind.STORE_DENIED
    assert "s3:DeleteObject" in f"{denied.value.message} {denied.value.hint}"
    store.remove("b")


def test_what_is_removed_from_a_bucket_with_versions_leaves_none(s3: VersityGw) -> None:
    bucket = s3.bucket(versioning=True)
    store = opened(s3.url(bucket, PREFIX), s3.options())
    for name in ("a", "b"):
        store.put_new(name, b"1")
        assert store.read_small(name, 10) == b"1"
    store.remove("a")
    told = s3.client().list_object_versions(Bucket=bucket)
    assert [one["Key"] for one in told["Versions"]] == [f"{PREFIX}b"]
    assert "DeleteMarkers" not in told
    assert hashlib.sha256(s3.objects(bucket)[f"{PREFIX}b"]).hexdigest() == hashlib.sha256(b"1").hexdigest()
