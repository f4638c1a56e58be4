# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role rehearsal and its playbook: what is rehearsed, what is reported, and how the run ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from support.copies import MANIFEST
from support.yard import Yard, failed_hosts, samples

from lab import Cluster, binaries


@pytest.mark.every_version
def test_check_run_again_check(yard: Yard, three: Cluster) -> None:
    archive = yard.archive("alpha")
    inventory = yard.inventory({"alpha": {}})

    checked = yard.ansible.ok("rehearse", inventory, check=True)
    assert not checked.changed
    assert checked.says("alpha: would rehearse")
    assert not yard.reports.exists()

    played = yard.ansible.ok("rehearse", inventory)
    assert played.says("The cluster would come back.")
    report = yard.report()
    assert report["passed"]
    states = {"failed": 0, "unknown": 0, "missed": 0, "passed": 1}
    assert report["counts"] == {"clusters": 1, "archives": 1, "would_come_back": 1, **states}
    (cluster,) = report["clusters"]
    (rehearsal,) = cluster["rehearsals"]
    inspected = json.loads(three.cli("snapshot", "inspect", "-format=json", archive))
    assert rehearsal["records"] == {one["Name"]: one["Count"] for one in inspected["Stats"]}
    assert rehearsal["size"] == archive.stat().st_size
    assert cluster["rto"] == pytest.approx(
        sum(rehearsal["rto"][name] for name in ("start", "restore", "ready", "proof"))
    )

    time.sleep(1.1)
    yard.ansible.ok("rehearse", inventory)
    again = yard.report()
    assert [one["generated_at"] for one in again["history"]] == [report["generated_at"]]
    assert [one["state"] for one in again["clusters"][0]["history"]] == ["passed"]
    assert len(list((yard.reports / "history").glob("*.json"))) == 2

    assert not yard.ansible.ok("rehearse", inventory, check=True).changed
    assert yard.report() == again


def test_one_failure_stops_no_other(yard: Yard) -> None:
    yard.archive("alpha")
    yard.archive("cut", cut=True)
    # Its newest archive is the broken one, by its name; nobody looks into the older ones before that is known.
    yard.archive("second-best", name="dc1-20300101T000000Z-9.snap", cut=True, confirmed=False)
    older = yard.archive("second-best")
    odd = yard.archive("odd", name='{{ 7 * 7 }}<img src="x">.snap', confirmed=False)
    yard.archive("odd", name="not-an-archive.snap", confirmed=False).write_text("nothing", encoding="utf-8")
    yard.archive("no-consul")
    hosts: dict[str, dict[str, Any]] = {name: {} for name in ("alpha", "cut", "second-best", "odd", "nothing")}
    hosts["no-consul"] = {"rehearsal_consul_binary": "/no/such/consul"}
    hosts["wrong"] = {"rehearsal_pick": "yesterday"}
    hosts["worse"] = {"rehearsal_timeout": "an hour", "backup_cluster": "of-worse"}
    inventory = yard.inventory(hosts, rehearsal_textfile=str(yard.root / "consul.prom"), rehearsal_throttle=2)

    played = yard.ansible.fails(
        "rehearse",
        inventory,
        "cut: The archive does not verify",
        f"The directory {yard.root}/archives/nothing does not exist",
        "there is no program /no/such/consul",
        "wrong: The settings are not valid: rehearsal_pick must be newest, all, or a time",
        'got "yesterday"',
        f"Report: {yard.reports}/report.html",
    )
    assert failed_hosts(played) == {"cut", "second-best", "odd", "nothing", "no-consul", "wrong", "worse"}
    states = {one["cluster"]: one["state"] for one in yard.report()["clusters"]}
    assert states == {
        "cut": "failed",
        "no-consul": "unknown",
        "nothing": "failed",
        "wrong": "unknown",
        "of-worse": "unknown",
        "odd": "missed",
        "second-best": "missed",
        "alpha": "passed",
    }
    second = yard.cluster("second-best")
    assert second["rehearsals"][second["head"]]["archive"] == str(older)
    assert "1 other archive was not: dc1-20300101T000000Z-9.snap" in second["sentence"]
    assert str(odd) in {one["archive"] for one in yard.cluster("odd")["rehearsals"]}
    page = (yard.reports / "report.html").read_text(encoding="utf-8")
    assert "{{ 7 * 7 }}&lt;img src=" in page
    assert "<img" not in page

    metrics = samples(yard.root / "consul.prom")
    assert metrics["consul_snapshot_last_rehearsal_success", "alpha"] == 1
    named = {name.replace("worse", "of-worse") for name in failed_hosts(played)}
    assert {metrics["consul_snapshot_last_rehearsal_success", name] for name in named} == {0}
    assert ("consul_snapshot_last_success_timestamp_seconds", "cut") not in metrics


def test_missed_targets(yard: Yard) -> None:
    _fresh, slow, stale, poor = (yard.archive(name) for name in ("confirmed", "slow", "stale", "poor"))
    taken = yard.source.name.split("-")[1]
    manifest = json.loads(Path(f"{stale}{MANIFEST}").read_text(encoding="utf-8"))
    long_ago = {**manifest, "confirmed_at": "2020-01-01T00:00:00Z"}
    Path(f"{slow}{MANIFEST}").write_text("not a manifest", encoding="utf-8")
    Path(f"{stale}{MANIFEST}").write_text(json.dumps(long_ago), encoding="utf-8")
    hosts = {
        "confirmed": {"rehearsal_max_age": 3600, "rehearsal_max_rto": 120},
        "slow": {"rehearsal_max_rto": 0.01},
        "stale": {"rehearsal_max_age": 1},
        "poor": {"rehearsal_assertions": [{"name": "the crown jewels", "kv_key": "no/such/key"}]},
    }
    textfile = yard.root / "consul.prom"
    played = yard.ansible.fails(
        "rehearse", yard.inventory(hosts, rehearsal_textfile=str(textfile)), "but only 0.01 s are allowed"
    )
    assert failed_hosts(played) == {"slow", "stale", "poor"}
    assert played.says("All 4 clusters would come back. 3 would, but miss a target.")
    assert "the key no/such/key does not exist" in yard.cluster("poor")["sentence"]
    assert yard.cluster("stale")["rehearsals"][0]["taken_at"].replace("-", "").replace(":", "") == taken
    assert {one["verdict"] for name in hosts for one in yard.cluster(name)["rehearsals"]} == {"proven"}
    assert poor.exists()

    before = samples(textfile)
    assert before["consul_snapshot_last_rehearsal_success", "slow"] == 0
    assert before["consul_snapshot_archive_size_bytes", "slow"] == slow.stat().st_size

    # Another day, for one of them alone: what was told of the others stays, in the metrics and in the history.
    time.sleep(1.1)
    hosts["slow"] = {}
    inventory = yard.inventory(hosts, rehearsal_textfile=str(textfile))
    yard.ansible.ok("rehearse", inventory, options=["--limit", "slow"])
    after = samples(textfile)
    assert after["consul_snapshot_last_rehearsal_success", "slow"] == 1
    assert {key: value for key, value in after.items() if key[1] != "slow"} == {
        key: value for key, value in before.items() if key[1] != "slow"
    }
    assert [one["state"] for one in yard.cluster("slow")["history"]] == ["missed"]
    assert yard.report()["history"][0]["counts"]["missed"] == 3


def test_which_archives(yard: Yard) -> None:
    # A time is what the archive itself says; names and the files' times tell less.
    then, before = "2025-06-30T12:00:00Z", {"ID": "2-5-1577836800000"}  # 2020-01-01
    newest, old = yard.archive("everything"), yard.archive("everything", name="old.snap", confirmed=False, meta=before)
    yard.archive("back-then")
    past = yard.archive("back-then", name="dc1-20290101T000000Z-5.snap", confirmed=False, meta=before)
    decoy = yard.archive("this-one", name="decoy.snap", confirmed=False)
    yard.archive("this-one")
    hosts = {
        "everything": {"rehearsal_pick": "all"},
        "back-then": {"rehearsal_pick": then},
        "this-one": {"rehearsal_src": str(decoy)},
        "twin": {"rehearsal_src": str(decoy), "rehearsal_cluster": "this-one"},
        "other-version": {"rehearsal_src": str(decoy), "rehearsal_cluster": "this-one"},
    }
    hosts["other-version"]["rehearsal_consul_binary"] = str(binaries.consul(binaries.OLD))
    played = yard.ansible.fails("rehearse", yard.inventory(hosts))
    rehearsed = {one["cluster"]: {told["archive"] for told in one["rehearsals"]} for one in yard.report()["clusters"]}
    assert rehearsed == {"everything": {str(newest), str(old)}, "back-then": {str(past)}, "this-one": {str(decoy)}}
    # Hosts with the same work are one, and another Consul is other work.
    this = yard.cluster("this-one")
    assert this["hosts"] == ["other-version", "this-one"]
    assert sorted(one["verdict"] for one in this["rehearsals"]) == ["proven", "refused"]
    assert failed_hosts(played) == {"this-one", "twin", "other-version"}


def test_on_a_rehearsal_host(yard: Yard) -> None:
    yard.archive("alpha")
    hosts: dict[str, dict[str, Any]] = {
        "vault": {"ansible_connection": "elsewhere", "rehearsal_dir": str(yard.root / "archives" / "alpha")},
        "alpha": {},
        "beta": {"rehearsal_on": "gone"},
        "gone": {"ansible_connection": "elsewhere", "elsewhere_down": True},
    }
    inventory = yard.inventory(hosts, rehearsal_on="vault")
    options = ["--limit", "alpha,beta"]
    played = yard.ansible.fails(
        "rehearse", inventory, "The archives are on gone, which can't be reached", options=options
    )
    assert played.says("1 of 2 clusters would come back. 1 is unknown.")
    assert failed_hosts(played) == {"beta"}
    assert yard.cluster("alpha")["state"] == "passed"


@pytest.mark.nightly
def test_over_several_rehearsal_hosts(yard: Yard) -> None:
    names = [f"c{number}" for number in range(4)]
    only = ["--limit", ",".join(names)]
    for name in names:
        yard.archive(name)
    elsewhere = {"ansible_connection": "elsewhere"}
    hosts: dict[str, dict[str, Any]] = {
        **{name: {} for name in names},
        "r1": elsewhere,
        "r2": elsewhere,
        "down": {**elsewhere, "elsewhere_down": True},
        "bare": {**elsewhere, "elsewhere_hidden": str(binaries.consul().parent)},
    }
    inventory = yard.inventory(hosts, rehearsal_on=["r1", "r2", "down", "bare"], rehearsal_throttle=1)
    played = yard.ansible.ok("rehearse", inventory, options=only)
    assert played.says("down is not used: it can't be reached.")
    assert played.says("bare is not used:")
    assert {one["cluster"]: one["state"] for one in yard.report()["clusters"]} == dict.fromkeys(names, "passed")
    # Two each; what asks the hosts is a loop over them, and names its items.
    lines = [line for line in played.output.splitlines() if "(item=" not in line]
    there = {
        (name, host) for name in names for host in ("r1", "r2") if any(f"[{name} -> {host}" in one for one in lines)
    }
    assert sorted(host for _name, host in there) == ["r1", "r1", "r2", "r2"]
    # A directory that is on one of them only.
    inventory = yard.inventory(
        {**hosts, "r2": {**elsewhere, "elsewhere_hidden": str(yard.root / "archives")}}, rehearsal_on=["r1", "r2"]
    )
    played = yard.ansible.fails("rehearse", inventory, "each of them has to see that directory", options=only)
    assert played.says("2 of 4 clusters would come back.")
