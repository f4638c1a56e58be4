# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module's result shows of a restore, whether it ends well or not (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..storing import shortly
from .assess import FollowUp, Plan
from .guards import as_results
from .sides import RestoreRequest, Source, Target
from .states import may_have_changed

_AFTERWARDS = ("agents_awaited", "servers_gone", "next_steps")
_ALWAYS: dict[str, Any] = {"guards": [], "remarks": [], "backup_file": None}


def of_source(source: Source | None, remarks: list[str]) -> dict[str, Any]:
    """Return what is shown once the archive was read."""
    result: dict[str, Any] = {"remarks": remarks}
    if source is not None:
        result.update(
            fingerprint=source.fingerprint.overall,
            index=source.index,
            diff={"before": {}, "after": source.fingerprint.described},
            **(shortly(source.file) if source.file else {}),
        )
    return result


def of_target(source: Source | None, target: Target, request: RestoreRequest) -> dict[str, Any]:
    """Return what is shown once the cluster was looked at."""
    result: dict[str, Any] = {}
    if target.cluster is not None:
        result["cluster"] = target.cluster.identity._replace(name=request.cluster).as_json()
    if source is not None and target.fingerprint is not None:
        result["diff"] = {"before": target.fingerprint.described, "after": source.fingerprint.described}
    return result


def of_plan(plan: Plan) -> dict[str, Any]:
    """Return what is shown once the guards have spoken."""
    result: dict[str, Any] = {"guards": as_results(list(plan.guards))}
    if plan.decision is not None:
        result["reason"] = plan.decision.reason
    if plan.proof is not None:
        result["proof"] = plan.proof
    if plan.upload is not None:
        result.update(of_follow_up(plan.upload.follow_up))
    return result


def of_follow_up(follow_up: FollowUp) -> dict[str, Any]:
    """Return what is left to people, which is shown where the cluster was restored or may have been."""
    return {name: getattr(follow_up, name) for name in _AFTERWARDS}


def result_of(shown: Mapping[str, Any], state: str) -> dict[str, Any]:
    """Return the result of what was shown so far; see the module's documentation.

    :param state: what is known of the cluster's content.
    """
    return {
        name: value
        for name, value in {**_ALWAYS, **shown}.items()
        if name not in _AFTERWARDS or may_have_changed(state)
    }
