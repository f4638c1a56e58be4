# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsals of inventories as they are: become for everything, other strategies, numbers for names, two runs."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.playbooks import Played
from support.yard import Yard, failed_hosts, samples

ROLE = {"role": "disaster_recovery.consul.rehearsal"}


def becoming(yard: Yard) -> None:
    """Let every host of the inventory become somebody by a program that is not there."""
    group = yard.root / "group_vars"
    group.mkdir()
    told = {"ansible_become": True, "ansible_become_exe": str(yard.root / "not-on-the-controller")}
    (group / "all.json").write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.nightly
def test_become_tags_numbers_and_no_word_of_where_one_is(yard: Yard) -> None:
    becoming(yard)
    yard.archive("42")
    yard.archive("7.5")
    hosts: dict[str, dict[str, Any]] = {
        "one": {"rehearsal_cluster": 42, "rehearsal_dir": str(yard.root / "archives" / "42")},
        "two": {"backup_cluster": 7.5, "rehearsal_dir": str(yard.root / "archives" / "7.5")},
    }
    textfile = yard.root / "consul.prom"
    inventory = yard.inventory(hosts, rehearsal_textfile=str(textfile))
    content = json.loads(inventory.read_text(encoding="utf-8"))
    del content["consul"]["vars"]["rehearsal_report_dir"]
    inventory.write_text(json.dumps(content), encoding="utf-8")
    play = yard.ansible.playbook({"hosts": "consul", "gather_facts": False, "roles": [ROLE]})
    # PWD is what a shell leaves behind; cron, systemd and AWX leave none, or another one.
    for where in ({"PWD": ""}, {"PWD": "/nonexistent"}):
        played = yard.ansible.ok(play, inventory, env=where, options=["--tags", "nightly"])
        assert played.says("All 2 clusters would come back.")
        assert played.says(f"Report: {yard.root}/consul-rehearsal/report.html")
    report = json.loads((yard.root / "consul-rehearsal" / "report.json").read_text(encoding="utf-8"))
    assert {one["cluster"]: one["state"] for one in report["clusters"]} == {"42": "passed", "7.5": "passed"}
    assert samples(textfile)["consul_snapshot_last_rehearsal_state", "42", "passed"] == 1


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("told", "options", "words"),
    [
        ({"strategy": "free"}, [], "Set 'strategy: linear' in the play"),
        ({"strategy": "host_pinned"}, [], "Set 'strategy: linear' in the play"),
        ({"serial": 2}, [], "rehearsal_throttle in place of serial"),
        ({}, ["--skip-tags", "always"], "would skip all that this role does"),
    ],
    ids=["free", "host_pinned", "serial", "skip-tags"],
)
def test_plays_in_which_there_can_be_no_report(
    yard: Yard, told: dict[str, Any], options: list[str], words: str
) -> None:
    names = ("alpha", "beta", "gamma", "delta")
    for name in names:
        yard.archive(name)
    play = yard.ansible.playbook({"hosts": "consul", "gather_facts": False, "roles": [ROLE], **told})
    yard.ansible.fails(play, yard.inventory({name: {} for name in names}), words, options=options)
    assert not yard.reports.exists()


@pytest.mark.nightly
def test_names_that_are_nearly_those_of_the_role(yard: Yard) -> None:
    yard.archive("alpha")
    yard.archive("beta")
    hosts = {"alpha": {"rehearsal_max_agee": 60}, "beta": {}}
    played = yard.ansible.fails("rehearse", yard.inventory(hosts), "rehearsal_max_agee instead of rehearsal_max_age")
    assert failed_hosts(played) == {"alpha"}
    assert yard.cluster("alpha")["state"] == "unknown"
    others = yard.inventory(hosts, rehearsal_other_variables=["rehearsal_max_agee"])
    yard.ansible.ok("rehearse", others)


@pytest.mark.nightly
def test_two_runs_at_once(yard: Yard) -> None:
    textfile = yard.root / "consul.prom"
    names = ("alpha", "beta", "gamma")
    for name in names:
        yard.archive(name)
    inventory = yard.inventory({name: {} for name in names}, rehearsal_textfile=str(textfile))
    done: dict[str, Played] = {}

    def rehearse(name: str) -> None:
        done[name] = yard.ansible.run("rehearse", inventory, options=["--limit", name])

    threads = [threading.Thread(target=rehearse, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.code for one in done.values()] == [0] * len(names), done
    told = samples(textfile)
    assert {key[1] for key in told} == set(names)
    kept = sorted((yard.reports / "history").glob("*.json"))
    assert len(kept) == len(names)
    found = [json.loads(path.read_text(encoding="utf-8"))["clusters"][0]["cluster"] for path in kept]
    assert sorted(found) == sorted(names)
    assert {one["cluster"] for one in yard.report()["clusters"]} == set(names)


def test_a_part_of_the_fleet_is_renewed_in_its_report_and_old_reports_go(yard: Yard) -> None:
    for name in ("alpha", "beta", "leaves"):
        yard.archive(name)
    history = yard.reports / "history"
    hosts: dict[str, dict[str, Any]] = {"alpha": {}, "beta": {}, "empty": {}, "leaves": {}}
    yard.ansible.fails("rehearse", yard.inventory(hosts), "does not exist")
    whole = yard.report()
    assert {one["cluster"]: one["state"] for one in whole["clusters"]} == {
        "alpha": "passed",
        "beta": "passed",
        "empty": "failed",
        "leaves": "passed",
    }
    # Its backup is repaired, and one cluster leaves the inventory.
    yard.archive("empty")
    time.sleep(1.1)
    inventory = yard.inventory({name: {} for name in ("alpha", "beta", "empty")}, rehearsal_history_keep=1)
    played = yard.ansible.ok("rehearse", inventory, options=["--limit", "empty"])
    assert played.says("The cluster would come back.")
    fleet = yard.report()
    assert {one["cluster"]: (one["state"], one.get("as_of")) for one in fleet["clusters"]} == {
        "alpha": ("passed", whole["generated_at"]),
        "beta": ("passed", whole["generated_at"]),
        "empty": ("passed", None),
    }
    before = {one["cluster"]: one for one in whole["clusters"]}
    for one in fleet["clusters"]:
        if "as_of" in one:
            assert (one["age"], one["rto"]) == (None, before[one["cluster"]]["rto"])
            assert one["sentence"] == before[one["cluster"]]["sentence"]
    assert fleet["verdict"] == "All 3 clusters would come back."
    assert "2 clusters were not part of this run" in fleet["remark"]
    # The report of the run alone says so of itself; what is left out is still needed, so nothing went.
    alone = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(history.glob("*.json"))]
    assert [(one["limited"], len(one["clusters"])) for one in alone] == [(False, 4), (True, 1)]
    time.sleep(1.1)
    yard.ansible.ok("rehearse", inventory)
    assert not any("as_of" in one for one in yard.report()["clusters"])
    assert sorted(path.suffix for path in history.iterdir()) == [".html", ".json"]
    assert json.loads(next(history.glob("*.json")).read_text(encoding="utf-8")) == yard.report()


@pytest.mark.nightly
def test_what_is_in_the_directory_of_the_reports_spoils_nothing(yard: Yard) -> None:
    yard.archive("alpha")
    history = yard.reports / "history"
    history.mkdir(parents=True)
    good = {"schema": "disaster_recovery.consul/rehearsal-report", "version": 1, "generated_at": "2026-01-01T00:00:00Z"}
    counts = {"clusters": 1, "failed": 0, "unknown": 0, "missed": 0, "passed": 1}
    odd = {**good, "counts": counts, "rto": "fast", "rpo": {"worst": [1]}, "passed": "{{ 7 * 7 }}"}
    odd["clusters"] = [{"cluster": "alpha", "state": "passed", "rto": {"a": 1}, "age": "x"}]
    (history / "20260101T000000Z.json").write_text(json.dumps(odd), encoding="utf-8")
    (history / "20260102T000000Z.json").write_text("[" * 200_000, encoding="utf-8")
    (history / "20260103T000000Z.json").write_text(json.dumps({**odd, "counts": {**counts, "passed": "1"}}))
    (history / "20260104T000000Z.json").symlink_to("/dev/zero")
    (history / "zzz.json").write_text("{", encoding="utf-8")
    subprocess.run(["mkfifo", str(history / "20260105T000000Z.json")], check=True)
    yard.ansible.ok("rehearse", yard.inventory({"alpha": {}}))
    assert [one["generated_at"] for one in yard.report()["history"]] == [good["generated_at"]]


@pytest.mark.nightly
def test_names_from_directories_and_inventories_stay_names(yard: Yard) -> None:
    evil = '{{ 7 * 7 }}<b>"\x1b[2J\u202e'
    yard.archive("alpha", name=f"{evil}.snap", cut=True, confirmed=False)
    yard.archive(evil, place="odd")
    hosts: dict[str, dict[str, Any]] = {
        "alpha": {},
        "odd": {"rehearsal_cluster": {"__ansible_unsafe": evil}, "rehearsal_dir": str(yard.root / "archives" / "odd")},
    }
    textfile = yard.root / "consul.prom"
    played = yard.ansible.fails("rehearse", yard.inventory(hosts, rehearsal_textfile=str(textfile)))
    assert failed_hosts(played) == {"alpha"}
    page = (yard.reports / "report.html").read_text(encoding="utf-8")
    assert "{{ 7 * 7 }}&lt;b&gt;" in page
    for text in (page, played.output):
        assert not [one for one in text if not one.isprintable() and one not in "\n\t"]
    assert {Path(one).name for one in yard.reports.iterdir()} == {"history", "report.html", "report.json"}
    assert samples(textfile)["consul_snapshot_last_rehearsal_success", evil] == 1
