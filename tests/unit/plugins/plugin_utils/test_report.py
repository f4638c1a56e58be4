# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report makes of what the hosts brought back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_report import rehearsal_report
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import words as _report_words
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils import _report_view
from browser.example import NOW, ago, earlier, entry, failed, fleet, listed, result
from browser.example_catalogue import catalogued

CUT = ("refused", "the archive does not verify: it is cut short")


def report_of(*entries: dict[str, Any], **options: Any) -> dict[str, Any]:
    return rehearsal_report(list(entries), at=NOW, **options)


def only(report: dict[str, Any]) -> dict[str, Any]:
    (cluster,) = report["clusters"]
    return dict(cluster)


@pytest.mark.parametrize(
    "entries",
    [fleet(), [], [entry("a", problem="nothing there")], catalogued()],
    ids=["fleet", "none", "empty", "catalogued"],
)
def test_it_is_as_the_schema_says(entries: list[dict[str, Any]], validator: Any) -> None:
    report = report_of(*entries)
    for document in (report, report_of(*entries, earlier=[*earlier(report), report])):
        assert list(validator.iter_errors(document)) == []
    assert not validator.is_valid({**report, "surplus": 1})


@pytest.mark.parametrize(
    ("told", "state", "verdict"),
    [
        (entry("a", result()), "passed", "The cluster would come back."),
        (entry("a", result(age=30 * 3600)), "missed", "The cluster would come back."),
        (entry("a", result(scale=90)), "missed", "The cluster would come back."),
        (entry("a", failed("died", "it died")), "failed", "The cluster would not come back."),
        (entry("a", failed("not_proven", "it differs")), "failed", "The cluster would not come back."),
        (entry("a", failed(*CUT)), "failed", "The cluster would not come back."),
        (entry("a", failed("incomplete", "no room")), "unknown", "Whether the cluster would come back is not known."),
        (entry("a", missing="no archive"), "failed", "The cluster would not come back."),
        (entry("a", problem="no answer"), "unknown", "Whether the cluster would come back is not known."),
        (
            entry("a", {"src": "/x", "msg": "MODULE FAILURE"}),
            "unknown",
            "Whether the cluster would come back is not known.",
        ),
        (entry("a", result(), problem="its host went away"), "missed", "The cluster would come back."),
    ],
)
def test_states(told: dict[str, Any], state: str, verdict: str) -> None:
    report = report_of(told)
    assert (only(report)["state"], report["verdict"]) == (state, verdict)
    assert report["passed"] == (state == "passed")
    assert bool(only(report)["advice"]) == (state != "passed")


def test_an_empty_fleet_has_not_passed() -> None:
    report = report_of()
    assert (report["passed"], report["verdict"]) == (False, "No cluster was rehearsed.")


def test_a_broken_newest_archive_is_named_and_the_one_before_it_counts() -> None:
    broken = failed(*CUT, taken_at=None, sha256=None, src="/archives/newest.snap")
    cluster = only(report_of(entry("a", broken, result(age=7200))))
    assert cluster["state"] == "missed"
    assert cluster["age"] == 7200
    assert cluster["rehearsals"][cluster["head"]]["verdict"] == "proven"
    assert "newest.snap" in cluster["sentence"]
    assert "it is cut short" in cluster["sentence"]


def test_the_newest_that_is_proven_stands_for_the_cluster() -> None:
    cluster = only(report_of(entry("a", result(age=9000), result(age=60), failed("died", "it died", age=10))))
    assert (cluster["age"], cluster["state"]) == (60, "missed")


def test_hosts_of_one_cluster_are_put_together_under_the_strictest_target() -> None:
    first, second = entry("a", result(age=50), max_age=3600), {**entry("a", max_age=40), "host": "other"}
    cluster = only(report_of(first, second))
    assert cluster["hosts"] == ["a-1", "other"]
    assert cluster["rehearsals"][0]["targets"][-1] == {"name": "age", "limit": 40, "actual": 50, "met": False}


@pytest.mark.parametrize(("confirmed", "age"), [(None, 90_000), (60, 60), (100_000, 90_000)])
def test_an_archive_is_as_old_as_its_last_confirmation(confirmed: float | None, age: float) -> None:
    assert only(report_of(entry("a", result(age=90_000), confirmed=confirmed)))["age"] == age


@pytest.mark.parametrize(("sha256", "age"), [("0" * 64, 90_000), (result()["sha256"], 60)])
def test_a_manifest_confirms_its_own_archive_alone(sha256: str, age: float) -> None:
    told = entry("a", result(age=90_000))
    told["archives"] = [listed(result(age=90_000), "a", 60, sha256=sha256, fingerprint="v1:other")]
    assert only(report_of(told))["age"] == age


def test_no_target_is_missed_where_none_is_set() -> None:
    report = report_of(entry("a", result(age=1e9, scale=1e4), max_rto=0, max_age=None))
    assert report["passed"]
    assert (report["rto"]["limit"], report["rto"]["limited"]) == (None, 0)


def test_targets_of_their_own() -> None:
    report = report_of(entry("a", result("a"), max_rto=1), entry("b", result("b"), max_rto=60))
    assert (report["rto"]["limit"], report["rto"]["within"], report["rto"]["limited"]) == (None, 1, 2)


def test_an_age_that_nobody_knows_meets_no_target() -> None:
    cluster = only(report_of(entry("a", result(taken_at=None))))
    assert cluster["state"] == "missed"
    assert "the age of the archive is not known" in cluster["sentence"]


def test_the_gravest_first() -> None:
    states = [one["state"] for one in report_of(*fleet())["clusters"]]
    assert states == sorted(states, key=["failed", "unknown", "missed", "passed"].index)
    assert set(states) == {"failed", "unknown", "missed", "passed"}


def test_history_is_the_last_reports_and_nothing_else() -> None:
    report = report_of(*fleet())
    past = earlier(report, 5)
    future = {**report, "generated_at": ago(-60)}
    foreign = [{"schema": "other"}, "not JSON", [], {**report, "version": 2}, {**report, "counts": {}}, None]
    foreign += ["[" * 100_000, "9" * 10_000, {**report, "counts": dict.fromkeys(report["counts"], "x")}]
    foreign += [{**report, "clusters": [{"cluster": ["a"], "state": "passed"}]}, {**report, "clusters": 7}]
    foreign += [{**report, "counts": {**report["counts"], "passed": 10**30}}, {**report, "generated_at": ["x"]}]
    shown = report_of(*fleet(), earlier=[json.dumps(past[0]), *past[1:], *foreign, future], shown=3)["history"]
    assert [one["generated_at"] for one in shown] == [one["generated_at"] for one in past[-3:]]
    assert report_of(*fleet(), earlier=past, shown=0)["history"] == []


def test_when_it_was_last_proven() -> None:
    good = report_of(entry("a", result()), entry("b", result("b")))
    past = [{**good, "generated_at": ago(days * 86400)} for days in (3, 2)]
    now = report_of(
        entry("a", failed("died", "it died")), entry("b", result("b")), entry("c", problem="no"), earlier=past
    )
    last = {one["cluster"]: one["last_proven_at"] for one in now["clusters"]}
    assert last == {"a": ago(2 * 86400), "b": NOW, "c": None}


def test_words_of_the_module_stand_once() -> None:
    hint = "Take a new one."
    cluster = only(report_of(entry("a", failed("refused", f"it is cut. {hint}", hint))))
    assert cluster["sentence"] == "It is cut."
    assert cluster["advice"] == [hint]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "unknown"),
        (0, "0 s"),
        (0.044, "0.04 s"),
        (5, "5 s"),
        (12.44, "12.4 s"),
        (59.99, "1 min"),
        (200, "3 min 20 s"),
        (600.0, "10 min"),
        (18120, "5 h 2 min"),
        (86400, "1 d"),
        (273600, "3 d 4 h"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert _report_words.seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(None, "unknown"), (812, "812 B"), (1843, "1.8 kB"), (121_634_816, "122 MB")]
)
def test_sizes(size: float | None, text: str) -> None:
    assert _report_words.bytes_text(size) == text


def test_a_forgotten_archive_leaves_the_others_visible() -> None:
    view = _report_view.view_of(
        report_of(entry("old", result("old", age=400 * 86400)), entry("new", result("new", age=40_000)))
    )
    old, new = view["age_chart"]["rows"]
    assert (old["cluster"], old["cut"], old["width"]) == ("old", True, 100.0)
    assert new["width"] > 10


def test_bars_fill_the_chart_and_no_more() -> None:
    view = _report_view.view_of(report_of(*fleet()))
    for row in view["rto_chart"]["rows"]:
        ends = [part["x"] + part["width"] for part in row["bars"]]
        assert ends == sorted(ends)
        assert all(0 <= end <= 100.01 for end in ends)
    assert 0 < view["rto_chart"]["limit"]["x"] < 100


def test_a_large_fleet_is_drawn_in_part_and_listed_whole() -> None:
    names = [f"cluster-{number:03}" for number in range(100)]
    entries = [entry(name, result(name, scale=1 + number / 50)) for number, name in enumerate(names)]
    view = _report_view.view_of(report_of(*entries))
    assert len(view["rto_chart"]["rows"]) == 30
    assert view["rto_chart"]["more"] == 70
    assert [one["cluster"] for one in view["clusters"]] == names


def test_hosts_that_are_lost_are_not_forgotten() -> None:
    report = report_of(entry("a", result()), lost={"host-1": "", "host-2": "b"})
    assert {one["cluster"]: one["state"] for one in report["clusters"]} == {
        "a": "passed",
        "host-1": "unknown",
        "b": "unknown",
    }


def sealed_failure(**changes: Any) -> dict[str, Any]:
    """The result for a sealed archive that this key does not open."""
    told = failed("incomplete", "the identity is not one of the archive's recipients")
    return {
        **told,
        "failure": {"kind": "rehearsal", "cause": {"kind": "sealed"}, "hint": ""},
        "sha256": None,
        **changes,
    }


def test_the_report_says_that_the_key_still_opens_the_archive(validator: Any) -> None:
    report = report_of(entry("a", result(sealed=True, signed_by="backup@example.com")))
    rehearsal = only(report)["rehearsals"][0]
    assert (rehearsal["sealed"], rehearsal["key_works"]) == (True, True)
    assert rehearsal["sentence"] == "Restored and proven in 2.1 s. The key opens the archive."
    facts = dict(_report_view.view_of(report)["clusters"][0]["rehearsals"][0]["facts"])
    assert (facts["Encrypted"], facts["Signed by"]) == ("yes; the key opens it", "backup@example.com")
    assert list(validator.iter_errors(report)) == []


def test_a_key_that_does_not_open_the_archive_is_said(validator: Any) -> None:
    one = sealed_failure()
    # Its manifest names the content that nobody could look at.
    report = report_of({**entry("a", one), "archives": [listed(one, "a", sealed=True, sha256="ab" * 32)]})
    rehearsal = only(report)["rehearsals"][0]
    assert (rehearsal["sealed"], rehearsal["key_works"]) == (True, False)
    assert "not one of the archive's recipients" in rehearsal["sentence"]
    assert list(validator.iter_errors(report)) == []


def test_nothing_is_said_of_a_key_where_nothing_is_sealed() -> None:
    plain, unknown = (only(report_of(entry("a", result(**one))))["rehearsals"][0] for one in ({"sealed": False}, {}))
    assert (plain["sealed"], plain["key_works"], unknown["sealed"], unknown["key_works"]) == (False, None, None, None)
    assert "key" not in plain["sentence"] + unknown["sentence"]
    # It ended before anybody tried to open it.
    one = failed("incomplete", "there is no program")
    other = only(report_of({**entry("a", one), "archives": [listed(one, "a", sealed=True)]}))["rehearsals"][0]
    assert (other["sealed"], other["key_works"]) == (True, None)
