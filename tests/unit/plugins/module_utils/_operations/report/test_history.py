# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Earlier reports, which anybody may have written who may write into their directory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.report import history
from ansible_collections.disaster_recovery.consul.plugins.module_utils._times import from_text

AT = "2026-11-23T02:15:00Z"
NOW = from_text("2026-11-24T00:00:00Z")


def report(at: str = AT, **more: Any) -> dict[str, Any]:
    """The parts of a report that its history is made of."""
    return {
        "schema": history.SCHEMA,
        "version": history.VERSION,
        "generated_at": at,
        "passed": True,
        "counts": {"clusters": 1, "passed": 1, "missed": 0, "failed": 0, "unknown": 0},
        "rto": {"worst": 2.5},
        "rpo": {"worst": None},
        "clusters": [{"cluster": "a", "state": "passed", "rto": 2.5, "age": 60}],
        **more,
    }


def test_what_is_kept_of_a_report() -> None:
    past = history.past_of(report())
    assert past is not None
    assert past.run["worst_rto"] == 2.5
    assert past.run["worst_age"] is None
    assert past.points == {"a": {"at": AT, "state": "passed", "rto": 2.5, "age": 60.0}}


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        report(schema="other"),
        report(version=2),
        report(generated_at="yesterday"),
        report(counts={"clusters": 2, "passed": 1, "missed": 0, "failed": 0, "unknown": 0}),
        report(counts={"clusters": True, "passed": 1, "missed": 0, "failed": 0, "unknown": 0}),
        report(clusters=[{"cluster": "a", "state": "splendid"}]),
        report(clusters=[{"cluster": 7, "state": "passed"}]),
        report(clusters=[None]),
    ],
)
def test_what_is_no_report(document: Any) -> None:
    assert not history.is_report(document)


@pytest.mark.parametrize("value", [-1, True, "1", float("inf"), float("nan"), 1e16])
def test_numbers_that_cannot_be_shown_are_unknown(value: Any) -> None:
    past = history.past_of(report(clusters=[{"cluster": "a", "state": "passed", "rto": value, "age": None}]))
    assert past is not None
    assert past.points["a"]["rto"] is None


def test_the_last_ones_in_order_and_none_of_the_future() -> None:
    days = [f"2026-11-{day:02}T00:00:00Z" for day in (22, 20, 21, 25)]
    shown = history.history_of([*map(report, days), {"no": "report"}], NOW, 2)
    assert [past.run["generated_at"][8:10] for past in shown] == ["21", "22"]
    assert history.history_of(map(report, days), NOW, 0) == []


def test_text_that_is_no_json() -> None:
    assert history.read(json.dumps(report())) == report()
    assert history.read("{") is None
    assert history.read("[" * 100_000) is None
    assert history.read({"a": 1}) == {"a": 1}


def fleet(at: str, *names: str, **more: Any) -> dict[str, Any]:
    """A report of clusters that are named as their hosts."""
    clusters = [
        {"cluster": name, "state": "passed", "rto": 2.5, "hosts": [name], "sentence": f"{name} at {at}"}
        for name in names
    ]
    counts = {"clusters": len(names), "passed": len(names), "missed": 0, "failed": 0, "unknown": 0}
    return report(at, clusters=clusters, counts=counts, **more)


def day(number: int) -> str:
    """A time of that day of the month."""
    return f"2026-11-{number:02}T02:15:00Z"


def test_each_cluster_is_known_from_the_newest_report_that_has_it() -> None:
    earlier = [
        fleet(day(22), "b", limited=True),
        fleet(day(21), "a", "b", limited=True),
        fleet(day(20), "a", "b", "c", "gone"),
        fleet(day(19), "a", "b", "c", "left"),
    ]
    known = history.known_of(earlier, {"a", "b", "c", "left"}, NOW)
    assert {name: one.at for name, one in known.items()} == {"a": day(21), "b": day(22), "c": day(20)}
    assert known["a"].sentence == f"a at {day(21)}"
    assert (known["a"].hosts, known["a"].rto) == (("a",), 2.5)


def test_what_is_not_a_report_or_of_the_future_says_nothing_and_ends_no_search() -> None:
    earlier = [fleet(day(28), "a", "b"), None, {"clusters": [{"cluster": "a"}]}, "x", fleet(day(20), "a")]
    assert {name: one.at for name, one in history.known_of(earlier, {"a", "b"}, NOW).items()} == {"a": day(20)}


def test_what_somebody_wrote_into_a_report_is_bounded_and_printable() -> None:
    evil = {
        "cluster": "a",
        "state": "failed",
        "hosts": ["a", 7, ["a"], "a"],
        "sentence": "x\x1b[2J" * 1000,
        "advice": ["y" * 5000, 3, *["z"] * 50],
        "datacenter": {"a": 1},
        "last_proven_at": "yesterday",
    }
    counts = {"clusters": 1, "passed": 0, "missed": 0, "failed": 1, "unknown": 0}
    known = history.known_of([report(clusters=[evil], counts=counts)], {"a"}, NOW)["a"]
    assert known.hosts == ("a",)
    assert known.sentence.isprintable()
    assert len(known.sentence) <= 1001
    assert (len(known.advice), len(known.advice[0]) <= 1001) == (10, True)
    assert (known.datacenter, known.last_proven_at) == (None, None)


def test_the_oldest_runs_go_with_all_their_files() -> None:
    names = [f"2026110{number}T000000Z-{number:04x}.{ending}" for number in range(1, 6) for ending in ("html", "json")]
    assert history.expired(names, 3, NOW) == names[:4]
    assert history.expired(reversed(names), 3, NOW) == names[:4]
    assert history.expired(names, 5, NOW) == []
    assert history.expired(names, 0, NOW) == []


def test_foreign_files_and_reports_of_the_future_neither_go_nor_count() -> None:
    ours = ["20261101T000000Z.json", "20261102T000000Z-00ff.json"]
    others = ["20990101T000000Z.json", "notes.txt", "2026.json", "20261101T000000Z.json.swp", "report.json", "..json"]
    assert history.expired([*ours, *others], 1, NOW) == ours[:1]
