# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead-man service and a webhook get from the roles, and that a success is only sent for what was done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.playbooks import Ansible, hosts_of
from support.receiver import Receiver, receiving
from support.yard import Yard

from env import places
from lab import Cluster

SCHEMA = json.loads(
    (places.CHECKOUT / "docs" / "notifications" / "notification.schema.json").read_text(encoding="utf-8")
)
PING = "/ping/3f1c-a-secret-part"
HOOK = "/hook/another-secret-part"
NOBODY = {"backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str]) -> Ansible:
    """No run may show a secret part of a URL either."""
    return Ansible(tmp_path, [*secrets, "a-secret-part", "another-secret-part"])


def told(receiver: Receiver, role: str = "backup", **more: Any) -> dict[str, Any]:
    """The role's variable for pings and the webhook of a receiver."""
    target = {"ping_url": receiver.url + PING, "webhook_url": receiver.url + HOOK, "timeout": 5}
    return {f"{role}_notify": {**target, **more}}


def event(receiver: Receiver) -> dict[str, Any]:
    """The one event that came, which must be as the schema says."""
    (one,) = receiver.events()
    jsonschema.validate(one, SCHEMA, cls=jsonschema.Draft202012Validator)
    return one


@pytest.mark.every_version
def test_a_backup_that_is_kept_and_then_confirmed(
    ansible: Ansible, three: Cluster, receiver: Receiver, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    variables = {"backup_cluster": "three", "backup_dir": str(kept), **told(receiver)}
    inventory = ansible.inventory(hosts_of(three, count=2), **variables)

    ansible.ok("backup", inventory, check=True, verbosity=1)
    assert receiver.received == []

    ansible.ok("backup", inventory)
    assert receiver.paths == [f"{PING}/start", PING, HOOK]
    assert {one.method for one in receiver.received[:2]} == {"GET"}
    sent = event(receiver)
    assert (sent["operation"], sent["outcome"]) == ("backup", "success")
    (cluster,) = sent["clusters"]
    (archive,) = kept.glob("*.snap")
    assert (cluster["cluster"], cluster["host"], cluster["result"]) == ("three", "role-1", "kept")
    assert (cluster["archive"], cluster["size"]) == (str(archive), archive.stat().st_size)
    assert 0 <= cluster["age"] < 600

    receiver.forget()
    assert not ansible.ok("backup", inventory).changed
    assert receiver.paths == [f"{PING}/start", PING, HOOK]
    assert event(receiver)["clusters"][0]["result"] == "confirmed"

    receiver.forget()
    # The newest is young enough: nothing was kept or confirmed, so there is no success, nor a start that awaits one.
    ansible.ok("backup", inventory, backup_max_age=3600)
    assert receiver.paths == [HOOK]
    assert (event(receiver)["outcome"], receiver.events()[0]["clusters"][0]["result"]) == ("skipped", "unneeded")


@pytest.mark.every_version
def test_one_host_alone_notifies(ansible: Ansible, three: Cluster, receiver: Receiver, tmp_path: Path) -> None:
    """What no host asks for is skipped once for all. The first host, which stands for all then, tells nobody."""
    (quiet,) = hosts_of(three, count=1).values()
    hosts = {"a": {**quiet, "backup_cluster": "three"}, "b": {**NOBODY, "backup_cluster": "gone", **told(receiver)}}
    ansible.fails("backup", ansible.inventory(hosts, backup_dir=f"{tmp_path}/{{{{ backup_cluster }}}}"))
    assert receiver.paths == [f"{PING}/start", f"{PING}/fail", HOOK]
    assert [one["cluster"] for one in event(receiver)["clusters"]] == ["gone"]


@pytest.mark.nightly
def test_a_save_and_a_prune_that_fail(ansible: Ansible, three: Cluster, receiver: Receiver, tmp_path: Path) -> None:
    refused = ansible.inventory(
        {"a": {}, "b": {}}, backup_cluster="gone", backup_dir=str(tmp_path / "kept"), **NOBODY, **told(receiver)
    )
    # A tag that selects nothing else, and diff mode.
    ansible.fails("backup", refused, options=["--tags", "nightly", "--diff"])
    assert receiver.paths == [f"{PING}/start", f"{PING}/fail", HOOK]
    (cluster,) = event(receiver)["clusters"]
    assert (cluster["cluster"], cluster["outcome"], cluster["archive"]) == ("gone", "failure", None)
    assert cluster["failure"] == {"kind": "connection", "phase": "preflight", "state": None}

    receiver.forget()
    kept = tmp_path / "many"
    variables = {"backup_cluster": "three", "backup_dir": str(kept), "backup_skip_unchanged": False}
    inventory = ansible.inventory(hosts_of(three), **variables, **told(receiver))
    ansible.ok("backup", inventory)
    ansible.ok("backup", inventory)
    receiver.forget()
    ansible.fails("backup", inventory, "old archives were not removed", backup_keep_last=1, backup_max_remove=0)
    assert receiver.paths == [f"{PING}/start", f"{PING}/fail", HOOK]
    (cluster,) = event(receiver)["clusters"]
    assert cluster["failure"] == {"kind": "retention", "phase": "prune", "state": None}
    # The archive of this run is kept all the same, and the event names it.
    assert Path(cluster["archive"]) == max(kept.glob("*.snap"))


@pytest.mark.nightly
def test_clusters_with_their_own_checks_and_one_webhook(
    ansible: Ansible, three: Cluster, one: Cluster, receiver: Receiver, tmp_path: Path
) -> None:
    hosts = {**hosts_of(three), **hosts_of(one), "gone": NOBODY}
    url = receiver.url + PING + "/{{ backup_cluster }}?create=1"
    inventory = ansible.inventory(
        hosts, backup_dir=f"{tmp_path}/{{{{ backup_cluster }}}}", **told(receiver, ping_url=url)
    )
    ansible.fails("backup", inventory, options=["--forks", "1"])
    pings = sorted(path.removeprefix(PING) for path in receiver.paths if path != HOOK)
    up = [f"/{name}{ending}?create=1" for name in ("other-1", "role-1") for ending in ("", "/start")]
    assert pings == sorted([*up, "/gone/fail?create=1", "/gone/start?create=1"])
    sent = event(receiver)
    assert sent["outcome"] == "failure"
    outcomes = {cluster["cluster"]: cluster["outcome"] for cluster in sent["clusters"]}
    assert outcomes == {"role-1": "success", "other-1": "success", "gone": "failure"}


@pytest.mark.nightly
@pytest.mark.parametrize("fatal", [False, True])
def test_hosts_that_leave_the_play_early(
    ansible: Ansible, three: Cluster, receiver: Receiver, tmp_path: Path, fatal: bool
) -> None:
    # One is lost before the role begins, one is lost in it, and, with any_errors_fatal, all others with them.
    dead = {"ansible_connection": "elsewhere", "elsewhere_down": True}
    role = {"role": "disaster_recovery.consul.backup", "vars": told(receiver)}
    play = {"hosts": "consul", "gather_facts": False, "any_errors_fatal": fatal, "roles": [role]}
    play["pre_tasks"] = [{"ansible.builtin.ping": {}, "when": "first | default(false)", "any_errors_fatal": False}]
    hosts = {**hosts_of(three), "early": {**dead, "first": True}, "gone": NOBODY}
    inventory = ansible.inventory(hosts, backup_dir=f"{tmp_path}/{{{{ backup_cluster | default('x') }}}}")
    ansible.fails(ansible.playbook(play), inventory)
    assert receiver.paths[0] == f"{PING}/start"
    assert sorted(receiver.paths[1:]) == [HOOK, f"{PING}/fail"]
    failures = {one["cluster"]: one["failure"] for one in event(receiver)["clusters"]}
    assert failures["gone"]["kind"] == "connection"
    assert failures["early"]["kind"] == "unreachable"
    # Its archive was there before the other failed.
    assert failures["role-1"] is None or fatal


@pytest.mark.nightly
def test_a_follower_leaves_the_check_to_the_leader(
    ansible: Ansible, three: Cluster, receiver: Receiver, tmp_path: Path
) -> None:
    leader, hosts = three.leader(), hosts_of(three, count=3)
    assert leader is not None
    follower = three.followers()[0].name
    variables = {
        "backup_cluster": "three",
        "backup_dir": str(tmp_path / "kept"),
        "backup_only_on_leader": True,
        **told(receiver),
    }
    ansible.ok("backup", ansible.inventory({follower: hosts[follower]}, **variables))
    assert receiver.paths == [HOOK]
    sent = event(receiver)
    assert (sent["outcome"], [one["host"] for one in sent["clusters"]]) == ("skipped", [follower])

    receiver.forget()
    ansible.ok("backup", ansible.inventory({leader.name: hosts[leader.name]}, **variables))
    # Before the cluster was asked, nobody knew who leads: no start was announced.
    assert receiver.paths == [PING, HOOK]
    sent = event(receiver)
    assert (sent["outcome"], sent["clusters"][0]["result"]) == ("success", "kept")


@pytest.mark.nightly
def test_restores(ansible: Ansible, fresh: Cluster, golden: Any, receiver: Receiver) -> None:
    hosts = hosts_of(fresh)
    variables = {"restore_cluster": "fresh", "restore_src": str(golden.archive), **told(receiver, "restore")}
    inventory = ansible.inventory(hosts, **variables)
    ansible.ok("restore", inventory, check=True)
    assert receiver.received == []

    ansible.fails("restore", inventory, restore_src="/there/is/no.snap", restore_src_on="target")
    assert receiver.paths == [f"{PING}/start", f"{PING}/fail", HOOK]
    (cluster,) = event(receiver)["clusters"]
    assert cluster["failure"]["phase"] == "restore"
    assert cluster["failure"]["state"] == "nothing_sent"

    for result in ("restored", "unchanged"):
        receiver.forget()
        ansible.ok("restore", inventory)
        assert receiver.paths == [f"{PING}/start", PING, HOOK]
        (cluster,) = event(receiver)["clusters"]
        assert (cluster["cluster"], cluster["result"], cluster["archive"]) == ("fresh", result, str(golden.archive))


@pytest.mark.nightly
def test_rehearsals(yard: Yard, receiver: Receiver) -> None:
    yard.archive("good")
    yard.archive("cut", cut=True)
    inventory = yard.inventory({"good": {}, "cut": {}}, **told(receiver, "rehearsal"))
    yard.ansible.run("rehearse", inventory, check=True)
    assert receiver.received == []

    yard.ansible.fails("rehearse", inventory)
    assert receiver.paths[0] == f"{PING}/start"
    assert sorted(receiver.paths[1:]) == [HOOK, f"{PING}/fail"]
    clusters = {one["cluster"]: one for one in event(receiver)["clusters"]}
    assert clusters["good"]["outcome"] == "success"
    assert clusters["good"]["rto"] > 0
    assert clusters["cut"]["failure"] == {"kind": "failed", "phase": "rehearsal", "state": None}

    receiver.forget()
    yard.ansible.ok("rehearse", inventory, options=["--limit", "good"])
    assert receiver.paths == [f"{PING}/start", PING, HOOK]
    assert event(receiver)["outcome"] == "success"
