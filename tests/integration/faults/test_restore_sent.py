# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong once a restore has sent the first byte; one case a row."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from support.answers import (
    answers_early,
    breaks_off,
    first_really,
    hangs_up,
    other,
    real,
    reset,
    says,
    sends,
    stalls,
    then_dies,
)
from support.archives import part_of
from support.faults import Exchange, Fault, FaultServer, pass_on
from support.scene import RESTORE, SNAPSHOT, Restoring
from support.states import kv, with_records

from lab import Cluster

pytestmark = pytest.mark.every_version

STANDS, NEW_STATE, DIFFERENT, GONE = "old state", "new state", "another state", "no answer"
LEADER_ACTIONS = "timed out waiting for re-run of leader actions"
EMPTY_PROVIDER = 'unknown CA provider ""'


class Row(NamedTuple):
    """A case: what the PUT gets, what a look at the cluster shows afterwards, and what the module says of it."""

    name: str
    answer: Fault
    look: str
    state: str
    cause: str
    looked: bool = True
    options: dict[str, Any] | None = None


def rejected(status: int, text: str, cause: str) -> Row:
    """An answer that says all by itself: it comes before anything is replaced."""
    return Row(f"{status} {text}".strip(), says(status, text), GONE, "rejected", cause, looked=False)


def told_apart(name: str, answer: Fault, cause: str, *, over: bool) -> Iterator[Row]:
    """An ending that can come before and after the state is replaced: only a look shows which.

    :param over: the servers themselves say that they are done. Otherwise they may still be about to replace it.
    """
    stands = "rejected" if over else "unknown"
    for look, state in ((STANDS, stands), (NEW_STATE, "replaced"), (DIFFERENT, "unknown"), (GONE, "unknown")):
        yield Row(f"{name}, {look}", answer, look, state, cause)


ROWS = (
    rejected(403, "Permission denied", "permission_denied"),
    rejected(403, "ACL not found", "token_unknown"),
    rejected(403, "Access is restricted", "write_restricted"),
    rejected(404, "404 page not found", "not_found"),
    rejected(413, "", "too_large"),
    rejected(429, "", "rate_limited"),
    rejected(500, "No path to datacenter", "unknown_datacenter"),
    rejected(500, "failed to decompress snapshot: gzip: invalid header", "bad_archive"),
    rejected(500, "failed to read snapshot file: failed to read or write snapshot data: unexpected EOF", "bad_archive"),
    rejected(500, 'failed checking integrity of snapshot: hash check failed for "meta.json"', "bad_archive"),
    Row("403 before the body", answers_early(403, "Permission denied"), GONE, "rejected", "permission_denied", False),
    *told_apart(f"500 {LEADER_ACTIONS}", says(500, LEADER_ACTIONS), "server_error", over=True),
    Row(f"500 {EMPTY_PROVIDER}", says(500, EMPTY_PROVIDER), NEW_STATE, "replaced", "server_error"),
    Row("503", says(503), STANDS, "rejected", "unavailable"),
    *told_apart("504 of a proxy", says(504), "unavailable", over=False),
    *told_apart("an agent lost the leader", says(500, "rpc error making call: EOF"), "no_quorum", over=False),
    Row("a redirect", says(307, Location="http://127.0.0.1:9/"), STANDS, "rejected", "redirected"),
    *told_apart("closed without an answer", hangs_up, "connection", over=False),
    Row("reset without an answer", reset, STANDS, "unknown", "connection"),
    Row("no answer for too long", stalls, STANDS, "unknown", "connection", options={"timeout": 2}),
    Row("another protocol", sends(b"SSH-2.0-OpenSSH_9.6\r\n"), STANDS, "unknown", "connection"),
)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_is_sent_once_and_says_what_stands(restoring: Restoring, server: FaultServer, archive: bytes, row: Row) -> None:
    looks = {
        STANDS: pass_on,
        NEW_STATE: other(restoring.src.read_bytes()),
        DIFFERENT: other(with_records(archive, [kv("written/meanwhile", b"")])),
        GONE: says(500, "No cluster leader"),
    }
    server.on(*SNAPSHOT, pass_on, looks[row.look])
    server.on(*RESTORE, row.answer)
    outcome = restoring.restore(**(row.options or {}))
    assert outcome.failed
    assert (outcome.failure["kind"], outcome.failure["state"]) == ("restore", row.state), outcome.result["msg"]
    assert outcome.failure["cause"]["kind"] == row.cause
    assert server.count(*RESTORE) == 1
    assert (server.count(*SNAPSHOT) > 1) == row.looked
    restoring.check_kept(outcome)


def test_a_look_that_is_cut_is_taken_again(restoring: Restoring, server: FaultServer) -> None:
    cut = real(lambda body: body[: len(body) // 2], framing="until closed")
    server.on(*SNAPSHOT, pass_on, cut, cut, pass_on)
    server.on(*RESTORE, says(500, LEADER_ACTIONS))
    outcome = restoring.restore()
    assert outcome.failure["state"] == "rejected", outcome.result["msg"]
    assert server.count(*SNAPSHOT) == 4
    assert server.count(*RESTORE) == 1


def test_the_server_dies(restoring: Restoring, server: FaultServer) -> None:
    server.on(*RESTORE, then_dies(hangs_up))
    outcome = restoring.restore()
    assert outcome.failure["state"] == "unknown"
    assert server.count(*RESTORE) == 1
    assert "may be dead" in outcome.result["msg"]
    # How to see it, and how to bring the old state back.
    assert "consul members" in outcome.failure["hint"]
    assert "raft/snapshots" in outcome.failure["hint"]
    restoring.check_kept(outcome)


def test_refused_when_it_is_to_be_sent(restoring: Restoring, server: FaultServer) -> None:
    server.on(*SNAPSHOT, then_dies(real(headers={"Connection": "close"})))
    outcome = restoring.restore()
    assert (outcome.failure["kind"], outcome.failure["state"]) == ("restore", "nothing_sent")
    assert "may be dead" not in outcome.result["msg"]
    assert server.count(*RESTORE) == 0
    restoring.check_kept(outcome)


EARLY = {
    "403": (answers_early(403, "Permission denied"), "rejected", "permission_denied"),
    "413": (answers_early(413, "request body too large"), "rejected", "too_large"),
    "a bad archive": (answers_early(500, "failed to decompress snapshot: EOF"), "rejected", "bad_archive"),
    "reset": (breaks_off(1 << 20), "unknown", "connection"),
    "stalled": (stalls, "unknown", "connection"),
}


@pytest.mark.parametrize(("answer", "state", "cause"), EARLY.values(), ids=EARLY)
def test_in_the_midst_of_the_upload(
    restoring: Restoring, server: FaultServer, huge: bytes, answer: Fault, state: str, cause: str
) -> None:
    restoring.use(huge)
    server.on(*RESTORE, answer)
    outcome = restoring.restore(timeout=2)
    assert outcome.failure["state"] == state
    assert outcome.failure["cause"]["kind"] == cause, outcome.result["msg"]
    assert server.count(*RESTORE) == 1
    restoring.check_kept(outcome)


@pytest.fixture
def content_again(consul: Cluster) -> Iterator[None]:
    """For a test that really restores: the cluster's content is the other tests' again afterwards."""
    path = "/v1/kv/app/later"
    value = consul.http("GET", f"{path}?raw").content
    yield
    consul.http("PUT", path, data=value, check=True)


@pytest.mark.usefixtures("content_again")
@pytest.mark.parametrize("answer", [says(500, LEADER_ACTIONS), hangs_up], ids=["500", "closed"])
def test_an_error_after_a_real_restore(restoring: Restoring, server: FaultServer, answer: Fault) -> None:
    server.on(*RESTORE, first_really(answer))
    outcome = restoring.restore()
    assert outcome.failure["state"] == "replaced"
    assert "holds the archive's state all the same" in outcome.result["msg"]
    assert server.count(*RESTORE) == 1
    restoring.check_kept(outcome)


@pytest.mark.usefixtures("content_again")
def test_what_is_sent(restoring: Restoring, server: FaultServer) -> None:
    sent: list[Exchange] = []

    def watched(exchange: Exchange) -> None:
        sent.append(exchange)
        pass_on(exchange)

    server.on(*RESTORE, watched)
    outcome = restoring.restore()
    assert outcome.result["proof"]["equal"]
    (put,) = sent
    assert put.body == restoring.src.read_bytes()
    assert put.request.headers["content-length"] == str(len(put.body))
    assert put.request.query == ""
    # Again: there is nothing left to do.
    again = restoring.restore()
    assert not again.result["changed"]
    assert server.count(*RESTORE) == 1


def test_a_yes_that_was_none(restoring: Restoring, server: FaultServer) -> None:
    server.on(*RESTORE, says(200, "<html>Welcome</html>"))
    outcome = restoring.restore(wait_timeout=1)
    assert outcome.failure["kind"] == "restore"
    assert outcome.failure["proof"]["differs"] == ["KVS"]
    restoring.check_kept(outcome)


def test_told_to_end_while_it_is_sent(restoring: Restoring, server: FaultServer) -> None:
    server.on(*RESTORE, stalls)
    process = restoring.start_restore()
    assert server.stalled.wait(20)
    process.send_signal(signal.SIGTERM)
    outcome = restoring.finish(process)
    assert (outcome.failure["kind"], outcome.failure["state"]) == ("interrupted", "unknown")
    assert outcome.result["backup_file"]
    assert server.count(*RESTORE) == 1


def test_the_safety_archive_is_what_the_server_sent(restoring: Restoring, server: FaultServer) -> None:
    sent: list[bytes] = []
    server.on(*SNAPSHOT, real(keep=sent.append))
    server.on(*RESTORE, says(403, "Permission denied"))
    outcome = restoring.restore()
    with open(outcome.result["backup_file"], "rb") as kept:
        assert kept.read() == sent[0]
    assert part_of(sent[0], "meta.json")
