# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot as it streams in: what is kept, what is refused, and in which words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers import CHUNKED, send_framed
from support.faults import Exchange, Fault, FaultServer
from support.states import archive_around, incompressible, kv, state_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._consul.client import Client, Connection
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError, StaleError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.identity import ClusterIdentity
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.capture import (
    Capture,
    Sink,
    capture,
    named_after,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._storage.backends.local import LocalStore
from ansible_collections.disaster_recovery.consul.plugins.module_utils._system.atomic_files import Digest

ARCHIVE = archive_around(state_of([kv("a", b"b")]), index=42)
LONG = archive_around(state_of(incompressible(3_000_000)), index=42)
SNAPSHOT = ("GET", "/v1/snapshot")


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as ready:
        yield ready


def sends(body: bytes, **headers: str) -> Fault:
    def fault(exchange: Exchange) -> None:
        told = {f"X-Consul-{name.replace('_', '-')}": value for name, value in headers.items()}
        send_framed(exchange, 200, told, body, framing=CHUNKED, announced=len(body))

    return fault


def captured(server: FaultServer, sink: Sink | None = None, **options: object) -> Capture:
    client = Client(Connection(host="127.0.0.1", port=server.port, timeout=5))
    return capture(client, sink, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [ARCHIVE, LONG], ids=["short", "long"])
def test_what_was_sent_is_what_is_kept(server: FaultServer, tmp_path: Path, body: bytes) -> None:
    server.on(*SNAPSHOT, sends(body, Index="42", LastContact="7", KnownLeader="true"))
    with LocalStore.at(str(tmp_path)).writer() as writer:
        # What an earlier try left is not part of it.
        writer.write(b"half of an archive")
        taken = captured(server, writer)
        assert Path(writer.file.path).read_bytes() == body
    assert taken.digest == Digest(len(body), hashlib.sha256(body).hexdigest())
    assert (taken.headers.index, taken.headers.last_contact_ms, taken.headers.known_leader) == (42, 7, True)
    assert taken.archive.meta.index == 42
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_kept_where_nothing_is_to_be(server: FaultServer) -> None:
    server.on(*SNAPSHOT, sends(ARCHIVE))
    assert captured(server).digest == Digest(len(ARCHIVE), hashlib.sha256(ARCHIVE).hexdigest())


@pytest.mark.parametrize(
    ("body", "fault", "hint"),
    [
        (b"<html>", "not_gzip", "no proxy responds instead"),
        (ARCHIVE[:-200], "truncated", "The response is incomplete"),
        (ARCHIVE + b"error", "trailing", "when a save fails late"),
        (ARCHIVE[:40] + bytes(8) + ARCHIVE[48:], "gzip", "damaged on its way"),
    ],
    ids=["a page", "cut", "an error at the end", "damaged"],
)
def test_advice_is_for_an_answer_not_for_a_file(server: FaultServer, body: bytes, fault: str, hint: str) -> None:
    server.on(*SNAPSHOT, sends(body))
    with pytest.raises(ArchiveError) as caught:
        captured(server)
    assert caught.value.fault == fault
    assert hint in caught.value.hint


def test_another_archive_than_announced(server: FaultServer) -> None:
    server.on(*SNAPSHOT, sends(ARCHIVE, Index="43"))
    with pytest.raises(ArchiveError, match=r"index 43 .* has 42") as caught:
        captured(server)
    assert caught.value.fault == "index"


@pytest.mark.parametrize(
    ("contact", "max_stale", "refused"),
    [("7", None, ""), ("7", 7, ""), ("8", 7, "8 ms ago, and max_stale is 7"), ("", 7, "does not say how stale")],
)
def test_max_stale(server: FaultServer, contact: str, max_stale: int | None, refused: str) -> None:
    server.on(*SNAPSHOT, sends(ARCHIVE, LastContact=contact))
    if not refused:
        assert captured(server, stale=True, max_stale=max_stale).archive.meta.index == 42
        return
    with pytest.raises(StaleError, match=refused):
        captured(server, stale=True, max_stale=max_stale)


def test_max_stale_is_nothing_to_a_leaders_answer(server: FaultServer) -> None:
    server.on(*SNAPSHOT, sends(ARCHIVE, LastContact="8"))
    assert captured(server, max_stale=7).headers.last_contact_ms == 8


class Named:
    """A sink that notes under which names it was begun, and what it was given since."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.data = b""

    def restart(self, name: str) -> None:
        self.names.append(name)
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def sync(self) -> None:
        pass


def test_an_archive_has_its_name_before_its_first_byte(server: FaultServer) -> None:
    sink = Named()
    cluster = ClusterIdentity("dc1", None, None)
    server.on(*SNAPSHOT, sends(ARCHIVE, Index="42"), sends(ARCHIVE, Index="42"), sends(ARCHIVE))
    captured(server, sink, name_of=named_after(cluster))
    captured(server, sink, name_of=named_after(cluster, 2))
    assert sink.data == ARCHIVE
    # Without a name of its own, and without an index in the answer.
    captured(server, sink, datacenter="dc2")
    patterns = (r"dc1-\d{8}T\d{6}Z-42[.]snap", r"dc1-\d{8}T\d{6}Z-42-2[.]snap", r"dc2-\d{8}T\d{6}Z-0[.]snap")
    assert len(sink.names) == len(patterns)
    for name, pattern in zip(sink.names, patterns):
        assert re.fullmatch(pattern, name), name
