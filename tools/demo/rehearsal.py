# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Last act: the archive is restored once more, into a throwaway server, and a report says how that went."""

from __future__ import annotations

import json
from pathlib import Path

from lab import Cluster, LabError, binaries

from .stage import Stage


def play(stage: Stage, cluster: Cluster) -> Path:
    """Tell the act, for which the cluster need not run, and return the path of the report."""
    directory = stage.places.logs / "rehearsal"
    stage.play(
        "rehearse",
        cluster,
        "changed",
        rehearsal_consul_binary=str(binaries.consul()),
        rehearsal_report_dir=str(directory),
    )
    report = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    states = [one["state"] for one in report["clusters"]]
    if states != ["passed"]:
        raise LabError(f"the rehearsal's report has to tell of one cluster that passed, and reports {states}")
    if not all(one["key_works"] for cluster in report["clusters"] for one in cluster["rehearsals"]):
        raise LabError("the rehearsal's report has to say that the key opens the archive")
    return directory / "report.html"
