# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report must not claim: whose an archive is, how old it is, and what nobody looked at."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_report import rehearsal_report
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import words as _report_words
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils import _report_view
from browser.example import NOW, ago, earlier, entry, failed, fleet, listed, result


def report_of(*entries: dict[str, Any], **options: Any) -> dict[str, Any]:
    return rehearsal_report(list(entries), at=NOW, **options)


def only(report: dict[str, Any]) -> dict[str, Any]:
    (cluster,) = report["clusters"]
    return dict(cluster)


@pytest.mark.parametrize(
    ("changes", "age"),
    [
        ({"sha256": "0" * 64}, 7),
        ({"fingerprint": "v1:other"}, 7),
        ({"sha256": "0" * 64, "fingerprint": "v1:other"}, 90_000),
        ({"sha256": "0" * 64, "confirmed_by_leader": False}, 90_000),
    ],
    ids=["same content", "same bytes", "something else", "by nobody"],
)
def test_a_content_is_as_old_as_its_confirmation_wherever_that_is(changes: dict[str, Any], age: float) -> None:
    """Two hosts of a cluster keep archives of their own; one of them was asked seven seconds ago."""
    elsewhere = listed(result(src="/other/x.snap"), "a", 7, path="/other/x.snap", **changes)
    other = {**entry("a"), "host": "other", "archives": [elsewhere]}
    assert only(report_of(entry("a", result(age=90_000)), other))["age"] == age


def test_what_no_leader_confirmed_is_no_recovery_point() -> None:
    told = entry("a", result(age=60))
    told["archives"] = [listed(result(), "a", None, confirmed_by_leader=False)]
    report = report_of(told)
    cluster = only(report)
    assert (cluster["age"], cluster["state"]) == (None, "missed")
    assert "No leader confirmed the archive" in " ".join(cluster["remarks"])
    assert report["figures"][1] == "RPO: unknown for 1."


def test_a_date_in_the_future_is_named_and_tells_no_age() -> None:
    ahead = result(taken_at=ago(-40 * 86400))
    told = entry("a", ahead, max_age=None)
    told["archives"] = [listed(ahead, "a", None, taken_at=None, dated_ahead=True)]
    cluster = only(report_of(told))
    assert (cluster["age"], cluster["state"]) == (None, "passed")
    assert "dc1-20261123T014107Z-3135.snap. The clock of a server ran ahead" in cluster["remarks"][0]
    told["archives"][0]["confirmed_at"] = ago(50)
    assert only(report_of(told))["age"] == 50
    # A clock that is wrong by minutes is no clock that is wrong.
    assert only(report_of(entry("a", result(taken_at=ago(-600)))))["age"] == 0


def of(*servers: str, name: str | None = "a", begin: float = 1000, end: float = 0) -> dict[str, Any]:
    one = result(src=f"/x/{servers[0]}-{begin}.snap", age=begin)
    return {**listed(one, "a", end), "cluster": {"name": name, "servers": list(servers)}}


def test_two_names_for_one_cluster_are_an_error_of_both() -> None:
    named = {**entry("a", result()), "archives": [of("s1", "s2", "s3"), of("s0", begin=9000, end=8000)]}
    other = {**entry("b", result("b")), "archives": [of("s3", "s4", name="b")]}
    fine = {**entry("c", result("c")), "archives": [of("s0", name="c")]}
    clusters = {one["cluster"]: one for one in report_of(named, other, fine)["clusters"]}
    assert {name: one["state"] for name, one in clusters.items()} == {"a": "unknown", "b": "unknown", "c": "passed"}
    assert clusters["a"]["sentence"] == "Its newest archive is of the same Consul cluster as that of b."
    assert clusters["b"]["sentence"] == "Its newest archive is of the same Consul cluster as that of a."
    assert (clusters["a"]["age"], clusters["a"]["rto"], clusters["a"]["last_proven_at"]) == (None, None, None)
    assert "one name of its own" in clusters["a"]["advice"][0]


@pytest.mark.parametrize(
    ("archives", "state"),
    [
        ([of("s1", begin=900, end=100), of("t1", begin=500, end=0)], "unknown"),
        # It was rebuilt; its servers were exchanged one by one; whose it was is not known.
        ([of("s1", begin=900, end=500), of("t1", begin=400, end=0)], "passed"),
        ([of("s1", "s2", begin=900, end=100), of("s2", "s3", begin=500, end=0)], "passed"),
        ([of("s1", begin=900, end=100), {**of("t1", begin=500), "cluster": {"name": "a", "servers": []}}], "passed"),
        ([of("s1", begin=900, end=100), {**of("t1", begin=500), "dated_ahead": True}], "passed"),
    ],
    ids=["two at once", "rebuilt", "exchanged", "unknown", "dated ahead"],
)
def test_one_name_for_two_clusters_is_an_error(archives: list[dict[str, Any]], state: str) -> None:
    cluster = only(report_of({**entry("a", result()), "archives": archives}))
    assert cluster["state"] == state
    assert ("two Consul clusters that existed at the same time" in cluster["sentence"]) == (state == "unknown")


def test_an_archive_of_another_cluster_proves_nothing() -> None:
    cluster = only(report_of({**entry("a", result()), "archives": [of("s1", name="b")]}))
    assert cluster["state"] == "unknown"
    assert "was saved for the cluster b, not for this one" in cluster["sentence"]


def test_whose_an_archive_is_that_does_not_say_so() -> None:
    nameless = [of("s1", name=None, begin=500)]
    (remark,) = only(report_of({**entry("a", result()), "archives": nameless}))["remarks"]
    assert "several" in remark or "does not say for which cluster" in remark
    nameless.append(of("t1", name=None, begin=4000, end=3000))
    (remark,) = only(report_of({**entry("a", result()), "archives": nameless}))["remarks"]
    assert "they are of several Consul clusters, one after the other" in remark


def test_a_file_that_could_not_be_read_may_be_the_newest() -> None:
    link, closed = ({"path": "/x/a.snap", "reason": one} for one in ("is a symbolic link", "permission denied"))
    assert only(report_of({**entry("a", result()), "skipped": [link]}))["state"] == "passed"
    cluster = only(report_of({**entry("a", result()), "skipped": [link, closed]}))
    assert cluster["state"] == "missed"
    assert "1 file could not be read: a.snap" in cluster["sentence"]
    assert only(report_of({**entry("a", missing="no archive"), "skipped": [closed]}))["state"] == "unknown"
    assert only(report_of({**entry("a", missing="no archive"), "skipped": [link]}))["state"] == "failed"


@pytest.mark.parametrize(
    ("counts", "verdict", "remark"),
    [
        ((0, 0, 2, 8), "All 10 clusters would come back.", "2 would, but miss a target."),
        ((1, 1, 2, 6), "8 of 10 clusters would come back.", "1 would not. 1 is unknown. 2 would, but miss a target."),
        ((0, 10, 0, 0), "Whether any of the 10 clusters would come back is not known.", ""),
        ((4, 6, 0, 0), "None of 10 clusters is known to come back.", "4 would not. 6 are unknown."),
        ((10, 0, 0, 0), "None of 10 clusters would come back.", ""),
        ((0, 0, 0, 10), "All 10 clusters would come back.", "Every target was met."),
    ],
)
def test_verdicts(counts: tuple[int, ...], verdict: str, remark: str) -> None:
    told = dict(zip(("failed", "unknown", "missed", "passed"), counts))
    assert _report_words.verdict_sentence(told) == verdict
    assert _report_words.remark_sentence(told) == remark


def test_figures_of_a_fleet_count_those_that_would_not_come_back() -> None:
    report = report_of(
        entry("a", result("a", age=1740)),
        entry("b", missing="no archive"),
        entry("c", failed("died", "it died", cluster="c")),
        entry("d", problem="no answer"),
    )
    assert report["figures"] == [
        "RTO: unbounded for 2, unknown for 1, otherwise at most 2.1 s (a).",
        "RPO: unbounded for 2, unknown for 1, otherwise at most 29 min (a).",
    ]
    assert {key: report["rpo"][key] for key in ("measured", "unbounded", "unknown", "limited", "within")} == {
        **{"measured": 1, "unbounded": 2, "unknown": 1},
        **{"limited": 3, "within": 1},
    }
    assert report["counts"]["would_come_back"] == 1
    tile = _report_view.view_of(report)["rpo"]
    assert (tile["value"], tile["others"], tile["met"]) == ("unbounded for 2", "29 min", False)


def test_what_one_host_returns_spoils_no_other_cluster() -> None:
    for odd in ({"rto": "soon", "verdict": "proven"}, {"records": [1]}, {"findings": ["x"]}, {"taken_at": 7, "rto": 3}):
        told = {**entry("b"), "rehearsals": [{"archive": "/x", "result": odd}]}
        states = {one["cluster"]: one["state"] for one in report_of(entry("a", result()), told)["clusters"]}
        assert states == {"a": "passed", "b": "unknown"}


def test_texts_from_outside_are_shown_escaped_and_bounded(validator: Any) -> None:
    evil = "dc\x1b[2J\u202e\n" + "x" * 5000
    told = result("a", datacenter=evil, cluster_id=evil, archive_version=evil, src=f"/x/{evil}.snap")
    told["findings"] = [{"name": "n", "severity": "info", "sentence": evil, "count": 1, "names": [evil]}]
    broken = failed("died", evil, evil, "b", src=f"/y/{evil}.snap")
    report = report_of(entry("a", told), entry("b", broken, result("b"), problem=evil))
    assert list(validator.iter_errors(report)) == []
    for cluster in report["clusters"]:
        for text in (
            cluster["datacenter"],
            cluster["sentence"],
            cluster["rehearsals"][0]["datacenter"],
            *cluster["advice"],
        ):
            assert text.isprintable()
            assert len(text) < 8000


@pytest.mark.parametrize("odd", ["x", -1, True, [], 1e999, float("nan"), 10**400])
def test_figures_of_the_past_that_are_none_are_left_out(odd: Any, validator: Any) -> None:
    good = report_of(entry("a", result()))
    past = {**good, "generated_at": ago(86400), "rto": odd, "rpo": {"worst": odd}, "passed": odd}
    past["clusters"] = [{**good["clusters"][0], "rto": odd, "age": odd}]
    report = report_of(entry("a", result()), earlier=[past, json.dumps(past)])
    assert [(one["worst_rto"], one["worst_age"]) for one in report["history"]] == [(None, None)] * 2
    assert [(one["rto"], one["age"]) for one in only(report)["history"]] == [(None, None)] * 2
    assert list(validator.iter_errors(report)) == []
    _report_view.view_of(report)


def test_history_is_read_from_a_directory_and_from_nothing_else_in_it(tmp_path: Path) -> None:
    report = report_of(*fleet())
    past = earlier(report, 4)
    for number, one in enumerate(past):
        name = one["generated_at"].replace("-", "").replace(":", "")
        mark = f"-{number:04x}" if number % 2 else ""
        (tmp_path / f"{name}{mark}.json").write_text(json.dumps(one), encoding="utf-8")
    # Names that sort last, a link, a pipe, a directory, what is too large, and half a report.
    (tmp_path / "zzz.json").write_text("{}", encoding="utf-8")
    (tmp_path / "20261122T000001Z.json").symlink_to(tmp_path / "zzz.json")
    os.mkfifo(tmp_path / "20261122T000002Z.json")
    (tmp_path / "20261122T000003Z.json").mkdir()
    with (tmp_path / "20261122T000004Z.json").open("wb") as large:
        large.truncate(1 << 30)
    (tmp_path / "20261122T000005Z.json").write_text('{"schema": ', encoding="utf-8")
    shown = report_of(*fleet(), history=str(tmp_path))["history"]
    assert [one["generated_at"] for one in shown] == [one["generated_at"] for one in past]
    assert report_of(*fleet(), history=str(tmp_path / "missing"))["history"] == []
