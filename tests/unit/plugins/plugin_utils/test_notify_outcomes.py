# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a cluster, from what its hosts noted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._notify_outcomes import (
    backup_entry,
    outcome_of,
    rehearsal_entry,
    restore_entry,
)

NOW = 1_000_000_000.0
SAVED = {
    "taken_at": "2001-09-09T01:40:00Z",
    "confirmed_at": "2001-09-09T01:45:00Z",
    "duration": {"capture": 1, "total": 2},
}
RESULT = {"changed": True, "archive": "/a.snap", "size": 7, "confirmed_by_leader": True, "missing_copies": []}
REFUSED = {"failed": True, "failure": {"kind": "no_leader"}}


def noted(host: str = "h1", **told: Any) -> dict[str, Any]:
    return {"host": host, "cluster": "a", "completed": True, **told}


def backup(*hosts: dict[str, Any]) -> tuple[str, str, Any]:
    entry = backup_entry(list(hosts), NOW)
    failure = entry.get("failure")
    return entry["outcome"], entry["result"], failure and (failure["kind"], failure["phase"])


def test_a_backup_that_is_kept() -> None:
    entry = backup_entry([noted("h1", saved=REFUSED), noted("h2", result=RESULT, saved=SAVED)], NOW)
    assert entry == {
        **{"cluster": "a", "host": "h2", "outcome": "success", "result": "kept", "archive": "/a.snap", "size": 7},
        **{"taken_at": "2001-09-09T01:40:00Z", "age": 100.0, "duration": 2},
    }


def test_a_backup_is_confirmed_only_if_a_snapshot_was_taken() -> None:
    same = {**RESULT, "changed": False}
    assert backup(noted(result=same, saved=SAVED)) == ("success", "confirmed", None)
    young = {**SAVED, "duration": {"look": 0.1, "total": 0.1}}
    assert backup(noted(result=same, saved=young)) == ("skipped", "unneeded", None)


def test_a_cluster_that_is_left_to_its_leader_is_neither_a_success_nor_a_failure() -> None:
    assert backup(noted(idle=True), noted("h2", idle=True)) == ("skipped", "left_to_leader", None)
    # One that stopped on the way there says nothing of the leader.
    assert backup(noted(idle=True, completed=False))[0] == "failure"
    assert backup(noted(idle=True), noted("h2", saved=REFUSED)) == ("failure", "failed", ("no_leader", "save"))


@pytest.mark.parametrize(
    ("told", "failure"),
    [
        ({"saved": REFUSED}, ("no_leader", "save")),
        ({"saved": {"unreachable": True}}, ("unreachable", "save")),
        ({"saved": {"failed": True}}, ("error", "save")),
        # cluster_info does not fail its task, because another host may answer.
        ({"info": {"failed": False, "failure": {"kind": "connection"}}}, ("connection", "preflight")),
        ({"info": {"unreachable": True}}, ("unreachable", "preflight")),
        ({"saved": SAVED, "info": {}}, ("error", "preflight")),
        ({"result": {**RESULT, "missing_copies": ["s3://x"]}, "saved": SAVED}, ("missing_copies", "copy")),
        ({"result": {**RESULT, "confirmed_by_leader": False}, "saved": SAVED}, ("unconfirmed", "save")),
        (
            {"result": RESULT, "pruned": [{"removed": []}, {"failure": {"kind": "store_denied"}}]},
            ("store_denied", "prune"),
        ),
        ({"result": RESULT, "pruned": [{"removed": []}, {"msg": "MODULE FAILURE", "rc": 137}]}, ("error", "prune")),
        ({"result": RESULT, "pruned": [{"unreachable": True}]}, ("unreachable", "prune")),
        ({"result": RESULT, "saved": SAVED, "completed": False}, ("error", "backup")),
    ],
)
def test_a_backup_that_failed(told: dict[str, Any], failure: tuple[str, str]) -> None:
    assert backup(noted(**told)) == ("failure", "failed", failure)


def restore(*hosts: dict[str, Any]) -> tuple[str, str, Any]:
    entry = restore_entry(list(hosts), NOW)
    failure = entry.get("failure")
    return entry["outcome"], entry["result"], failure and (failure["kind"], failure["phase"], failure["state"])


def test_restores() -> None:
    done = {"changed": True, "reason": "the cluster is fresh"}
    assert restore(noted(done=done), noted("h2")) == ("success", "restored", None)
    assert restore(noted(done={**done, "changed": False})) == ("success", "unchanged", None)
    late = noted("h2", completed=False)
    assert restore(noted(done=done), late) == ("failure", "failed", ("error", "afterwards", "replaced"))
    gone = {"failed": True, "failure": {"kind": "no_quorum", "state": "unknown"}}
    assert restore(noted(done=gone)) == ("failure", "failed", ("no_quorum", "restore", "unknown"))
    # A module that failed may have a reason as well.
    assert restore(noted(done={**done, **gone})) == ("failure", "failed", ("no_quorum", "restore", "unknown"))
    silent = {"failure": {"kind": "connection"}}
    assert restore(noted(asked=silent)) == ("failure", "failed", ("connection", "preflight", None))
    assert restore(noted(sending=True)) == ("failure", "failed", ("error", "preflight", "unknown"))


@pytest.mark.parametrize("state", ["passed", "missed", "failed", "unknown"])
def test_rehearsals(state: str) -> None:
    verdict = {"state": state, "age": 5, "rto": 2.5, "rehearsals": [{"archive": "/a.snap", "size": 7}]}
    entry = rehearsal_entry([noted(), noted("h2", verdict=verdict)], NOW)
    assert (entry["outcome"] == "success") == (state == "passed")
    assert (entry["result"], entry["archive"], entry["age"], entry["rto"]) == (state, "/a.snap", 5, 2.5)
    assert entry.get("failure") == (None if state == "passed" else {"kind": state, "phase": "rehearsal"})


def test_a_rehearsal_without_a_verdict_failed() -> None:
    assert rehearsal_entry([noted(verdict={})], NOW)["outcome"] == "failure"


def test_one_failure_is_a_failure_and_what_was_skipped_is_no_success() -> None:
    assert outcome_of([]) == "success"
    told = [{"outcome": one} for one in ("success", "skipped", "failure")]
    assert [outcome_of(told[:count]) for count in (1, 2, 3)] == ["success", "skipped", "failure"]
