# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal must not claim: whose an archive is, when it was taken, and what it did not look at."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support.archives import META, part_of
from support.copies import MANIFEST, copy_for, put_copy
from support.playbooks import Ansible, hosts_of
from support.yard import Yard, failed_hosts, samples

from lab import Cluster

DAY = 86400


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_several_clusters_in_one_directory(yard: Yard) -> None:
    mine = yard.archive("alpha", place="all", name="alpha.snap")
    theirs = yard.archive("beta", place="all", name="beta.snap")
    yard.archive("gamma", place="all", name="gamma.snap", confirmed=False)
    inventory = yard.inventory({name: {} for name in ("alpha", "beta", "gamma")}, rehearsal_dir=str(mine.parent))
    played = yard.ansible.fails("rehearse", inventory, f"No archive of gamma is in {mine.parent} on localhost")
    assert failed_hosts(played) == {"gamma"}
    assert played.says("2 of 3 clusters would come back. 1 would not. RTO: unbounded for 1")
    rehearsed = {one["cluster"]: [told["archive"] for told in one["rehearsals"]] for one in yard.report()["clusters"]}
    assert rehearsed == {"alpha": [str(mine)], "beta": [str(theirs)], "gamma": []}
    assert {one["cluster"]: one["state"] for one in yard.report()["clusters"]}["gamma"] == "failed"
    # By itself as well a cluster that was never backed up doesn't live on the archives of others.
    theirs.unlink()
    yard.ansible.fails("rehearse", inventory, "No archive of beta is in", options=["--limit", "beta"])
    assert yard.cluster("beta")["state"] == "failed"


def test_names_that_do_not_fit_the_clusters(yard: Yard) -> None:
    """Two names for one cluster, one name for two, and an archive of another cluster."""
    data = copy_for(yard.source.read_bytes(), "twins")
    manifest = Path(f"{yard.source}{MANIFEST}").read_text(encoding="utf-8")
    for name in ("castor", "pollux"):
        path = yard.root / "archives" / name / "x.snap"
        path.parent.mkdir(parents=True)
        put_copy(data, manifest, path, name=name)
    yard.archive("fine")
    now = time.time()
    for name, begin, end in (("one", 3, 1), ("two", 2, 0)):
        meta = {
            "ID": f"2-{json.loads(part_of(yard.source.read_bytes(), META))['Index']}-{int(now - begin * DAY) * 1000}"
        }
        told = {"taken_at": at(now - begin * DAY), "confirmed_at": at(now - end * DAY)}
        path = yard.archive(name, place="janus", name=f"{name}.snap", meta=meta, **told)
        document = json.loads(Path(f"{path}{MANIFEST}").read_text(encoding="utf-8"))
        document["cluster"]["name"] = "janus"
        Path(f"{path}{MANIFEST}").write_text(json.dumps(document), encoding="utf-8")
    lost = yard.archive("somebody", place="lost")
    hosts: dict[str, dict[str, Any]] = {name: {} for name in ("castor", "pollux", "janus", "fine")}
    hosts["lost"] = {"rehearsal_src": str(lost)}
    played = yard.ansible.fails(
        "rehearse",
        yard.inventory(hosts),
        "castor: Its newest archive is of the same Consul cluster as that of pollux.",
        "pollux: Its newest archive is of the same Consul cluster as that of castor.",
        "janus: Its archives are of two Consul clusters that existed at the same time",
        "was saved for the cluster somebody, not for this one.",
    )
    assert failed_hosts(played) == set(hosts) - {"fine"}
    assert played.says("1 of 5 clusters would come back. 4 are unknown.")


def test_one_archive_that_is_dated_into_the_future_freezes_nothing(yard: Yard) -> None:
    index = json.loads(part_of(yard.source.read_bytes(), META))["Index"]
    future = time.time() + 300 * DAY
    ahead = yard.archive(
        "alpha",
        name="dc1-20300101T000000Z-5.snap",
        meta={"ID": f"2-{index - 5}-{int(future * 1000)}", "Index": index - 5},
        taken_at=at(future),
        confirmed_at=at(future),
    )
    newest = yard.archive("alpha")
    textfile = yard.root / "consul.prom"
    inventory = yard.inventory({"alpha": {}}, rehearsal_max_age=DAY, rehearsal_textfile=str(textfile))
    document = json.loads(Path(f"{ahead}{MANIFEST}").read_text(encoding="utf-8"))
    document["meta"]["index"] = index - 5
    Path(f"{ahead}{MANIFEST}").write_text(json.dumps(document), encoding="utf-8")
    yard.ansible.ok("rehearse", inventory)
    cluster = yard.cluster("alpha")
    assert [one["archive"] for one in cluster["rehearsals"]] == [str(newest)]
    assert "1 archive is dated more than a day ahead of now: dc1-20300101T000000Z-5.snap" in cluster["remarks"][0]
    assert cluster["age"] >= 0
    assert cluster["remarks"][0] in (yard.reports / "report.html").read_text(encoding="utf-8")
    assert samples(textfile)["consul_snapshot_last_success_timestamp_seconds", "alpha"] <= time.time()

    # Where there is nothing else its content is proven, and its age is not known.
    newest.unlink()
    yard.ansible.fails("rehearse", inventory, "the age of the archive is not known")
    assert (yard.cluster("alpha")["age"], yard.cluster("alpha")["state"]) == (None, "missed")


def test_a_confirmation_counts_wherever_it_is(yard: Yard) -> None:
    long_ago, now = at(time.time() - 3 * DAY), at(time.time() - 7)
    index = json.loads(part_of(yard.source.read_bytes(), META))["Index"]
    meta = {"ID": f"2-{index}-{int((time.time() - 4 * DAY) * 1000)}"}
    old = yard.archive("alpha", name="old.snap", meta=meta, taken_at=long_ago, confirmed_at=long_ago)
    yard.archive("alpha", place="elsewhere", name="copy.snap", meta=meta, taken_at=long_ago, confirmed_at=now)
    stale = yard.archive("stale", confirmed_by_leader=False)
    hosts = {
        "first": {"rehearsal_cluster": "alpha", "rehearsal_dir": str(old.parent)},
        "second": {"rehearsal_cluster": "alpha", "rehearsal_dir": str(yard.root / "archives" / "elsewhere")},
        "stale": {},
    }
    played = yard.ansible.fails("rehearse", yard.inventory(hosts, rehearsal_max_age=3600))
    assert failed_hosts(played) == {"stale"}
    alpha = yard.cluster("alpha")
    assert alpha["age"] < 600
    assert {one["age"] for one in alpha["rehearsals"]} == {alpha["age"]}
    assert "No leader confirmed the archive" in " ".join(yard.cluster("stale")["remarks"])
    assert yard.cluster("stale")["rehearsals"][0]["archive"] == str(stale)
    assert yard.cluster("stale")["age"] is None


def test_without_a_consul_nothing_is_known_of_anybody(yard: Yard) -> None:
    yard.archive("alpha")
    yard.archive("beta")
    inventory = yard.inventory({"alpha": {}, "beta": {}}, rehearsal_consul_binary="/no/such/consul")
    played = yard.ansible.fails("rehearse", inventory, "Whether any of the 2 clusters would come back is not known.")
    assert not played.says("None")
    assert {one["state"] for one in yard.report()["clusters"]} == {"unknown"}
    assert yard.report()["rpo"]["unbounded"] == 0


def test_the_attempt_of_every_cluster_is_told(ansible: Ansible, three: Cluster, tmp_path: Path) -> None:
    """The role backup, when all fail, some fail, and when a host of a cluster gives way to another one."""
    dead = {"backup_connection": {"host": "127.0.0.1", "port": 1, "retries": 0}, "ansible_connection": "elsewhere"}
    gone = {"backup_connection": {"host": "127.0.0.1"}, "ansible_connection": "elsewhere", "elsewhere_down": True}
    hosts: dict[str, dict[str, Any]] = {
        **{"dead-1": {**dead, "backup_cluster": "dead"}, "dead-2": {**gone, "backup_cluster": "dead"}},
        **{"gone": {**gone, "backup_cluster": 7}, "wrong": {**dead, "backup_mode": ["no", "mode"]}},
    }
    textfile = tmp_path / "consul.prom"
    told = {"backup_textfile": str(textfile), "backup_dir": str(tmp_path / "kept")}
    ansible.fails("backup", ansible.inventory(hosts, **told))
    attempts = samples(textfile)
    for name in ("dead", "7"):
        assert attempts["consul_snapshot_last_attempt_success", name] == 0
        assert time.time() - 300 < attempts["consul_snapshot_last_attempt_timestamp_seconds", name] <= time.time()
        assert ("consul_snapshot_last_success_timestamp_seconds", name) not in attempts
    kinds = {key[1:] for key in attempts if key[0] == "consul_snapshot_last_failure_timestamp_seconds"}
    assert {("dead", "connection"), ("7", "unreachable")} <= kinds
    # The inventory tells which clusters there should be, also of a host that could not even begin.
    expected = {key[1] for key in attempts if key[0] == "consul_snapshot_expected_timestamp_seconds"}
    assert expected == {"dead", "7", "wrong"}

    served = hosts_of(three, count=1)
    everybody = {**hosts, **{name: {**one, "backup_cluster": "three"} for name, one in served.items()}}
    ansible.fails("backup", ansible.inventory(everybody, **told))
    attempts = samples(textfile)
    assert attempts["consul_snapshot_last_attempt_success", "three"] == 1
    assert attempts["consul_snapshot_last_attempt_success", "dead"] == 0
    assert attempts["consul_snapshot_last_attempt_success", "wrong"] == 0
    assert attempts["consul_snapshot_last_success_timestamp_seconds", "three"] <= time.time()
    assert "three" not in {key[1] for key in attempts if key[0] == "consul_snapshot_last_failure_timestamp_seconds"}
    assert ("consul_snapshot_expected_timestamp_seconds", "three") in attempts
