# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Third act: an old cluster is upgraded after a rehearsal in the version to come; then it goes back all the same."""

from __future__ import annotations

from typing import NamedTuple

from lab import Cluster, LabError, binaries
from lab.oracle import Observation

from .stage import Stage

KEYS = 300
NAME = "aged"


class Upgrade(NamedTuple):
    """What was there before, after the upgrade, and after the way back."""

    before: Observation
    upgraded: Observation
    back: Observation


def play(stage: Stage) -> Upgrade:
    """Tell the act; no server of it is left."""
    stage.consul(binaries.OLD, "get the old one")
    to_come = binaries.consul(binaries.NEW)
    title = f"Three servers of Consul {binaries.OLD}: aged-1, aged-2, aged-3"
    old = stage.three_servers("aged", "start old ones", title, cluster_name=NAME, version=binaries.OLD)
    stage.fill(old, KEYS, "fill them")
    before = stage.look(old, "look at them", "Look at everything in them")

    stage.play("pre_upgrade", old, "changed", name="rehearse it", backup_upgrade_consul=str(to_come))
    archive = stage.kit_of(old, NAME)
    with stage.steps.step("upgrade", f"Upgrade to {binaries.NEW}: one server after the other") as step:
        stage.screen.passing("each is healthy before the next one is stopped")
        old.upgrade(binaries.NEW)
        step.say(", ".join(f"{server.name}: {_version(old, index)}" for index, server in enumerate(old.servers)))
    upgraded = stage.look(old, "look at it", "Look at everything after the upgrade")

    # Say it went wrong all the same, and somebody found out too late.
    stage.disaster(old, "back out", "It went wrong, say: the upgraded servers are ended, and their data deleted")
    title = f"Three fresh servers of Consul {binaries.OLD}"
    fresh = stage.three_servers("returned", "start afresh", title, cluster_name=NAME, version=binaries.OLD)
    stage.restore(fresh, archive, name="go back")
    back = stage.look(fresh, "look at last", "Look at everything after the way back")
    fresh.kill()
    return Upgrade(before, upgraded, back)


def _version(cluster: Cluster, index: int) -> str:
    version: str = cluster.get("/v1/agent/self", server=cluster.servers[index])["Config"]["Version"]
    if version != binaries.NEW:
        raise LabError(f"{cluster.servers[index].name} runs {version} after the upgrade to {binaries.NEW}")
    return version
