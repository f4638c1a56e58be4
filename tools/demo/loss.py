# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""First act: a cluster is filled, saved, lost, made anew, restored, and compared with what it was."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from lab import Cluster, LabError
from lab.oracle import Observation, record_counts

from . import checks
from .stage import Stage

KEYS = 1200
NAME = "demo"
NEWER = "demo/written-after-the-archive"
WHAT_MUST_BE_THERE = [
    {"name": "every key", "kv_prefix": "", "min_count": KEYS},
    {"name": "who may do everything", "policy": "global-management"},
]
REHEARSED = {"rehearsal_assertions": WHAT_MUST_BE_THERE, "rehearsal_max_rto": 60, "rehearsal_max_age": 3600}
"""How the archive is judged in the last act."""


class Loss(NamedTuple):
    """What was there before and after, how the consul command counts its records, which servers it was and is.

    ``cluster`` is the one that was restored.
    """

    before: Observation
    after: Observation
    counted: dict[str, int]
    recounted: dict[str, int]
    dead: list[str]
    new: list[str]
    cluster: Cluster


def play(stage: Stage) -> Loss:
    """Tell the act; the cluster that it ends with runs on."""
    title = "Three servers on loopback: server-1, server-2, server-3"
    old = stage.three_servers("server", "start", title, cluster_name=NAME)
    stage.fill(old, KEYS, "fill")
    stage.install()
    before = stage.look(old, "look", "Look at everything, by HTTP requests and the consul command")
    counted, identity = record_counts(old), checks.identity(old)

    _back_up(stage, old)
    stage.play("pre_upgrade", old, "changed")
    archive = stage.kit_of(old, NAME)
    _mistake(stage, old, archive)
    stage.disaster(old, "disaster", "The disaster: SIGKILL to all three, and their data deleted")

    title = "Three new servers: other names, ids, certificates, gossip key"
    new = stage.three_servers("rebuilt", "start again", title, cluster_name=NAME, other=identity, variables=REHEARSED)
    stage.restore(new, archive)
    stage.play("restore", new, "unchanged", again=True, restore_src=str(archive))
    after = stage.look(new, "look again", "Look at everything again")
    dead, come = ([server.name for server in cluster.servers] for cluster in (old, new))
    return Loss(before, after, counted, record_counts(new), dead, come, new)


def _back_up(stage: Stage, cluster: Cluster) -> None:
    stage.play("backup", cluster, "changed")
    first = stage.archives(NAME)
    if len(first) != 1:
        raise LabError(f"there are {len(first)} archives after the first backup, and it has to be one")
    stage.play("backup", cluster, "unchanged", again=True)
    if stage.archives(NAME) != first:
        raise LabError("the second backup must not change an archive")


def _mistake(stage: Stage, cluster: Cluster, archive: Path) -> None:
    """A restore that nobody meant: into the cluster that is alive, and holds something newer."""
    cluster.http("PUT", f"/v1/kv/{NEWER}", data=b"precious", check=True)
    stage.play("restore", cluster, "refused", name="a mistake", restore_src=str(archive))
    if cluster.http("GET", f"/v1/kv/{NEWER}?raw").content != b"precious":
        raise LabError("a refused restore must not touch anything, and the newer key is gone")
    stage.screen.text("Seen by HTTP: what was written after the archive is still there.")
    cluster.http("DELETE", f"/v1/kv/{NEWER}", check=True)
