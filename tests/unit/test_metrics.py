# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics as Prometheus' own client reads them, and what stays in a file that is there already."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils import _metrics
from ansible_collections.disaster_recovery.consul.plugins.module_utils._report import build_report
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text
from browser import example

parser = pytest.importorskip("prometheus_client.parser", reason="not among what the oldest Python is tested with")
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
    found = told(_metrics.merge("", _metrics.of_report(report)))
    for cluster in report["clusters"]:
        name, datacenter = cluster["cluster"], cluster["datacenter"] or ""
        assert found[_metrics.LAST_REHEARSAL_SUCCESS, datacenter, name] == (cluster["state"] == "passed")
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
    text = _metrics.merge("", _metrics.of_report(report_of(example.entry(ODD, example.result(ODD, datacenter='d"c')))))
    assert told(text)[_metrics.LAST_REHEARSAL_SUCCESS, 'd"c', ODD] == 1
    assert _metrics.merge(text, []) == text


def test_what_another_run_told_stays() -> None:
    everything = _metrics.merge("", _metrics.of_report(report_of(*example.fleet())))
    backup = {"cluster": "staging", "datacenter": "dc1", "taken_at": example.NOW, "size": 5, "records": {"KVS": 3}}
    merged = _metrics.merge(everything, _metrics.of_backups([backup]))
    before, after = told(everything), told(merged)
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    assert {key[0] for key in changed} == {_metrics.LAST_SUCCESS, _metrics.SIZE, _metrics.RECORDS}
    assert {key[2] for key in changed} == {"staging"}
    assert {key[3]: value for key, value in after.items() if key[:3] == (_metrics.RECORDS, "dc1", "staging")} == {
        "KVS": 3
    }
    assert after[_metrics.LAST_REHEARSAL_SUCCESS, "dc1", "staging"] == 1


def test_a_rehearsal_that_fails_takes_back_what_no_longer_holds() -> None:
    good = _metrics.merge("", _metrics.of_report(report_of(example.entry("a", example.result("a")))))
    # The archive can't be read, so that only the name tells which cluster it is.
    broken = example.failed(
        "refused", "it is cut short", cluster="a", datacenter=None, size=None, records=None, taken_at=None
    )
    found = told(_metrics.merge(good, _metrics.of_report(report_of(example.entry("a", broken)))))
    assert found[_metrics.LAST_REHEARSAL_SUCCESS, "dc1", "a"] == 0
    assert (_metrics.LAST_REHEARSAL_SUCCESS, "", "a") not in found
    assert not [key for key in found if key[0] == _metrics.RTO]
    assert found[_metrics.LAST_SUCCESS, "dc1", "a"] == told(good)[_metrics.LAST_SUCCESS, "dc1", "a"]


@pytest.mark.parametrize("line", ["node_load1 0.5", 'consul_snapshot_other{a="b"} 1', "half a lin"])
def test_a_file_of_somebody_else_is_left_alone(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 was not written by this collection"):
        _metrics.merge(f"# HELP x y\n{line}\n", [])
