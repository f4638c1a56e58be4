# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue and the service level within a report, and on its page."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_report import rehearsal_report
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._catalogue_view import catalogue_of
from browser.example import DAY, NOW, earlier, entry, failed, result
from browser.example_catalogue import archives, catalogued, look, one_cluster

SLO = {"copies": 3, "places": 1, "max_age": 2 * 3600, "max_rehearsal_age": DAY}
STORE = look("/a", archives("a", "/a", 4), 2, on="h")


def report_of(*entries: dict[str, Any], **options: Any) -> dict[str, Any]:
    return rehearsal_report(list(entries), at=NOW, **options)


def only(report: dict[str, Any]) -> dict[str, Any]:
    (cluster,) = report["clusters"]
    return dict(cluster)


def missed(cluster: dict[str, Any]) -> set[str]:
    return {one["name"] for one in cluster["slo"]["requirements"] if not one["met"]}


def test_a_cluster_that_meets_it_has_passed() -> None:
    report = report_of(one_cluster("a", STORE, slo=SLO))
    assert (only(report)["state"], report["passed"], only(report)["slo"]["met"]) == ("passed", True, True)
    assert report["slo"] == {"limited": 1, "met": 1}
    assert only(report)["stores"][0]["proven"]


def test_a_cluster_that_misses_it_would_come_back_short_of_a_target() -> None:
    report = report_of(one_cluster("a", STORE, slo={**SLO, "copies": 5}))
    cluster = only(report)
    assert (cluster["state"], report["passed"], missed(cluster)) == ("missed", False, {"copies"})
    assert cluster["sentence"].endswith("The service level is missed: there are 4 verified archives, 5 required.")
    assert len(cluster["advice"]) == 1
    assert report["verdict"] == "The cluster would come back."


@pytest.mark.parametrize(
    ("told", "state", "requirements"),
    [
        # No archive at all is a violation, and no gap.
        (entry("a", missing="no archive"), "failed", {"copies", "places", "age", "rehearsal_age"}),
        (entry("a", problem="no answer"), "unknown", {"copies", "places", "age", "rehearsal_age"}),
        ({**entry("a", failed("died", "it died")), "catalogue": [STORE]}, "failed", {"rehearsal_age"}),
    ],
)
def test_clusters_that_would_not_come_back(told: dict[str, Any], state: str, requirements: set[str]) -> None:
    report = report_of({**told, "slo": SLO})
    assert (only(report)["state"], missed(only(report))) == (state, requirements)
    assert report["slo"] == {"limited": 1, "met": 0}


def test_a_host_that_fell_out_is_held_to_what_the_inventory_asks() -> None:
    report = report_of(lost={"h": "a", "i": "b"}, lost_slo={"h": SLO, "i": {}})
    levels = {one["cluster"]: one["slo"] and one["slo"]["met"] for one in report["clusters"]}
    assert levels == {"a": False, "b": None}
    # What another host of it saw counts all the same.
    seen = report_of({**one_cluster("a", STORE), "host": "j"}, lost={"h": "a"}, lost_slo={"h": SLO})
    assert only(seen)["slo"]["met"]


def test_an_earlier_proof_counts_until_it_is_too_old() -> None:
    first = report_of(one_cluster("a", STORE))
    past = [{**one, "clusters": [{**one["clusters"][0], "state": "passed"}]} for one in earlier(first, runs=1)]
    past = [{**one, "counts": {**one["counts"], "passed": 1, "failed": 0, "unknown": 0, "missed": 0}} for one in past]
    for limit, names in ((DAY, set()), (DAY - 1, {"rehearsal_age"})):
        told = {**entry("a", failed("incomplete", "no room")), "catalogue": [STORE]}
        report = report_of({**told, "slo": {**SLO, "max_rehearsal_age": limit}}, earlier=past)
        assert missed(only(report)) == names


def test_a_service_level_that_cannot_be_used_is_a_problem() -> None:
    cluster = only(report_of(one_cluster("a", STORE, slo={"copies": "many"})))
    assert (cluster["slo"], cluster["state"]) == (None, "missed")
    assert "rehearsal_slo is not valid" in cluster["problem"]


def test_the_rto_says_what_it_leaves_out() -> None:
    left_out = " ".join(report_of(entry("a", result()))["rto"]["leaves_out"])
    assert all(word in left_out for word in ("notices", "machines", "quorum", "agents"))


def test_the_page_puts_what_is_missed_first() -> None:
    view = catalogue_of(report_of(*catalogued()))
    assert view["title"] == "14 of 17 clusters meet their service level."
    assert [one["cluster"] for one in view["clusters"][:3]] == ["branch-office", "lab", "warehouse"]
    assert [one["cluster"] for one in view["missed"]] == ["branch-office", "lab", "warehouse"]
    assert "retired-dc" in view["others"]
    assert view["unread"] == "1 listing could not be read."


@pytest.mark.parametrize(
    ("entries", "title"),
    [
        ([one_cluster("a", STORE, slo=SLO)], "The cluster meets its service level."),
        ([one_cluster("a", slo=SLO)], "The cluster misses its service level."),
        (
            [one_cluster("a", STORE, slo=SLO), one_cluster("b", STORE, slo=SLO)],
            "All 2 clusters meet their service level.",
        ),
        ([one_cluster("a", STORE)], "No service level was set."),
        ([], "No store was looked at."),
    ],
)
def test_its_title(entries: list[dict[str, Any]], title: str) -> None:
    assert catalogue_of(report_of(*entries))["title"] == title


def test_a_store_in_figures() -> None:
    told = archives("a", "/a", 4, sealed=True, locked_until="2026-12-24T00:00:00Z")
    told[3].update(sealed=False, manifest_status="stale")
    seen = look("/a", told, 1, on="h")
    store = catalogue_of(report_of(one_cluster("a", seen)))["clusters"][0]["stores"][0]
    assert (store["verified"], store["others"]) == ("3", "1 not verified")
    assert store["protection"] == [
        *("encrypted: 3 of 4", "signed: none", "held: 1", "locked: 4, until 2026-12-24"),
    ]
    assert store["prune"]["text"] == "removes 2 of 4, frees 3.8 MB"
    assert [one["why"] for one in store["prune"]["archives"][:2]] == ["no rule keeps it"] * 2
    # The highest bar is the largest archive.
    sizes = [one["size"] for one in report_of(one_cluster("a", seen))["clusters"][0]["stores"][0]["sizes"]]
    heights = [one["height"] for one in store["spark"]["bars"]]
    assert heights.index(max(heights)) == sizes.index(max(sizes))
    assert len(heights) == 3


def test_a_report_of_before_the_catalogue_is_shown_all_the_same() -> None:
    report = report_of(entry("a", result()))
    old = {key: value for key, value in report.items() if key not in ("slo", "other_clusters")}
    old["clusters"] = [{k: v for k, v in one.items() if k not in ("slo", "stores")} for one in report["clusters"]]
    assert catalogue_of(old)["title"] == "No store was looked at."
