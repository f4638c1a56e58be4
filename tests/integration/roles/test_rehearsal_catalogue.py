# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of a report: archives in a directory, in a real bucket and in stores that are not there."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.archives import META, part_of
from support.copies import MANIFEST
from support.playbooks import Ansible
from support.stores import VersityGw
from support.yard import Yard, failed_hosts, samples

DAY = 86400
KEY = "consul/alpha/{}"


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def series(yard: Yard, cluster: str, days: int, **manifest: Any) -> list[Path]:
    """Put an archive a day into a cluster's directory, the newest first."""
    index, now = json.loads(part_of(yard.source.read_bytes(), META))["Index"], time.time()
    found = []
    for day in range(days):
        taken = now - day * DAY - 60
        name, meta = f"dc1-{day:02}.snap", {"ID": f"2-{index - day}-{int(taken * 1000)}", "Index": index - day}
        told = {"taken_at": at(taken), "confirmed_at": at(taken), **manifest}
        found.append(yard.archive(cluster, name=name, meta=meta, **told))
        document = json.loads(Path(f"{found[-1]}{MANIFEST}").read_text(encoding="utf-8"))
        document["meta"]["index"] = index - day
        Path(f"{found[-1]}{MANIFEST}").write_text(json.dumps(document), encoding="utf-8")
    return found


@pytest.fixture
def ansible(tmp_path: Path, secrets: list[str], gateway: VersityGw) -> Ansible:
    """Runs playbooks; every output is searched for secrets, those of the store among them."""
    return Ansible(tmp_path, [*secrets, gateway.secret_key], timeout=400)


@pytest.mark.every_version
def test_two_stores_and_one_that_is_not_there(yard: Yard, gateway: VersityGw) -> None:
    archives = series(yard, "alpha", 4)
    series(yard, "beta", 1)
    yard.archive("gone", place="alpha", name="retired.snap")
    gateway.make_bucket("catalogue")
    client = gateway.client()
    for path in archives[:2]:
        for one in (path, Path(f"{path}{MANIFEST}")):
            client.put_object(Bucket="catalogue", Key=KEY.format(one.name), Body=one.read_bytes())
    bucket = {"path": "s3://catalogue/consul/alpha/", "store": gateway.options(timeout=10, retries=0)}
    broken = {"path": "s3://no-such-bucket/x/", "store": gateway.options(timeout=10, retries=0)}
    here = f"{yard.root}/archives/{{{{ inventory_hostname }}}}"
    slo = {"copies": 5, "places": 2, "max_age": DAY, "max_rehearsal_age": DAY}
    hosts: dict[str, dict[str, Any]] = {
        "alpha": {"rehearsal_catalogue": [here, bucket, broken], "rehearsal_slo": slo, "backup_keep_last": 3},
        "beta": {"rehearsal_slo": slo},
        "nothing": {"rehearsal_slo": {"copies": 1}},
        "wrong": {"rehearsal_slo": {"copies": 1}, "rehearsal_pick": "yesterday"},
        "odd": {"rehearsal_slo": {"copies": -1}},
    }
    textfile = yard.root / "consul.prom"
    inventory = yard.inventory(hosts, rehearsal_textfile=str(textfile))
    before = sorted(yard.root.joinpath("archives").rglob("*"))
    played = yard.ansible.fails(
        "rehearse",
        inventory,
        "beta: Restored and proven",
        "The service level is missed: there is 1 verified archive, 5 required; 1 store with a current archive, 2",
        "odd: The settings are not valid: rehearsal_slo is not valid: copies must be a number, 0 or more.",
    )
    # A store that is not there is a row; what the others have is enough.
    assert failed_hosts(played) == {"beta", "nothing", "wrong", "odd"}
    assert sorted(yard.root.joinpath("archives").rglob("*")) == before
    alpha = yard.cluster("alpha")
    assert (alpha["state"], alpha["slo"]["met"], alpha["slo"]["unread"]) == ("passed", True, 1)
    local, remote, absent = alpha["stores"]
    assert (local["store"], local["on"], local["verified"]) == (str(archives[0].parent), "localhost", 4)
    assert local["bytes"] == sum(path.stat().st_size for path in archives)
    assert [one["size"] for one in local["sizes"]] == [path.stat().st_size for path in reversed(archives)]
    assert (remote["store"], remote["on"], remote["verified"]) == (bucket["path"], None, 2)
    assert (local["proven"], remote["proven"]) == (True, True)
    assert (absent["verified"], absent["next_prune"]) == (0, None)
    assert "no-such-bucket" in absent["problem"]
    goes = [one["file"] for one in local["next_prune"]["archives"] if not one["keep"]]
    assert (goes, local["next_prune"]["removes"], remote["next_prune"]["removes"]) == ([archives[3].name], 1, 0)
    assert local["next_prune"]["archives"][1]["reasons"][0] == "the newest verified"
    assert yard.report()["other_clusters"] == ["gone"]
    assert yard.report()["slo"] == {"limited": 4, "met": 1}
    assert [one["met"] for one in yard.cluster("nothing")["slo"]["requirements"]] == [False]
    # A cluster whose host fell out is held to what the inventory asks of it.
    assert [one["met"] for one in yard.cluster("wrong")["slo"]["requirements"]] == [False]
    found = samples(textfile)
    assert found["consul_snapshot_archives", "alpha", bucket["path"]] == 2
    assert found["consul_snapshot_store_read", "alpha", broken["path"]] == 0
    assert ("consul_snapshot_archives", "alpha", broken["path"]) not in found
    assert found["consul_snapshot_slo_met", "beta", "places"] == 0
    assert found["consul_snapshot_slo_met", "nothing", "copies"] == 0
    assert time.time() - 300 < found["consul_snapshot_expected_timestamp_seconds", "wrong"] <= time.time()
    page = (yard.reports / "report.html").read_text(encoding="utf-8")
    assert "1 of 4 clusters meet their service level." in page
    assert "removes 1 of 4" in page

    checked = yard.ansible.fails("rehearse", inventory, check=True)
    assert "alpha" not in failed_hosts(checked)


@pytest.mark.nightly
def test_hostile_manifests_and_a_host_that_is_gone(yard: Yard) -> None:
    evil = '{{ 7 * 7 }}<img src="x">\u202egnp'
    path = yard.archive("alpha")
    other = yard.archive(evil, place="alpha", name=f"{evil}.snap")
    held = Path(f"{path}.hold-20260101T000000Z")
    held.write_text(json.dumps({"schema": "x", "reason": evil}), encoding="utf-8")
    away = {"ansible_connection": "elsewhere", "elsewhere_down": True}
    hosts: dict[str, dict[str, Any]] = {"alpha": {}, "away": {**away, "rehearsal_on": "away"}}
    played = yard.ansible.fails("rehearse", yard.inventory(hosts, rehearsal_slo={"copies": 1}, backup_keep_last=1))
    assert failed_hosts(played) == {"away"}
    (store,) = yard.cluster("alpha")["stores"]
    assert (store["verified"], store["held"], other.exists()) == (1, 1, True)
    assert yard.report()["other_clusters"] == ['{{ 7 * 7 }}<img src="x">\\u202egnp']
    assert yard.cluster("away")["slo"]["met"] is False
    assert [one["problem"].partition(":")[0] for one in yard.cluster("away")["stores"]] == ["away can't be reached"]
    page = (yard.reports / "report.html").read_text(encoding="utf-8")
    assert "{{ 7 * 7 }}&lt;img src=" in page
    assert "<img" not in page
    assert "\u202e" not in page
