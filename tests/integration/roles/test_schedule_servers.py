# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A schedule on every server of a cluster: the leader alone works, whoever that is, until it does not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.booted import Booted, why_not
from support.modules import collections_root
from support.playbooks import Ansible, hosts_of
from support.scheduler import Scheduler
from support.waiting import wait_until

from lab import Cluster, binaries

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def names(cluster: Cluster) -> list[str]:
    """The services, one for each server; all are on this one machine, so each has a name of its own."""
    return [f"consul-backup-{server.name}.service" for server in cluster.servers]


def all_at_once(booted: Booted, cluster: Cluster) -> dict[str, str]:
    """Start them as timers of one minute do, wait for their ends, and return how each ended."""
    booted.run(["systemctl", "start", *names(cluster)])
    return {name: booted.properties(name, "Result")["Result"] for name in names(cluster)}


def archives(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.snap"))


@pytest.mark.nightly
def test_the_leader_alone_works(
    scheduler: Scheduler, ansible: Ansible, start: Callable[..., Cluster], three: Cluster, tmp_path: Path
) -> None:
    booted, kept = scheduler.booted, tmp_path / "kept"
    cluster = start(binaries.NEW, servers=3, name_prefix="mortal", tokens=three.tokens)
    ansible.inventory(
        hosts_of(cluster, count=3),
        backup_cluster="mortal",
        backup_dir="/srv/kept",
        schedule_name="consul-backup-{{ inventory_hostname }}",
        schedule_place="servers",
        schedule_ansible_playbook=str(Path(sys.executable).with_name("ansible-playbook")),
        schedule_collections_path=str(collections_root()),
    )
    scheduler.ok()
    check_private(booted, cluster)

    # All timers at once: one archive, and three services that ended well.
    assert set(all_at_once(booted, cluster).values()) == {"success"}
    (first,) = archives(kept)
    cluster.cli("snapshot", "inspect", first)

    # Another leader, and something new to save.
    leader = cluster.leader()
    cluster.cli("operator", "raft", "transfer-leader")
    wait_until(lambda: cluster.leader() not in (leader, None), "no other leader")
    assert cluster.http("PUT", "/v1/kv/new", data=b"1").status_code == 200
    assert set(all_at_once(booted, cluster).values()) == {"success"}
    (second,) = set(archives(kept)) - {first}
    cluster.cli("snapshot", "inspect", second)

    check_without_a_quorum(booted, cluster, kept)

    # One schedule on the controller instead: those of the servers are gone.
    scheduler.ok(schedule_place="controller", schedule_kind="cron")
    # This machine is the controller and all servers, so the first server's files had its name.
    assert "/etc/cron.d/consul-backup-mortal-1" in scheduler.files()
    assert [path for path in scheduler.files() if "mortal-2" in path or "mortal-3" in path or ".timer" in path] == []


def check_private(booted: Booted, cluster: Cluster) -> None:
    """The token of the inventory is in a private file, and nowhere else."""
    token = cluster.tokens.initial_management
    for server in cluster.servers:
        place = f"/etc/consul-schedule/consul-backup-{server.name}"
        assert token in booted.ok("cat", f"{place}/variables.json")
        assert booted.ok("stat", "-c", "%a", f"{place}/variables.json", place).split() == ["600", "700"]
        unit = f"/etc/systemd/system/consul-backup-{server.name}"
        assert token not in booted.ok("cat", f"{place}/run", f"{place}/inventory.json", f"{unit}.service")
        told = json.loads(booted.ok("cat", f"{place}/inventory.json"))
        assert list(told["consul"]["hosts"]) == [server.name]


def check_without_a_quorum(booted: Booted, cluster: Cluster, kept: Path) -> None:
    survivor, *others = cluster.followers()
    service = f"consul-backup-{survivor.name}.service"
    for server in cluster.servers:
        if server is not survivor:
            server.kill()
    assert others
    alone = f"http://127.0.0.1:{survivor.http_port}/v1/status/leader"
    wait_until(lambda: cluster.get("/v1/status/leader", server=survivor, token="") == "", f"{alone} has a leader")
    before = {path.name: path.read_bytes() for path in kept.iterdir()}
    # There is an archive that is new enough, so that is no reason to wake anybody.
    booted.ok("systemctl", "start", service)
    for manifest in kept.glob("*.manifest.json"):
        told: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        manifest.write_text(json.dumps({**told, "taken_at": OLD, "confirmed_at": OLD}), encoding="utf-8")
    for confirmation in kept.glob("*.confirmed-*"):
        confirmation.unlink()
    # Now there is none, and none can be taken.
    assert booted.run(["systemctl", "start", service]).returncode != 0
    said = booted.run([f"/etc/consul-schedule/{service.removesuffix('.service')}/run"]).stdout
    assert f"the newest archive was taken or confirmed at {OLD}, more than 36h ago" in said
    assert "the cluster has no leader; with backup_stale: true" in said
    assert {path.name for path in kept.iterdir()} <= before.keys()


OLD = "2026-01-02T03:04:05Z"
