# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_diff: one of each type is added, changed and removed through HTTP, and exactly these names are seen."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.archives import META, part_of
from support.calls import Calls

from lab import Cluster
from lab.tls import Authority

Names = dict[str, dict[str, list[str]]]
Snapshot = Callable[[Cluster], Path]

SECRET_VALUE = "a-value-that-nobody-may-see-0815"
RULES = 'key_prefix "%s" { policy = "read" }'
EXTERNAL = {
    "Node": "ext-1",
    "Address": "192.0.2.1",
    "Service": {"ID": "db-1", "Service": "db", "Port": 1},
    "Check": {"Node": "ext-1", "CheckID": "ping", "Name": "ping", "Status": "passing"},
}
METHOD = {
    "Name": "k8s",
    "Type": "kubernetes",
    "Config": {
        "Host": "https://127.0.0.1:1",
        "CACert": "",
        "ServiceAccountJWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsYWIifQ.c2ln",
    },
}


class Content:
    """One of each type in a cluster; what is only known when it is made is kept here."""

    def __init__(self, cluster: Cluster, authority: str) -> None:
        self.cluster = cluster
        self.new = cluster.version != "1.8.7"
        self.method = {**METHOD, "Config": {**METHOD["Config"], "CACert": authority}}
        self.ids: dict[str, str] = {}
        self.secrets = [SECRET_VALUE, *(base64.b64encode(text.encode()).decode() for text in (SECRET_VALUE,))]

    def add(self) -> None:
        cluster, ids = self.cluster, self.ids
        for key in ("app/a", "app/ü/b c", "web/a"):
            cluster.http("PUT", f"/v1/kv/{key}", data=SECRET_VALUE, check=True)
        cluster.put("/v1/catalog/register", EXTERNAL)
        ids["policy"] = cluster.put("/v1/acl/policy", {"Name": "readers", "Rules": RULES % "a"})["ID"]
        ids["role"] = cluster.put("/v1/acl/role", {"Name": "people", "Policies": [{"Name": "readers"}]})["ID"]
        token = cluster.put("/v1/acl/token", {"Description": "one", "Policies": [{"Name": "readers"}]})
        ids["token"] = token["AccessorID"]
        self.secrets.append(token["SecretID"])
        cluster.put("/v1/acl/auth-method", self.method)
        rule = {"AuthMethod": "k8s", "BindType": "role", "BindName": "people"}
        ids["rule"] = cluster.put("/v1/acl/binding-rule", rule)["ID"]
        cluster.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
        cluster.put("/v1/config", {"Kind": "proxy-defaults", "Name": "global", "Config": {"secret": SECRET_VALUE}})
        query = {"Name": "nearest", "Service": {"Service": "db"}}
        ids["query"] = cluster.http("POST", "/v1/query", json=query, check=True).json()["ID"]
        ids["session"] = cluster.put(
            "/v1/session/create", {"Node": "ext-1", "Checks": [], "NodeChecks": [], "ServiceChecks": []}
        )["ID"]
        if self.new:
            cluster.put("/v1/connect/intentions/exact?source=web&destination=api", {"Action": "allow"})
            cluster.put("/v1/config", {"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": True}})
            cluster.http("POST", "/v1/peering/token", json={"PeerName": "east"}, check=True)
            ids["peering"] = cluster.get("/v1/peering/east")["ID"]
        else:
            self.intention("allow")

    def intention(self, action: str) -> None:
        told = {"SourceName": "web", "DestinationName": "api", "SourceType": "consul", "Action": action}
        if "intention" in self.ids:
            self.cluster.put(f"/v1/connect/intentions/{self.ids['intention']}", told)
        else:
            answer = self.cluster.http("POST", "/v1/connect/intentions", json=told, check=True)
            self.ids["intention"] = answer.json()["ID"]

    def change(self) -> None:
        cluster, ids = self.cluster, self.ids
        cluster.http("PUT", "/v1/kv/app/a", data="x", check=True)
        cluster.http("PUT", "/v1/kv/app/ü/b c?flags=7", data=SECRET_VALUE, check=True)
        check = {**EXTERNAL["Check"], "Status": "critical"}
        cluster.put("/v1/catalog/register", {**EXTERNAL, "Check": check, "SkipNodeUpdate": True})
        cluster.put(f"/v1/acl/policy/{ids['policy']}", {"Name": "readers", "Rules": RULES % "b"})
        cluster.put(
            f"/v1/acl/role/{ids['role']}", {"Name": "people", "Description": "x", "Policies": [{"Name": "readers"}]}
        )
        cluster.put(f"/v1/acl/token/{ids['token']}", {"Description": "two", "Policies": [{"Name": "readers"}]})
        cluster.put("/v1/acl/auth-method/k8s", {**self.method, "Description": "x"})
        rule = {"AuthMethod": "k8s", "BindType": "service", "BindName": "people"}
        cluster.put(f"/v1/acl/binding-rule/{ids['rule']}", rule)
        cluster.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "tcp"})
        cluster.put("/v1/config", {"Kind": "proxy-defaults", "Name": "global", "Config": {"secret": "x"}})
        cluster.put(f"/v1/query/{ids['query']}", {"Name": "nearest", "Service": {"Service": "other"}})
        now = cluster.get("/v1/operator/autopilot/configuration")
        cluster.put("/v1/operator/autopilot/configuration", {**now, "MaxTrailingLogs": now["MaxTrailingLogs"] + 1})
        if self.new:
            cluster.put("/v1/connect/intentions/exact?source=web&destination=api", {"Action": "deny"})
            cluster.put("/v1/config", {"Kind": "mesh", "TransparentProxy": {"MeshDestinationsOnly": False}})
        else:
            self.intention("deny")

    def remove(self) -> None:
        cluster, ids = self.cluster, self.ids
        paths = [
            "kv/app/a", "kv/app/ü/b c", "kv/web/a", f"acl/binding-rule/{ids['rule']}", "acl/auth-method/k8s",
            f"acl/token/{ids['token']}", f"acl/role/{ids['role']}", f"acl/policy/{ids['policy']}",
            "config/service-defaults/web", "config/proxy-defaults/global", f"query/{ids['query']}",
        ]  # fmt: skip
        cluster.put(f"/v1/session/destroy/{ids['session']}")
        if self.new:
            paths += ["connect/intentions/exact?source=web&destination=api", "config/mesh/mesh", "peering/east"]
        else:
            paths.append(f"connect/intentions/{ids['intention']}")
        for path in paths:
            cluster.http("DELETE", f"/v1/{path}", check=True)
        cluster.put("/v1/catalog/deregister", {"Node": "ext-1"})
        deadline = time.monotonic() + 20
        while self.new and cluster.http("GET", "/v1/peering/east").status_code != 404:
            # It is only marked at first.
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def names(self) -> dict[str, list[str]]:
        """What all of it is called, by type."""
        names = {
            "ACLAuthMethod": ["k8s"],
            "ACLBindingRule": [f"{self.ids['rule']} of auth method k8s"],
            "ACLPolicy": ["readers"],
            "ACLRole": ["people"],
            "ACLToken": [self.ids["token"]],
            "ConfigEntry": ["proxy-defaults/global", "service-defaults/web"],
            "KVS": ["app/a", "app/ü/b c", "web/a"],
            "PreparedQuery": ["nearest"],
            "Register": ["check ping on ext-1", "node ext-1", "service db-1 on ext-1"],
        }
        if not self.new:
            return {**names, "Intention": ["web => api"]}
        names["ConfigEntry"] = ["mesh/mesh", "proxy-defaults/global", "service-defaults/web", "service-intentions/api"]
        return {**names, "Peering": ["east"], "PeeringSecret": [f"of peering {self.ids['peering']}"]}

    def side_effects(self, word: str) -> Names:
        """What a server adds and removes by itself with services that are configured."""
        return {"ServiceVirtualIP": {word: ["api", "web"]}} if self.new else {}


def names_of(result: dict[str, Any]) -> Names:
    """Return the names that a comparison lists, what is empty left out, after a look at the counts."""
    for change in result["types"].values():
        assert {word: change[word] for word in change["names"]} == {w: len(n) for w, n in change["names"].items()}
        assert not change["truncated"]
    found = {name: {w: n for w, n in change["names"].items() if n} for name, change in result["types"].items()}
    return {name: words for name, words in found.items() if words}


class Story:
    """A cluster's content added, changed and removed, with an archive after each step."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        authority = Authority.create(cluster.binary, directory / "ca").ca_file.read_text(encoding="utf-8")
        self.content = Content(cluster, authority)
        self.archives: dict[str, Path] = {}
        for step in ("bare", "add", "change", "remove"):
            if step != "bare":
                getattr(self.content, step)()
            self.archives[step] = directory / f"{step}.snap"
            cluster.cli("snapshot", "save", self.archives[step])

    def pair(self, before: str, after: str) -> dict[str, str]:
        """The options for two of the archives."""
        return {"before": str(self.archives[before]), "after": str(self.archives[after])}


@pytest.fixture(scope="module")
def story(version: str, shared_cluster: Callable[..., Cluster], tmp_path_factory: pytest.TempPathFactory) -> Story:
    directory = tmp_path_factory.mktemp("story")
    cluster = shared_cluster(version=version, name_prefix="story")
    if cluster.directory not in _told:
        _told[cluster.directory] = Story(cluster, directory)
    return _told[cluster.directory]


_told: dict[Path, Story] = {}


def run(calls: Calls, story: Story, before: str, after: str, **options: Any) -> dict[str, Any]:
    """Compare two archives of the story; no secret is in anything that is printed."""
    outcome = calls.run(None, "snapshot_diff", **story.pair(before, after), diff=True, **options)
    assert not outcome.failed, outcome.result
    assert not outcome.result["changed"]
    for secret in story.content.secrets:
        assert secret not in outcome.stdout
    return outcome.result


@pytest.mark.every_version
def test_added(story: Story, calls: Calls) -> None:
    result = run(calls, story, "bare", "add")
    expected = {name: {"added": names} for name, names in story.content.names().items()}

    assert not result["equal"]
    assert names_of(result) == {**expected, **story.content.side_effects("added")}


def test_removed(story: Story, calls: Calls) -> None:
    result = run(calls, story, "add", "bare")
    expected = {name: {"removed": names} for name, names in story.content.names().items()}

    assert names_of(result) == {**expected, **story.content.side_effects("removed")}


def test_changed(story: Story, calls: Calls) -> None:
    result = run(calls, story, "add", "change")
    unchangeable = ("Peering", "PeeringSecret")
    expected = {name: {"changed": names} for name, names in story.content.names().items() if name not in unchangeable}
    expected["KVS"] = {"changed": ["app/a", "app/ü/b c"]}
    expected["Register"] = {"changed": ["check ping on ext-1"]}
    expected["Autopilot"] = {"changed": ["configuration"]}

    assert names_of(result) == expected


def test_removed_again(story: Story, calls: Calls) -> None:
    result = run(calls, story, "change", "remove")
    expected = {name: {"removed": names} for name, names in story.content.names().items()}

    assert names_of(result) == {**expected, **story.content.side_effects("removed")}


@pytest.mark.parametrize("step", ["bare", "add"])
def test_an_archive_and_itself(story: Story, calls: Calls, step: str) -> None:
    result = run(calls, story, step, step)

    assert (result["equal"], result["summary"], names_of(result)) == (True, "equal", {})
    # Without a manifest all of it was read.
    assert not result["quick"]
    assert result["before"] == result["after"]


def test_described(story: Story, calls: Calls) -> None:
    cluster = story.content.cluster
    result = run(calls, story, "bare", "add")
    identity = (cluster.trust_domain() or "").partition(".")[0]

    for side, step in (("before", "bare"), ("after", "add")):
        meta = json.loads(part_of(story.archives[step].read_bytes(), META))
        taken = time.gmtime(int(meta["ID"].split("-")[2]) // 1000)
        assert result[side] == {
            "path": str(story.archives[step]),
            "index": meta["Index"],
            "cluster": {"datacenter": "dc1", "id": identity, "consul_version": cluster.version},
            "taken_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", taken),
            "fingerprint": calls.ok(None, "snapshot_info", path=str(story.archives[step]))["fingerprint"],
            **{"sealed": False, "signed": False, "signed_by": None, "signature_fault": None},
        }
    assert "KVS: 3 added" in result["summary"].split("; ")


def test_types_prefix_and_limit(story: Story, calls: Calls) -> None:
    types = run(calls, story, "bare", "add", types=["KVS", "ACLRole", "Intention", "Unknown(99)"])["types"]
    assert set(types) == {"KVS", "ACLRole", "Intention", "Unknown(99)"}
    assert types["Unknown(99)"] == types["Unknown(99)"] | {"added": 0, "removed": 0, "changed": 0, "truncated": False}

    narrowed = run(calls, story, "bare", "add", types=["KVS"], prefix="app/ü")
    assert names_of(narrowed) == {"KVS": {"added": ["app/ü/b c"]}}
    assert run(calls, story, "bare", "add", types=["KVS"], prefix="nothing/")["equal"]

    for limit, listed in ((2, ["app/a", "app/ü/b c"]), (0, [])):
        for before, after, word in (("bare", "add", "added"), ("add", "bare", "removed")):
            change = run(calls, story, before, after, limit=limit)["types"]["KVS"]
            assert (change[word], change["names"][word], change["truncated"]) == (3, listed, True)
            shown = run(calls, story, before, after, limit=limit, types=["KVS"])["diff"]
            lines = [f"KVS {name}" for name in listed] + [f"KVS: {3 - limit} more"]
            assert shown["after" if word == "added" else "before"].splitlines() == lines


def test_volatile_types_on_request(story: Story, calls: Calls) -> None:
    session = [f"{story.content.ids['session']} on ext-1"]

    assert names_of(run(calls, story, "bare", "add", types=["Session"])) == {"Session": {"added": session}}
    found = names_of(run(calls, story, "bare", "change", volatile=True))
    assert found["Session"] == {"added": session}
    # Raft's own bookkeeping, which moves with everything.
    assert "kvs" in [*found["Index"].get("added", []), *found["Index"].get("changed", [])]
    assert {name: found[name]["added"] for name in story.content.names()} == story.content.names()


def test_options_that_can_not_be(story: Story, calls: Calls) -> None:
    for wrong in ({"types": ["KV"]}, {"types": ["Unknown(x)"]}, {"limit": -1}):
        calls.fails(None, "snapshot_diff", "option", **story.pair("bare", "add"), **wrong)
