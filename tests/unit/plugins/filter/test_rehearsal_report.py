# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fleet after a run over a part of it, from the reports that lie in the history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_html import rehearsal_html
from ansible_collections.disaster_recovery.consul.plugins.filter.rehearsal_report import rehearsal_report
from browser.example import entry, fleet, result
from env import places

BEFORE, AT, LATER = "2026-11-20T02:15:00Z", "2026-11-23T02:15:00Z", "2026-11-23T03:00:00Z"
TEMPLATES = places.CHECKOUT / "roles" / "rehearsal" / "templates"


def put(directory: Path, report: dict[str, Any], mark: str = "0000") -> str:
    """Put a report where the role puts it; return its name."""
    name = f"{report['generated_at'].replace('-', '').replace(':', '')}-{mark}.json"
    (directory / name).write_text(json.dumps(report), encoding="utf-8")
    return name


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, Any]:
    """The report of a whole fleet, in the history."""
    report = rehearsal_report(fleet(), at=BEFORE)
    put(tmp_path, report)
    return report


def hosts_of(report: dict[str, Any]) -> list[str]:
    """Return the hosts of a report's clusters."""
    return [host for one in report["clusters"] for host in one["hosts"]]


def test_what_a_limited_run_leaves_out_stays_as_it_was_known(
    tmp_path: Path, whole: dict[str, Any], validator: Any
) -> None:
    name = whole["clusters"][0]["cluster"]
    entries = [entry(name, result())]
    own = rehearsal_report(entries, at=AT, history=str(tmp_path), limited=True)
    assert (own["limited"], [one["cluster"] for one in own["clusters"]]) == (True, [name])
    mark = put(tmp_path, own)
    renewed = rehearsal_report(entries, at=AT, history=str(tmp_path), hosts=hosts_of(whole), without=mark)
    assert list(validator.iter_errors(renewed)) == []
    assert {one["cluster"] for one in renewed["clusters"]} == {one["cluster"] for one in whole["clusters"]}
    old = {one["cluster"]: one for one in whole["clusters"]}
    for one in renewed["clusters"]:
        if one["cluster"] == name:
            assert "as_of" not in one
            continue
        known = ("state", "sentence", "rto", "datacenter", "last_proven_at")
        assert [one[key] for key in known] == [old[one["cluster"]][key] for key in known]
        assert (one["as_of"], one["age"]) == (BEFORE, None)
    assert f"{len(old) - 1} clusters were not part of this run" in renewed["remark"]
    page = rehearsal_html(renewed, templates=str(TEMPLATES))
    assert "Not part of this run: this is what was known at 2026-11-20 02:15 UTC." in page


def test_another_limited_run_counts_as_well(tmp_path: Path, whole: dict[str, Any]) -> None:
    first, second = (one["cluster"] for one in whole["clusters"][:2])
    put(tmp_path, rehearsal_report([entry(first, result())], at=AT, limited=True))
    told = rehearsal_report([entry(second, result())], at=LATER, history=str(tmp_path), hosts=hosts_of(whole))
    as_of = {one["cluster"]: one.get("as_of") for one in told["clusters"]}
    assert (as_of.pop(first), as_of.pop(second)) == (AT, None)
    assert set(as_of.values()) == {BEFORE}


def test_without_hosts_nothing_of_others_is_said(tmp_path: Path, whole: dict[str, Any]) -> None:
    name = whole["clusters"][0]["cluster"]
    told = rehearsal_report([entry(name, result())], at=AT, history=str(tmp_path))
    assert [one["cluster"] for one in told["clusters"]] == [name]
    assert len(told["history"]) == 1
