# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_restore while others write: what they wrote since is told apart, and what is truly missing is not."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.answers import after, first_really, says
from support.calls import Calls
from support.faults import Exchange, Fault, FaultServer
from support.records import without
from support.scene import RESTORE, manifest_of
from support.waiting import wait_until

from lab import Cluster, LabError

Fresh = Callable[..., Cluster]
KVS, TOKEN, REGISTER = 2, 17, 0


@pytest.fixture
def archive(golden: Any, tmp_path: Path) -> Path:
    """The seeded cluster's archive with its manifest, in a directory of its own."""
    for path in (golden.path, manifest_of(golden.path)):
        shutil.copy2(path, tmp_path)
    return tmp_path / golden.path.name


@contextlib.contextmanager
def a_writer(cluster: Cluster, seconds: float = 1.0) -> Iterator[list[str]]:
    """Write a key a second until the block ends; give the keys that were written."""
    done, written = threading.Event(), list[str]()

    def write() -> None:
        number = 0
        while not done.wait(seconds):
            number += 1
            with contextlib.suppress(LabError, requests.RequestException):
                cluster.http("PUT", f"/v1/kv/live/{number}", data=b"x", check=True, timeout=5)
                written.append(f"live/{number}")

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield written
    finally:
        done.set()
        thread.join()


def really_then(action: Callable[[], object]) -> Fault:
    """The restore is carried out, something happens at once, and then it is answered."""
    return first_really(after(action, says(200)))


def usable(cluster: Cluster) -> None:
    """Wait until the leader has made the management token of the servers' configuration anew."""
    wait_until(lambda: cluster.http("GET", "/v1/acl/token/self").status_code == 200, "the token does not come back")


def instead(cluster: Cluster, other: bytes) -> Fault:
    """Another archive is restored than the one that was sent."""

    def fault(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.body = other
        exchange.ask_upstream()
        usable(cluster)
        says(200)(exchange)

    return fault


def a_token(golden: Any) -> str:
    """Return the accessor of a token that the seed made."""
    tokens = golden.source.get("/v1/acl/tokens")
    return next(str(token["AccessorID"]) for token in tokens if token["Description"].startswith("lab token"))


@pytest.mark.every_version
def test_what_is_written_meanwhile_is_named_and_is_no_fault(
    golden: Any, archive: Path, fresh: Fresh, calls: Calls, tmp_path: Path
) -> None:
    target = fresh()
    first, second = sorted(golden.seen["kv"])[:2]
    token = a_token(golden)

    def writes() -> None:
        usable(target)
        target.http("DELETE", f"/v1/kv/{first}", check=True)
        target.http("PUT", f"/v1/kv/{second}", data=b"another value of a secret", check=True)
        target.put(
            "/v1/catalog/register", {"Node": "late-node", "Address": "192.0.2.9", "Service": {"Service": "late"}}
        )
        target.put("/v1/catalog/deregister", {"Node": "ext-bare"})
        target.put("/v1/acl/policy", {"Name": "late-policy", "Rules": ""})
        target.http("DELETE", f"/v1/acl/token/{token}", check=True)
        made["token"] = target.put("/v1/acl/token", {"Policies": [{"Name": "late-policy"}]})
        made["session"] = target.put("/v1/session/create", {"Node": "late-node", "Checks": []})

    made: dict[str, Any] = {}
    # The writer may have come before the restore.
    told: dict[str, Any] = {"accept_risks": ["replace_content"], "backup_dir": str(tmp_path)}
    with FaultServer(target.servers[0].address("http")) as server, a_writer(target):
        server.on(*RESTORE, really_then(writes))
        outcome = calls.run(target, "snapshot_restore", src=str(archive), port=server.port, **told)
        assert not outcome.failed, outcome.result
        assert server.count(*RESTORE) == 1
    done = outcome.result
    assert done["changed"]
    assert done["next_steps"]
    proof = done["proof"]
    assert (proof["equal"], proof["differs"]) == (True, [])
    written = proof["written_since"]
    assert set(written) == {"ACLPolicy", "ACLToken", "KVS", "Register", "Session"}
    keys = written["KVS"]
    assert (keys["removed"], keys["changed"]) == (1, 1)
    assert {first, second} <= {*keys["names"]} or keys["added"] > 8
    assert written["ACLToken"] == {
        "added": 1,
        "changed": 0,
        "removed": 1,
        "names": sorted([token, made["token"]["AccessorID"]]),
    }
    assert written["Register"]["names"] == ["node ext-bare", "node late-node", "service late on late-node"]
    assert (written["Session"]["added"], written["ACLPolicy"]["names"]) == (1, ["late-policy"])
    for secret in ("another value of a secret", made["token"]["SecretID"]):
        assert secret not in outcome.stdout

    # The cluster holds something else by now, so that a further run does not call it unchanged, nor replaces it.
    refused = calls.fails(target, "snapshot_restore", "guard", src=str(archive))
    assert refused["failure"]["refused"] == ["fresh"]
    checked = calls.ok(target, "snapshot_restore", src=str(archive), check=True, **told)
    assert checked["changed"]


def test_a_quiet_cluster_has_nothing_written_since(
    golden: Any, archive: Path, fresh: Fresh, calls: Calls, tmp_path: Path
) -> None:
    # A cluster of its own agents, whose catalog, tokens and indexes move by themselves for as long as one waits.
    target = fresh()
    done = calls.ok(target, "snapshot_restore", src=str(archive))
    assert done["proof"]["written_since"] == {}

    def write() -> None:
        usable(target)
        target.http("PUT", "/v1/kv/live/1", data=b"x", check=True)

    target.http("PUT", "/v1/kv/live/0", data=b"x", check=True)
    directory = tmp_path / "made" / "for this"
    with FaultServer(target.servers[0].address("http")) as server:
        server.on(*RESTORE, really_then(write))
        told: dict[str, Any] = {"accept_risks": ["replace_content"], "backup_dir": str(directory)}
        done = calls.ok(target, "snapshot_restore", src=str(archive), port=server.port, **told)
    assert done["proof"]["written_since"] == {"KVS": {"added": 1, "changed": 0, "removed": 0, "names": ["live/1"]}}


LOST = {
    "a key": (KVS, "KVS", lambda golden: without(golden.path.read_bytes(), KVS, _first_of(b"Key"))),
    "a token": (TOKEN, "ACLToken", lambda golden: without(golden.path.read_bytes(), TOKEN, _a_users_token())),
    "a node": (REGISTER, "Register", lambda golden: without(golden.path.read_bytes(), REGISTER, _ext_bare)),
}


def _first_of(field: bytes) -> Callable[[dict[bytes, Any]], bool]:
    seen = list[Any]()

    def choose(record: dict[bytes, Any]) -> bool:
        seen.append(record[field])
        return len(seen) == 1

    return choose


def _a_users_token() -> Callable[[dict[bytes, Any]], bool]:
    chosen = list[bytes]()

    def choose(record: dict[bytes, Any]) -> bool:
        if b"lab token" in record[b"Description"] and not chosen:
            chosen.append(record[b"AccessorID"])
            return True
        return False

    return choose


def _ext_bare(record: dict[bytes, Any]) -> bool:
    return bool(record[b"Node"] == b"ext-bare")


@pytest.mark.parametrize("lost", LOST)
def test_what_is_truly_missing_still_fails(
    golden: Any, archive: Path, fresh: Fresh, calls: Calls, tmp_path: Path, lost: str
) -> None:
    _type_id, name, made = LOST[lost]
    target = fresh()
    with FaultServer(target.servers[0].address("http")) as server, a_writer(target, 0.2):
        server.on(*RESTORE, instead(target, made(golden)))
        told: dict[str, Any] = {"accept_risks": ["replace_content"], "backup_dir": str(tmp_path), "wait_timeout": 5}
        outcome = calls.run(target, "snapshot_restore", src=str(archive), port=server.port, **told)
        assert server.count(*RESTORE) == 1
    assert outcome.failed, outcome.result
    assert outcome.failure["state"] == "replaced"
    assert outcome.failure["proof"]["differs"] == [name]
    # It was replaced, whatever came after: that is said, and what is left to do; and nobody is told to do it again.
    assert outcome.result["changed"]
    assert outcome.result["next_steps"]
    assert "Don't send the archive again" in outcome.failure["hint"]
    assert "Run the restore again" not in outcome.stdout
    assert "may be writing" not in outcome.stdout
