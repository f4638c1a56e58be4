# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a result shows of a restore, at each step and in each state."""

from __future__ import annotations

from typing import Any

import pytest
from support.states import kv
from support.targets import source_of, target_of

from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.assess import (
    assess,
    reference_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.result import (
    of_plan,
    of_source,
    of_target,
    result_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.sides import (
    RestoreRequest,
    Verified,
)

KEYS = [kv("a", b"1")]
REQUEST = RestoreRequest("/a.snap", None, None, (), 60, cluster="production")
AFTERWARDS = {"agents_awaited", "servers_gone", "next_steps"}


def shown(records: list[Any]) -> dict[str, Any]:
    """All that is shown before the archive is sent to a cluster that holds these records."""
    source, target = source_of(KEYS), target_of(records)
    plan = assess(REQUEST, Verified(source), target, reference_of(source, target), None)
    return {**of_source(source, ["a remark"]), **of_target(source, target, REQUEST), **of_plan(plan)}


def test_a_result_has_these_from_the_beginning() -> None:
    assert result_of({}, "nothing_sent") == {"guards": [], "remarks": [], "backup_file": None}


def test_the_archive_is_shown_before_the_cluster_was_looked_at() -> None:
    source = source_of(KEYS)
    result = of_source(source, ["a remark"])
    assert (result["remarks"], result["index"]) == (["a remark"], 100)
    assert result["fingerprint"] == source.fingerprint.overall
    assert result["diff"] == {"before": {}, "after": source.fingerprint.described}


def test_nothing_but_remarks_is_shown_of_an_archive_that_does_not_verify() -> None:
    assert of_source(None, []) == {"remarks": []}
    assert set(of_target(None, target_of(KEYS), REQUEST)) == {"cluster"}


def test_the_cluster_is_shown_under_the_users_name() -> None:
    result = of_target(source_of(KEYS), target_of([]), REQUEST)
    assert result["cluster"]["name"] == "production"
    assert result["cluster"]["servers"] == ["id-1"]
    assert result["diff"]["before"]["records"] == {}
    assert of_target(source_of(KEYS), target_of(None, cluster=None), REQUEST) == {}


@pytest.mark.parametrize(
    ("state", "changed"), [("nothing_sent", False), ("rejected", False), ("replaced", True), ("unknown", True)]
)
def test_what_is_left_to_people_is_shown_where_the_cluster_may_have_changed(state: str, changed: bool) -> None:
    result = result_of(shown([]), state)
    assert (set(result) & AFTERWARDS) == (AFTERWARDS if changed else set())
    assert (result["reason"], result["backup_file"]) == ("the cluster is fresh", None)
    assert [guard["status"] for guard in result["guards"]] == ["passed"] * 12
    assert "proof" not in result


def test_a_cluster_that_is_left_alone_is_proven_in_place_of_being_restored() -> None:
    result = result_of(shown(KEYS), "nothing_sent")
    assert result["proof"]["equal"]
    assert result["diff"]["before"] == result["diff"]["after"]
    assert not set(result) & AFTERWARDS
