# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives with critical findings: refused where servers of the version stop, and let through where they don't."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from support.calls import Calls
from support.faults import FaultServer
from support.records import with_changed
from support.scene import RESTORE, manifest_of
from support.waiting import wait_until

from lab import Cluster, binaries
from lab.tls import Authority

from .conftest import Golden, finding, wait_dead
from .test_versions import ALL_RISKS

Start = Callable[..., Cluster]
Change = Callable[[bytes], bytes]

REGISTER, SESSION, TOKEN, POLICY = 0, 3, 17, 19
BUILTIN = b"00000000-0000-0000-0000-000000000001"
BOTH = frozenset({binaries.NEW, binaries.OLD})


def once(archive: bytes, type_id: int, change: Callable[[dict[bytes, Any]], dict[bytes, Any] | None]) -> bytes:
    """Change the first record that ``change`` has anything to do with."""
    done: list[bool] = []

    def first(record: dict[bytes, Any]) -> dict[bytes, Any] | None:
        changed = None if done else change(record)
        done.extend([True] if changed is not None else [])
        return changed

    return with_changed(archive, type_id, first)


def check_with(field: bytes, value: Callable[[dict[bytes, Any]], bytes]) -> Change:
    """Change a field of the first check of a service."""

    def change(record: dict[bytes, Any]) -> dict[bytes, Any] | None:
        check = record.get(b"Check")
        if not check or not check[b"ServiceID"]:
            return None
        return {**record, b"Check": {**check, field: value(record)}}

    return lambda archive: once(archive, REGISTER, change)


def without_accessor(archive: bytes) -> bytes:
    def change(record: dict[bytes, Any]) -> dict[bytes, Any] | None:
        return {**record, b"AccessorID": b""} if record[b"Description"].startswith(b"lab token") else None

    return once(archive, TOKEN, change)


def with_builtin_name(archive: bytes) -> bytes:
    def change(record: dict[bytes, Any]) -> dict[bytes, Any] | None:
        return {**record, b"ID": b"1" + BUILTIN[1:]} if record[b"ID"] == BUILTIN else None

    return once(archive, POLICY, change)


def without_duration(archive: bytes) -> bytes:
    return once(archive, SESSION, lambda record: {**record, b"TTL": b"soon"})


class Case(NamedTuple):
    """``stops``: the versions whose servers don't serve any more afterwards."""

    change: Change
    stops: frozenset[str]
    dies: bool = True


CASES = {
    "token_without_accessor": Case(without_accessor, frozenset({binaries.NEW})),
    "node_names_differ_in_case": Case(
        check_with(b"Node", lambda record: record[b"Node"].swapcase()), frozenset({binaries.OLD})
    ),
    "check_without_service": Case(check_with(b"ServiceID", lambda _record: b"lost"), BOTH),
    "check_of_another_node": Case(check_with(b"Node", lambda _record: b"another"), BOTH),
    "session_ttl_invalid": Case(without_duration, BOTH, dies=False),
    "builtin_policy_name_taken": Case(with_builtin_name, frozenset({binaries.NEW}), dies=False),
}
EVERY = pytest.mark.parametrize("name", CASES)


@EVERY
def test_refused_where_servers_stop_and_not_elsewhere(
    name: str, golden: Golden, version: str, shared_cluster: Start, calls: Calls, tmp_path: Path
) -> None:
    case, target = CASES[name], shared_cluster(version=version, name_prefix="elsewhere")
    src = tmp_path / "changed.snap"
    src.write_bytes(case.change(golden.path.read_bytes()))
    with FaultServer(target.servers[0].address("http")) as server:
        told = {"src": str(src), "accept_risks": ALL_RISKS, "port": server.port}
        if version in case.stops:
            for check in (True, False):
                result = calls.fails(target, "snapshot_restore", "guard", check=check, **told)
                assert result["failure"]["refused"] == ["findings"]
                assert result["failure"]["state"] == "nothing_sent"
                found = finding(result, "findings")
                assert f"{name}: 1 (seen to stop Consul {version})" in found["detail"]
                assert found["risk"] is None
        else:
            result = calls.ok(target, "snapshot_restore", check=True, **told)
            assert finding(result, "findings")["status"] == "passed"
        assert server.count(*RESTORE) == 0
    assert target.servers[0].running


@EVERY
def test_what_servers_do_with_it(name: str, golden: Golden, version: str, start: Start) -> None:
    case, target = CASES[name], start(version, name_prefix="victim")
    [server] = target.servers
    archive = case.change(golden.path.read_bytes())
    if version in case.stops and case.dies:
        with pytest.raises(requests.RequestException):
            target.http("PUT", "/v1/snapshot", data=archive)
        wait_dead(server)
        assert "failed to restore snapshot" in server.log_tail(60)
        return
    answer = target.http("PUT", "/v1/snapshot", data=archive)
    time.sleep(2)
    if version not in case.stops:
        assert answer.status_code == 200
        assert target.http("PUT", "/v1/kv/later", data=b"x", token=golden.token).status_code == 200
    else:
        assert answer.status_code == 500
        log = server.log_file
        wait_until(lambda: "failed to establish leadership" in log.read_text(errors="replace"), "it leads", 30)
    assert server.running


@pytest.mark.parametrize("manifest", ["as written", "of an older release"])
def test_the_manifest_has_them_or_the_records_are_read(
    manifest: str, version: str, start: Start, calls: Calls, tmp_path: Path
) -> None:
    source = start(version, name_prefix="spelled")
    check = {"Node": "spelled", "CheckID": "ping", "Name": "ping", "Status": "passing"}
    source.put("/v1/catalog/register", {"Node": "spelled", "Address": "192.0.2.1", "Check": check})
    source.put("/v1/catalog/register", {"Node": "SPELLED", "Address": "192.0.2.2"})
    src = tmp_path / "a.snap"
    saved = calls.ok(source, "snapshot_save", dest=str(src))
    [found] = [one for one in saved["findings"] if one["name"] == "node_names_differ_in_case"]
    path = manifest_of(src)
    document = json.loads(path.read_text())
    assert {"name": found["name"], "count": 1} in document["findings"]
    if manifest == "of an older release":
        del document["findings"], document["findings_revision"], document["peerings"]
        path.write_text(json.dumps(document))

    target = start(version)
    told = {"src": str(src), "post_restore_token": source.tokens.initial_management}
    if version == binaries.OLD:
        assert (found["severity"], found["effect"]) == ("critical", "seen")
        assert "critical: Names of a node differ only in case" in str(saved["warnings"])
        result = calls.fails(target, "snapshot_restore", "guard", **told)
        assert result["failure"]["refused"] == ["findings"]
    else:
        assert (found["severity"], found["effect"]) == ("info", "none")
        assert "warnings" not in saved
        assert calls.ok(target, "snapshot_restore", **told)["proof"]["equal"]


def test_a_token_without_accessor_goes_into_a_server_that_adds_one(start: Start, calls: Calls, tmp_path: Path) -> None:
    source, target = start(binaries.OLD, name_prefix="legacy"), start(binaries.OLD)
    src = tmp_path / "a.snap"
    source.put("/v1/acl/token", {"Description": "lab token"})
    source.cli("snapshot", "save", src)
    src.write_bytes(without_accessor(src.read_bytes()))
    told = {"src": str(src), "post_restore_token": source.tokens.initial_management}
    done = calls.run(target, "snapshot_restore", **told)
    # The server changes it at once, so that it is not what the archive has: it serves, that is what counts here.
    assert finding(done.result, "findings")["status"] == "passed"
    assert done.result.get("state", done.failure.get("state")) != "nothing_sent"
    assert target.servers[0].running


def test_legacy_tokens_are_told_beforehand(start: Start, calls: Calls, tmp_path: Path) -> None:
    source, target = start(binaries.OLD, name_prefix="legacy"), start(binaries.NEW)
    rules = 'key "" { policy = "read" }'
    answer = source.http("PUT", "/v1/acl/create", json={"Name": "old client", "Type": "client", "Rules": rules})
    secret = answer.json()["ID"]
    source.http("PUT", "/v1/kv/a", data=b"x", check=True)
    assert source.http("GET", "/v1/kv/a?raw", token=secret).status_code == 200
    wait_until(lambda: all(one["AccessorID"] for one in source.get("/v1/acl/tokens")), "a token has no accessor")
    src = tmp_path / "a.snap"
    saved = calls.ok(source, "snapshot_save", dest=str(src))
    # It harms no server of the version that it comes from.
    assert [one["severity"] for one in saved["findings"] if one["name"] == "legacy_token"] == ["info"]
    for target_version, severity in ((None, "warning"), (binaries.NEW, "warning"), (binaries.OLD, "info")):
        info = calls.ok(None, "snapshot_info", path=str(src), target_version=target_version)
        assert [one["severity"] for one in info["findings"] if one["name"] == "legacy_token"] == [severity]

    told = {"src": str(src), "accept_risks": ["other_version"], "post_restore_token": source.tokens.initial_management}
    checked = calls.ok(target, "snapshot_restore", check=True, **told)
    [warning] = [str(line) for line in checked["warnings"] if "legacy_token: 1" in str(line)]
    assert "the tokens grant nothing after a restore" in warning
    # As it was said.
    target.http("PUT", "/v1/snapshot", data=src.read_bytes())
    assert target.http("GET", "/v1/kv/a?raw", token=source.tokens.initial_management).status_code == 200
    assert target.http("GET", "/v1/kv/a?raw", token=secret).status_code == 403


def test_auth_methods_that_an_old_server_loses(start: Start, calls: Calls, tmp_path: Path) -> None:
    source = start(binaries.OLD, name_prefix="methods")
    ca = Authority.create(source.binary, tmp_path / "ca").ca_file.read_text(encoding="utf-8")
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50Iiwic3ViIjoic3lzdGVtIn0.c2lnbmF0dXJl"
    config = {"Host": "https://127.0.0.1:6443", "CACert": ca, "ServiceAccountJWT": jwt}
    for name in ("east", "west"):
        source.put("/v1/acl/auth-method", {"Name": name, "Type": "kubernetes", "Config": config})
        source.put("/v1/acl/binding-rule", {"AuthMethod": name, "BindType": "service", "BindName": "x"})
    saved = calls.ok(source, "snapshot_save", dest=str(tmp_path / "a.snap"))

    [found] = [one for one in saved["findings"] if one["name"] == "binding_rule_without_method"]
    assert (found["severity"], found["count"]) == ("warning", 1)
    assert "Binding rules name auth methods that are not in the archive" in str(saved["warnings"])
