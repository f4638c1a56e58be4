# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver that misbehaves costs at most its timeout, changes no result, and nobody learns its URL."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import trustme
from support.playbooks import Ansible, hosts_of
from support.receiver import Behaviour, Receiver, answers, floods, hangs, receiving, trickles

from lab import Cluster

SECRETS = ["u-secret-user", "p-secret-part", "q-secret-part", "w-secret-part", "h-secret-part"]
PATH, HOOK = "/p-secret-part", "/w-secret-part"
LOUD = {
    # What shows the most: arguments in banners, and results as they are.
    "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "1",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    "ANSIBLE_DEBUG": "0",
}


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str]) -> Ansible:
    return Ansible(tmp_path, [*secrets, *SECRETS])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def target(url: str, **more: Any) -> dict[str, Any]:
    """A target whose every part that is secret can be told from all other text."""
    headers = {"Authorization": "Bearer h-secret-part"}
    hook = {"webhook_url": f"{url}{HOOK}", "webhook_headers": headers}
    return {"ping_url": f"{url}{PATH}?key=q-secret-part", **hook, "timeout": 2, **more}


def notifying(to: dict[str, Any], outcome: str = "failure") -> dict[str, Any]:
    """A play with nothing but a notification, and without no_log, which would hide what this looks for."""
    clusters = [{"cluster": "a", "outcome": "failure", "failure": {"kind": "no_leader"}}]
    # By a variable, as everybody does: Ansible shows what is written in a task if display_args_to_stdout is set.
    options = {"to": "{{ target }}", "outcome": outcome, "clusters": clusters}
    task = {"name": "Notify", "disaster_recovery.consul.notify": options, "register": "told"}
    shown = {"ansible.builtin.debug": {"var": "told"}}
    return {"hosts": "localhost", "gather_facts": False, "vars": {"target": to}, "tasks": [task, shown]}


FAULTS: dict[str, tuple[Behaviour, str]] = {
    "hangs": (hangs(), "no complete answer within 2 s"),
    "trickles": (trickles, "no complete answer within 2 s"),
    "floods": (floods, ""),
    "500": (answers(500), "the receiver answered 500"),
    "404": (answers(404), "the receiver answered 404"),
    "redirect": (answers(302, Location="/elsewhere"), "the receiver answered 302, a redirect, which is not followed"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_receiver_that_misbehaves(ansible: Ansible, receiver: Receiver, fault: str) -> None:
    behaviour, reason = FAULTS[fault]
    ping = f"{PATH}/fail?key=q-secret-part"
    receiver.behaviour = {ping: behaviour, HOOK: behaviour}
    played = ansible.ok(ansible.playbook(notifying(target(receiver.url))), None, verbosity=4, env=LOUD)
    for channel in ("ping", "webhook"):
        assert played.says(f"notification not sent: {channel}: {reason}") == bool(reason)
    assert "/elsewhere" not in receiver.paths
    assert {ping, HOOK} == set(receiver.paths)
    # Whatever hangs here does so for a minute or more, and the machine may be slow.
    assert receiver.received[-1].at - receiver.received[0].at < 30


def test_a_receiver_that_does_better_the_second_time(ansible: Ansible, receiver: Receiver) -> None:
    statuses = iter((503, 200))

    def overloaded_at_first(handler: BaseHTTPRequestHandler) -> None:
        answers(next(statuses))(handler)

    receiver.behaviour = {HOOK: overloaded_at_first}
    played = ansible.ok(ansible.playbook(notifying(target(receiver.url, timeout=60))), None)
    assert not played.says("notification not sent")
    assert receiver.paths[1:] == [HOOK, HOOK]
    # So that the receiver knows that it is the same.
    assert len({one["id"] for one in receiver.events()}) == 1


def test_receivers_that_are_not_there(ansible: Ansible, receiver: Receiver, tmp_path: Path) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with receiving(context) as secure:
        wrong = f"http://u-secret-user:x@127.0.0.1:{secure.port}"
        tasks = {
            "the receiver refused the connection": target("http://127.0.0.1:1"),
            "the receiver's name could not be resolved": target("http://w-secret-part.invalid", timeout=9),
            "the receiver's certificate is not trusted": target(secure.url),
            "the receiver closed the connection, or its answer is not HTTP": target(wrong),
            "must be an http:// or https:// URL": target("file:///p-secret-part"),
            "without spaces and special characters": target("http://127.0.0.1:2/p-secret-part\n"),
            "webhook_headers must not have line breaks": target(
                receiver.url, webhook_headers={"X": "h-secret-part\r\nY: z"}
            ),
            "ca_path is not a file": target(secure.url, ca_path="/there/is/none"),
            "timeout must be more than 0": target(receiver.url, timeout=0),
            "its options can't be used": target(receiver.url, ping_ulr="http://p-secret-part"),
        }
        plays = [notifying(one) for one in tasks.values()]
        plays.append(notifying(target(secure.url, ca_path=str(tmp_path / "ca.pem"))))
        played = ansible.ok(ansible.playbook(*plays), None, verbosity=4, env=LOUD)
    for reason in tasks:
        assert played.says(reason), reason
    assert secure.paths == [f"{PATH}/fail?key=q-secret-part", HOOK]
    assert secure.received[1].headers["authorization"] == "Bearer h-secret-part"
    assert receiver.received == []


def test_a_backup_goes_on_and_says_nothing_of_the_url(
    ansible: Ansible, three: Cluster, receiver: Receiver, tmp_path: Path
) -> None:
    ping = f"{PATH}?key=q-secret-part"
    receiver.behaviour = {ping: trickles, HOOK: hangs()}
    facts = "{{ hostvars[inventory_hostname] | dict2items | selectattr('key', 'match', '__') }}"
    shown = {"ansible.builtin.debug": {"msg": facts}}
    role = {"role": "disaster_recovery.consul.backup", "vars": {"backup_notify": target(receiver.url)}}
    play = {"hosts": "consul", "gather_facts": False, "roles": [role], "post_tasks": [shown]}
    inventory = ansible.inventory(hosts_of(three), backup_cluster="three", backup_dir=str(tmp_path / "kept"))
    played = ansible.ok(ansible.playbook(play), inventory, verbosity=4, env=LOUD)
    assert played.says("notification not sent: ping: no complete answer within 2 s")
    assert played.says("notification not sent: webhook: no complete answer within 2 s")
    assert receiver.paths == [f"{PATH}/start?key=q-secret-part", ping, HOOK]
    assert receiver.received[2].at - receiver.received[1].at < 30
    assert len(list((tmp_path / "kept").glob("*.snap"))) == 1
    # What was noted of the run is in facts, and the digests among it: the output above has no URL, though.
    assert played.says("__backup_notifies")


@pytest.mark.parametrize("value", ["http://127.0.0.1/p-secret-part", {"ping_ulr": "http://p-secret-part"}])
def test_a_variable_of_the_wrong_shape(ansible: Ansible, three: Cluster, value: Any) -> None:
    inventory = ansible.inventory(hosts_of(three), backup_notify=value)
    ansible.fails("backup", inventory, "backup_notify", verbosity=4, env=LOUD)
