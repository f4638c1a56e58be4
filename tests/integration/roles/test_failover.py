# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is dead, or dies in the middle of it, is no end while another of its cluster answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.answers import after, half_then, reset, then_dies
from support.faults import FaultServer
from support.modules import interpreter
from support.playbooks import Ansible, hosts_of

from lab import Cluster, compare, losses, observe

# A cluster that lost its leader needs seconds to find another one.
PATIENT = {"retries": 8, "retry_delay": 1}


@pytest.fixture
def mortal(start: Callable[..., Cluster], three: Cluster) -> Cluster:
    """Three servers that may die, with the tokens of ``three`` in their configuration."""
    return start(three.version, servers=3, name_prefix="mortal", tokens=three.tokens)


def hosts(cluster: Cluster, **ports: int) -> dict[str, dict[str, Any]]:
    """All servers as hosts; ``ports`` by name with underscores, in place of their own."""
    found = hosts_of(cluster, count=3)
    for name, told in found.items():
        told["backup_connection"].update(PATIENT)
        if name.replace("-", "_") in ports:
            told["backup_connection"].update(port=ports[name.replace("-", "_")], retries=0)
    return found


@pytest.mark.every_version
def test_a_prune_that_is_killed_is_no_success(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    """As the kernel does when memory runs out. Such a module says nothing of itself."""
    python, kept = tmp_path / "python", tmp_path / "kept"
    python.write_text(f'#!/bin/sh\ncase "$*" in *snapshot_prune*) kill -9 $$;; esac\nexec {interpreter()} "$@"\n')
    python.chmod(0o755)
    # Not through a pipe: the name of the module is in the arguments then.
    (told,) = hosts_of(three).values()
    killing = {"a": {**told, "ansible_python_interpreter": str(python), "ansible_pipelining": False}}
    textfile = tmp_path / "backup.prom"
    variables = {"backup_dir": str(kept), "backup_keep_last": 1, "backup_textfile": str(textfile)}
    why = "but old archives were not removed everywhere: the module ended without a result, as one does that is killed"
    ansible.fails("backup", ansible.inventory(killing, **variables), why)
    assert len(list(kept.glob("*.snap"))) == 1
    assert 'kind="refused"' in textfile.read_text(encoding="utf-8")


@pytest.mark.every_version
def test_a_server_that_was_killed_before(ansible: Ansible, mortal: Cluster, tmp_path: Path) -> None:
    mortal.servers[0].kill()
    kept = tmp_path / "kept"
    inventory = ansible.inventory(hosts(mortal), backup_cluster="mortal", backup_dir=str(kept))
    played = ansible.ok("backup", inventory)
    assert played.says("mortal: going on without mortal-1: the connection was refused")
    (archive,) = kept.glob("*.snap")
    # The leader comes first, and which of the two leads now is for them to settle.
    assert [name for name in ("mortal-2", "mortal-3") if played.says(f"mortal: kept {archive} on {name}")]
    mortal.cli("snapshot", "inspect", archive, server=mortal.servers[1])


def test_a_server_that_is_killed_in_the_middle_of_its_save(ansible: Ansible, mortal: Cluster, tmp_path: Path) -> None:
    first = mortal.servers[0]
    with FaultServer(first.address("http")) as front:
        front.on("GET", "/v1/snapshot", half_then(then_dies(after(first.kill, reset))))
        kept = tmp_path / "kept"
        told = hosts(mortal, mortal_1=front.port)
        inventory = ansible.inventory(
            told, backup_cluster="mortal", backup_dir=str(kept), backup_fetch_to=str(tmp_path / "v")
        )
        played = ansible.ok("backup", inventory)
        assert front.count("GET", "/v1/snapshot") == 1
    assert not first.running
    assert played.says("mortal: mortal-1 failed, as said above; going on through mortal-2")
    (archive,) = kept.glob("*.snap")
    assert played.says(f"mortal: kept {archive} on mortal-2")
    assert [path.name for path in (tmp_path / "v" / "mortal").glob("*.snap")] == [archive.name]
    assert not [path.name for path in kept.iterdir() if path.name.startswith(".")]
    assert played.recap["mortal-1"]["rescued"] == 1


def test_when_the_last_one_fails_as_well(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    with FaultServer(three.servers[0].address("http")) as one, FaultServer(three.servers[1].address("http")) as two:
        for front in (one, two):
            front.on("GET", "/v1/snapshot", reset)
        told = hosts_of(three, count=2)
        for name, front in zip(told, (one, two), strict=True):
            told[name]["backup_connection"]["port"] = front.port
        inventory = ansible.inventory(told, backup_cluster="three", backup_dir=str(tmp_path / "kept"))
        ansible.fails(
            "backup", inventory, "going on through role-2", "three: role-2, through which the cluster was worked"
        )
    assert list((tmp_path / "kept").glob("*.snap")) == []


def rescued(role: str) -> dict[str, Any]:
    """A play that says what a role failed with."""
    name = {"ansible.builtin.include_role": {"name": f"disaster_recovery.consul.{role}"}}
    said = {"ansible.builtin.debug": {"msg": "said: {{ ansible_failed_result.msg }}"}}
    return {"hosts": "consul", "gather_facts": False, "tasks": [{"block": [name], "rescue": [said]}]}


def test_what_would_be_so_elsewhere_is_not_tried_there(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("no archive", encoding="utf-8")
    inventory = ansible.inventory(
        hosts_of(three, count=2), backup_cluster="three", backup_dest=str(tmp_path / "precious"), backup_force=False
    )
    # The last word of the role has the reason, for a play that rescues it.
    gate = ansible.playbook(rescued("backup"))
    said = "said: three: no other host of the cluster is tried; it would be so there, too: "
    played = ansible.ok(gate, inventory)
    assert played.says(f"{said}dest: {tmp_path / 'precious'} is not a Consul snapshot archive"), played.output
    played = ansible.fails("backup", inventory, "three: no other host of the cluster is tried")
    assert not played.says("going on through")
    assert (tmp_path / "precious").read_text(encoding="utf-8") == "no archive"


def test_a_restore_goes_on_only_when_nothing_was_sent(
    ansible: Ansible, mortal: Cluster, golden: Any, tmp_path: Path
) -> None:
    first = mortal.servers[0]
    told: dict[str, Any] = {"restore_cluster": "mortal", "restore_src": str(golden.archive)}
    told["restore_backup_dir"] = str(tmp_path / "replaced")
    with FaultServer(first.address("http")) as front:
        # It dies while the cluster's state is read, before anything is sent.
        front.on("GET", "/v1/snapshot", half_then(then_dies(reset)))
        inventory = ansible.inventory(hosts(mortal, mortal_1=front.port), **told)
        played = ansible.ok("restore", inventory, restore_accept_risks="unhealthy_target,replace_content,token_loss")
        assert front.count("PUT", "/v1/snapshot") == 0
    assert played.says(
        "mortal: nothing was sent through mortal-1, which failed, as said above; going on through mortal-2"
    )
    assert losses(compare(golden.seen, observe(mortal))) == []


def test_a_restore_is_never_sent_twice(ansible: Ansible, mortal: Cluster, golden: Any, tmp_path: Path) -> None:
    first, second = mortal.servers[:2]
    told: dict[str, Any] = {"restore_cluster": "mortal", "restore_src": str(golden.archive)}
    told["restore_backup_dir"] = str(tmp_path / "replaced")
    with FaultServer(first.address("http")) as front, FaultServer(second.address("http")) as other:
        front.on("PUT", "/v1/snapshot", then_dies(reset))
        ports = {"mortal_1": front.port, "mortal_2": other.port}
        inventory = ansible.inventory(hosts(mortal, **ports), restore_wait_timeout=4, **told)
        risks = "unhealthy_target,replace_content,token_loss"
        played = ansible.fails(
            "restore", inventory, "mortal: no other host of the cluster is tried", restore_accept_risks=risks
        )
        assert front.count("PUT", "/v1/snapshot") == 1
        assert other.count("PUT", "/v1/snapshot") == 0
    assert not played.says("going on through")
