# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as Prometheus' own client reads them, and what stays in a file that is there already."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import metrics as _metrics
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report.history import STATES
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._report import build_report
from browser import example, example_catalogue

parser = pytest.importorskip("prometheus_client.parser", reason="not among what the oldest Python is tested with")
LATER = from_text(example.NOW)
ODD = 'a "quoted" \\name\\n of\ntwo lines, {braces}, ünï="x" 7'


def told(text: str) -> dict[tuple[str, ...], float]:
    """Return what a text says: name and label values to values."""
    found = {}
    for family in parser.text_string_to_metric_families(text):
        assert family.type == "gauge"
        for sample in family.samples:
            key = (sample.name, *sample.labels.values())
            assert key not in found
            found[key] = sample.value
    return found


def report_of(*entries: dict[str, Any]) -> dict[str, Any]:
    return build_report([{**one} for one in entries], now=from_text(example.NOW))


def test_all_of_a_fleet() -> None:
    report = report_of(*example.fleet())
    found = told(_metrics.merge("", _metrics.of_report(report), LATER))
    for cluster in report["clusters"]:
        name, datacenter = cluster["cluster"], cluster["datacenter"] or ""
        assert found[_metrics.LAST_REHEARSAL_SUCCESS, datacenter, name] == (cluster["state"] == "passed")
        states = {state: found[_metrics.LAST_REHEARSAL_STATE, datacenter, name, state] for state in STATES}
        assert {state for state, value in states.items() if value} == {cluster["state"]}
        if cluster["rto"] is None:
            assert (_metrics.RTO, datacenter, name, "start") not in found
            assert (_metrics.LAST_SUCCESS, datacenter, name) not in found
            continue
        phases = ("start", "restore", "ready", "proof")
        total = sum(found[_metrics.RTO, datacenter, name, phase] for phase in phases)
        assert total == pytest.approx(cluster["rto"], abs=0.02)
        moment = found[_metrics.LAST_SUCCESS, datacenter, name]
        assert found[_metrics.LAST_REHEARSAL, datacenter, name] - moment == cluster["age"]
        (rehearsal,) = cluster["rehearsals"]
        assert found[_metrics.SIZE, datacenter, name] == rehearsal["size"]
        records = {key[3]: value for key, value in found.items() if key[:3] == (_metrics.RECORDS, datacenter, name)}
        assert records == rehearsal["records"]


def test_odd_names_are_escaped_and_read_again() -> None:
    samples = _metrics.of_report(
        report_of(example.entry(ODD, example.result(ODD, datacenter='d"c\n\x1b[2J' + "x" * 999)))
    )
    text = _metrics.merge("", samples, LATER)
    ((datacenter, value),) = [(key[1], value) for key, value in told(text).items() if key[0] == _metrics.LAST_REHEARSAL]
    assert datacenter.startswith('d"c \\x1b[2J')
    assert len(datacenter) == 200
    assert value == LATER
    assert told(text)[_metrics.LAST_REHEARSAL_SUCCESS, datacenter, ODD] == 1
    assert _metrics.merge(text, [], LATER) == text


def test_what_another_run_told_stays() -> None:
    everything = _metrics.merge("", _metrics.of_report(report_of(*example.fleet())), LATER)
    backup = {
        "cluster": "staging",
        "datacenter": "dc1",
        "taken_at": example.NOW,
        "size": 5,
        "records": {"KVS": {"count": 3, "size": 9}},
    }
    merged = _metrics.merge(everything, _metrics.of_backups([backup], [], LATER), LATER)
    before, after = told(everything), told(merged)
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    attempt = {_metrics.LAST_ATTEMPT, _metrics.LAST_ATTEMPT_SUCCESS}
    assert {key[0] for key in changed} == {_metrics.LAST_SUCCESS, _metrics.SIZE, _metrics.RECORDS, *attempt}
    assert {key[2] for key in changed} == {"staging"}
    assert {key[3]: value for key, value in after.items() if key[:3] == (_metrics.RECORDS, "dc1", "staging")} == {
        "KVS": 3
    }
    assert after[_metrics.LAST_REHEARSAL_SUCCESS, "dc1", "staging"] == 1


def test_a_rehearsal_that_fails_takes_back_what_no_longer_holds() -> None:
    good = _metrics.merge("", _metrics.of_report(report_of(example.entry("a", example.result("a")))), LATER)
    # The archive can't be read, so that only the name tells which cluster it is.
    broken = example.failed(
        "refused", "it is cut short", cluster="a", datacenter=None, size=None, records=None, taken_at=None
    )
    found = told(_metrics.merge(good, _metrics.of_report(report_of(example.entry("a", broken))), LATER))
    assert found[_metrics.LAST_REHEARSAL_SUCCESS, "dc1", "a"] == 0
    assert (_metrics.LAST_REHEARSAL_SUCCESS, "", "a") not in found
    assert not [key for key in found if key[0] == _metrics.RTO]
    assert found[_metrics.LAST_SUCCESS, "dc1", "a"] == told(good)[_metrics.LAST_SUCCESS, "dc1", "a"]


@pytest.mark.parametrize(
    "line", ["node_load1 0.5", 'consul_snapshot_other{a="b"} 1', "half a lin", f'{_metrics.RTO}{{cluster="a"}} NaN']
)
def test_a_file_of_somebody_else_is_left_alone(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 was not written by this collection"):
        _metrics.merge(f"# HELP x y\n{line}\n", [], LATER)


def backup(cluster: str = "a", datacenter: str = "dc1", **changes: Any) -> dict[str, Any]:
    told = {"cluster": cluster, "datacenter": datacenter, "confirmed_by_leader": True, "changed": True}
    return {**told, "taken_at": example.ago(60), "confirmed_at": example.ago(60), "size": 5, "records": {}, **changes}


def test_records_in_another_shape_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="records of a: KVS must have count and size"):
        after("", backup(records={"KVS": 3}))


def after(existing: str, *backups: dict[str, Any], attempted: tuple[str, ...] = ()) -> str:
    return _metrics.merge(existing, _metrics.of_backups(backups, attempted, LATER), LATER)


def test_a_cluster_has_one_series_whatever_datacenter_was_known_of_it() -> None:
    # Rehearsed before there was any archive, then backed up, then moved.
    first = _metrics.merge("", _metrics.of_report(report_of(example.entry("a", missing="no archive"))), LATER)
    assert told(first)[_metrics.LAST_REHEARSAL_SUCCESS, "", "a"] == 0
    for datacenter in ("dc1", "dc2"):
        first = after(first, backup("a", datacenter))
        assert {key[1:3] for key in told(first)} == {(datacenter, "a")}
    rehearsed = _metrics.merge(first, _metrics.of_report(report_of(example.entry("a", missing="gone"))), LATER)
    assert {key[1:3] for key in told(rehearsed)} == {("dc2", "a")}


def test_what_an_older_version_left_twice_is_one_series_again() -> None:
    lines = [
        f'{_metrics.LAST_SUCCESS}{{datacenter="{place}",cluster="a"}} {at}\n' for place, at in (("dc1", 7), ("dc0", 5))
    ]
    lines += [
        f'{_metrics.LAST_REHEARSAL_SUCCESS}{{datacenter="{place}",cluster="a"}} {on}\n'
        for place, on in (("", 0), ("dc1", 1))
    ]
    for order in (lines, lines[::-1]):
        assert told(_metrics.merge("".join(order), [], LATER)) == {
            (_metrics.LAST_SUCCESS, "dc1", "a"): 7,
            (_metrics.LAST_REHEARSAL_SUCCESS, "dc1", "a"): 1,
        }


def test_an_attempt_is_told_even_of_a_cluster_that_was_never_backed_up() -> None:
    text = after("", backup("a"), attempted=("a", "never"))
    assert told(text)[_metrics.LAST_ATTEMPT, "dc1", "a"] == told(text)[_metrics.LAST_ATTEMPT, "", "never"] == LATER
    assert told(text)[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "a"] == 1
    assert told(text)[_metrics.LAST_ATTEMPT_SUCCESS, "", "never"] == 0
    assert (_metrics.LAST_SUCCESS, "", "never") not in told(text)
    # The next night it is the other way round; what was there of the first stays.
    text = after(text, backup("never"), attempted=("a", "never"))
    assert told(text)[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "a"] == 0
    assert told(text)[_metrics.LAST_SUCCESS, "dc1", "a"] == LATER - 60
    assert told(text)[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "never"] == 1


def test_what_no_leader_confirmed_is_no_success() -> None:
    text = after(after("", backup(size=7)), backup(confirmed_by_leader=False, taken_at=example.NOW, size=9))
    found = told(text)
    assert found[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "a"] == 0
    assert found[_metrics.LAST_SUCCESS, "dc1", "a"] == LATER - 60
    assert found[_metrics.SIZE, "dc1", "a"] == 7


def test_a_store_without_its_copy_is_named_and_the_attempt_is_no_success() -> None:
    stores = {"s3://vault/a/": True, "/mnt/nfs/a": False}
    text = after("", backup(copies=stores, size=9))
    found = told(text)
    assert {key[3]: value for key, value in found.items() if key[0] == _metrics.COPY} == {
        "s3://vault/a/": 1,
        "/mnt/nfs/a": 0,
    }
    assert found[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "a"] == 0
    # The archive itself was kept.
    assert (found[_metrics.LAST_SUCCESS, "dc1", "a"], found[_metrics.SIZE, "dc1", "a"]) == (LATER - 60, 9)
    # All have theirs; one store is no longer named.
    found = told(after(text, backup(copies={"s3://vault/a/": True})))
    assert [key[3] for key in found if key[0] == _metrics.COPY] == ["s3://vault/a/"]
    assert found[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "a"] == 1
    assert not [key for key in told(after(text, backup())) if key[0] == _metrics.COPY]


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"taken_at": example.ago(-3600)}, LATER),
        ({"taken_at": example.ago(-400 * 86400)}, LATER - 60),
        ({"taken_at": example.ago(-400 * 86400), "confirmed_at": None}, LATER),
        ({"taken_at": example.ago(-400 * 86400), "confirmed_at": None, "changed": False}, None),
    ],
)
def test_no_time_lies_ahead_of_now(changes: dict[str, Any], at: float | None) -> None:
    assert told(after("", backup(**changes))).get((_metrics.LAST_SUCCESS, "dc1", "a")) == at


def test_a_time_ahead_of_now_that_is_there_already_goes() -> None:
    line = f'{_metrics.LAST_SUCCESS}{{datacenter="dc1",cluster="%s"}} %d\n'
    text = line % ("far", LATER + 40 * 86400) + line % ("near", LATER + 50) + line % ("past", LATER - 50)
    assert told(_metrics.merge(text, [], LATER)) == {
        (_metrics.LAST_SUCCESS, "dc1", "near"): LATER,
        (_metrics.LAST_SUCCESS, "dc1", "past"): LATER - 50,
    }


@pytest.mark.parametrize(("pick", "age"), [("newest", 3600), ("all", 3600), ("2020-01-01", 60), ("one archive", 60)])
def test_a_rehearsal_of_an_old_archive_says_nothing_of_the_backups(pick: str, age: float) -> None:
    entry = {**example.entry("a", example.result("a", age=3600)), "pick": pick}
    found = told(_metrics.merge(after("", backup()), _metrics.of_report(report_of(entry)), LATER))
    assert found[_metrics.LAST_SUCCESS, "dc1", "a"] == LATER - age
    assert found[_metrics.LAST_REHEARSAL, "dc1", "a"] == LATER
    assert (_metrics.RTO, "dc1", "a", "start") in found


def test_when_it_was_last_rehearsed_stays_where_it_could_not_be() -> None:
    good = _metrics.merge("", _metrics.of_report(report_of(example.entry("a", example.result("a")))), LATER)
    later = build_report([example.entry("a", problem="no answer")], now=LATER + 86400)
    found = told(_metrics.merge(good, _metrics.of_report(later), LATER + 86400))
    assert found[_metrics.LAST_REHEARSAL, "dc1", "a"] == LATER
    assert found[_metrics.LAST_REHEARSAL_STATE, "dc1", "a", "unknown"] == 1
    assert found[_metrics.LAST_REHEARSAL_STATE, "dc1", "a", "failed"] == 0


def test_clusters_that_are_expected_and_failures_stay_after_a_success() -> None:
    first = _metrics.of_backups([], ["a"], LATER - 100, failures={"a": "connection"}, expected=["a", "never"])
    text = _metrics.merge("", first, LATER)
    # What rules and dashboards group by.
    assert f'{_metrics.LAST_FAILURE}{{datacenter="",cluster="a",kind="connection"}}' in text
    done = {"cluster": "a", "datacenter": "dc1", "changed": True, "size": 1, "records": {}}
    found = told(_metrics.merge(text, _metrics.of_backups([done], ["a"], LATER, expected=["a"]), LATER))
    assert found[_metrics.LAST_FAILURE, "dc1", "a", "connection"] == LATER - 100
    assert found[_metrics.LAST_ATTEMPT_SUCCESS, "dc1", "a"] == 1
    assert found[_metrics.EXPECTED, "dc1", "a"] == LATER
    assert found[_metrics.EXPECTED, "", "never"] == LATER - 100
    # Another kind takes the place of the one before.
    again = _metrics.of_backups([], ["a"], LATER, failures={"a": "no_leader"})
    kinds = {key[3] for key in told(_metrics.merge(text, again, LATER)) if key[0] == _metrics.LAST_FAILURE}
    assert kinds == {"no_leader"}


def test_the_catalogue_and_its_service_level() -> None:
    report = report_of(*example_catalogue.catalogued())
    text = _metrics.merge("", _metrics.of_report(report), LATER)
    found = told(text)
    for cluster in report["clusters"]:
        name, datacenter = cluster["cluster"], cluster["datacenter"] or ""
        requirements = (cluster["slo"] or {}).get("requirements") or ()
        met = {key[3]: value for key, value in found.items() if key[:3] == (_metrics.SLO_MET, datacenter, name)}
        assert met == {one["name"]: one["met"] for one in requirements}
        read = {key[3]: value for key, value in found.items() if key[:3] == (_metrics.STORE_READ, datacenter, name)}
        assert sum(read.values()) == sum(store["problem"] is None for store in cluster["stores"])
        assert len(read) == len(cluster["stores"])
    assert found[_metrics.ARCHIVES, "dc1", "warehouse", "vault-1:/srv/consul-archives/warehouse"] == 19
    assert (_metrics.ARCHIVES, "dc1", "warehouse", "s3://backups/consul/warehouse/") not in found
    assert found[_metrics.STORE_READ, "dc1", "warehouse", "s3://backups/consul/warehouse/"] == 0
    # A cluster that has nothing at all misses what is asked of it; it is no gap in a graph.
    assert found[_metrics.SLO_MET, "", "lab", "copies"] == 0

    # What is no longer asked for or listed goes.
    later = told(_metrics.merge(text, _metrics.of_report(report_of(*example.fleet())), LATER))
    assert not {key for key in later if key[0] in (_metrics.SLO_MET, _metrics.STORE_READ, _metrics.ARCHIVES)}
