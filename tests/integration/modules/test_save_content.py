# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_save: which changes of a real cluster count as changes, by type, and which don't."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.calls import Calls
from support.scene import archives_in, contents

from lab import Cluster
from lab.config import at_least

Act = Callable[[Cluster, str], Any]


class Case(NamedTuple):
    """What is done before the first save and after it; the text is a new name for each run.

    ``types``: what changes; ``newer``: what else does where mesh services get addresses (1.11 and later).
    """

    name: str
    act: Act
    types: tuple[str, ...] = ()
    prepare: Act = lambda _cluster, _name: None
    newer: tuple[str, ...] = ()


def key(value: bytes, query: str = "") -> Act:
    """Store a value under the key of this run."""
    return lambda cluster, name: cluster.http("PUT", f"/v1/kv/content/{name}{query}", data=value, check=True)


def put(path: str, **body: Any) -> Act:
    """PUT some JSON in which NAME stands for the name of this run."""
    return lambda cluster, name: cluster.put(path.replace("NAME", name), named(body, name))


def post(path: str, **body: Any) -> Act:
    """POST some JSON in which NAME stands for the name of this run."""
    return lambda cluster, name: cluster.http("POST", path, json=named(body, name), check=True)


def delete(path: str) -> Act:
    """DELETE what NAME stands in."""
    return lambda cluster, name: cluster.http("DELETE", path.replace("NAME", name), check=True)


def named(value: Any, name: str) -> Any:
    """Return a value with NAME replaced wherever it stands."""
    if isinstance(value, str):
        return value.replace("NAME", name)
    if isinstance(value, dict):
        return {one: named(inner, name) for one, inner in value.items()}
    return [named(inner, name) for inner in value] if isinstance(value, list) else value


def policy_changed(cluster: Cluster, name: str) -> None:
    listed = {one["Name"]: one["ID"] for one in cluster.get("/v1/acl/policies")}
    cluster.put(f"/v1/acl/policy/{listed[name]}", {"Name": name, "Rules": 'key_prefix "b" { policy = "read" }'})


def lock_taken(cluster: Cluster, name: str) -> None:
    session = cluster.put("/v1/session/create", {"Name": name, "LockDelay": "0s", "TTL": "600s"})["ID"]
    key(b"held", f"?acquire={session}")(cluster, name)
    held = cluster.get(f"/v1/kv/content/{name}")[0]
    assert held["Session"] == session


def lock_given_back(cluster: Cluster, name: str) -> None:
    session = cluster.get(f"/v1/kv/content/{name}")[0]["Session"]
    key(b"held", f"?release={session}")(cluster, name)
    assert "Session" not in cluster.get(f"/v1/kv/content/{name}")[0]


def agents_check_fails(cluster: Cluster, name: str) -> None:
    cluster.put(f"/v1/agent/check/update/{name}", {"Status": "critical", "Output": "out of order"})


def came_and_went(cluster: Cluster, name: str) -> None:
    key(b"v")(cluster, name)
    delete("/v1/kv/content/NAME")(cluster, name)


def autopilot_changed(cluster: Cluster, _name: str) -> None:
    now = cluster.get("/v1/operator/autopilot/configuration")
    cluster.put("/v1/operator/autopilot/configuration", {**now, "MaxTrailingLogs": now["MaxTrailingLogs"] + 1})


POLICY = put("/v1/acl/policy", Name="NAME", Rules='key_prefix "a" { policy = "read" }')
ENTRY = put("/v1/config", Kind="service-defaults", Name="NAME", Protocol="http")
# Their maps are encoded in another way than those of other entries.
PROXY = put("/v1/config", Kind="proxy-defaults", Name="global", Config={"a": "NAME", "b": {"c": 2, "d": 3}, "e": 4})
EXTERNAL = put(
    "/v1/catalog/register",
    Node="NAME",
    Address="192.0.2.9",
    Service={"Service": "db", "Port": 1, "Meta": {"x": "1", "y": "2"}},
    Check={"CheckID": "c", "Name": "c", "Status": "passing"},
)
AGENTS_CHECK = put("/v1/agent/check/register", ID="NAME", Name="NAME", TTL="600s")

CHANGES = [
    Case("a new key", key(b"v"), ("KVS",)),
    Case("a new value", key(b"w"), ("KVS",), key(b"v")),
    Case("an empty value", key(b""), ("KVS",), key(b"v")),
    Case("other flags", key(b"v", "?flags=7"), ("KVS",), key(b"v")),
    Case("a key deleted", delete("/v1/kv/content/NAME"), ("KVS",), key(b"v")),
    Case("a new token", put("/v1/acl/token", Description="NAME"), ("ACLToken",)),
    Case("a new policy", POLICY, ("ACLPolicy",)),
    Case("a changed policy", policy_changed, ("ACLPolicy",), POLICY),
    Case("a new role", put("/v1/acl/role", Name="NAME", ServiceIdentities=[{"ServiceName": "web"}]), ("ACLRole",)),
    Case("a new config entry", ENTRY, ("ConfigEntry",), newer=("ServiceVirtualIP",)),
    Case(
        "a changed config entry",
        put("/v1/config", Kind="service-defaults", Name="NAME", Protocol="tcp"),
        ("ConfigEntry",),
        ENTRY,
    ),
    Case("other proxy defaults", PROXY, ("ConfigEntry",)),
    Case("a new external service", EXTERNAL, ("Register",)),
    Case(
        "an external check that fails",
        put("/v1/catalog/register", Node="NAME", Address="192.0.2.9", SkipNodeUpdate=True,
            Check={"CheckID": "c", "Name": "c", "Status": "critical"}),
        ("Register",),
        EXTERNAL,
    ),
    Case("an external node gone", put("/v1/catalog/deregister", Node="NAME"), ("Register",), EXTERNAL),
    Case("a new prepared query", post("/v1/query", Name="NAME", Service={"Service": "web"}), ("PreparedQuery",)),
    Case("another autopilot", autopilot_changed, ("Autopilot",)),
    Case(
        "two at once",
        lambda cluster, name: (key(b"v")(cluster, name), put("/v1/acl/token", Description="NAME")(cluster, name)),
        ("ACLToken", "KVS"),
    ),
]  # fmt: skip

NO_CHANGES = [
    Case("nothing at all", lambda _cluster, _name: None),
    Case("the same value again", key(b"v"), (), key(b"v")),
    Case("the same flags again", key(b"v", "?flags=7"), (), key(b"v", "?flags=7")),
    Case("a lock taken", lock_taken, (), key(b"held")),
    Case("a lock given back", lock_given_back, (), lock_taken),
    Case("a new session", put("/v1/session/create", Name="NAME")),
    Case("a key that came and went", came_and_went),
    Case("the same config entry again", ENTRY, (), ENTRY),
    Case("the same proxy defaults again", PROXY, (), PROXY),
    Case("the same external service again", EXTERNAL, (), EXTERNAL),
    Case("a service of an agent", put("/v1/agent/service/register", ID="NAME", Name="of-an-agent", Port=1)),
    Case("a check of an agent that fails", agents_check_fails, (), AGENTS_CHECK),
]  # fmt: skip


def changed_types(reason: str) -> tuple[str, ...]:
    match = re.fullmatch(r"content changed since index \d+: (.+)", reason)
    return tuple(match.group(1).split(", ")) if match else ()


@pytest.mark.parametrize("case", [*CHANGES, *NO_CHANGES], ids=lambda case: case.name)
def test_what_counts_as_a_change(case: Case, playground: Cluster, calls: Calls, tmp_path: Path) -> None:
    name = f"n{uuid.uuid4().hex}"
    case.prepare(playground, name)
    dest = str(tmp_path)
    calls.ok(playground, "snapshot_save", dest=dest)
    before = contents(tmp_path)

    case.act(playground, name)
    checked = calls.ok(playground, "snapshot_save", dest=dest, check=True)
    assert contents(tmp_path) == before
    saved = calls.ok(playground, "snapshot_save", dest=dest)

    expected = (*case.types, *(case.newer if at_least(playground.version, "1.11") else ()))
    assert changed_types(saved["reason"]) == expected, saved["reason"]
    assert saved["changed"] == bool(expected)
    assert (checked["changed"], checked["reason"]) == (saved["changed"], saved["reason"])
    assert len(archives_in(tmp_path)) == (4 if expected else 2)
    assert len(contents(tmp_path)) == (4 if expected else 3)
