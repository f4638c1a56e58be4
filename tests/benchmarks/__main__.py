# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the collection beside curl and the consul CLI: ``make bench``.

Every row is a ratio of two things measured in turn, in the same run, on the same real server: A B A B …, so that a
machine whose speed drifts slows both. Environment: BENCH_KEYS (200000), BENCH_RUNS (5), BENCH_LARGE_MB (1024; 0 leaves
the large archive out), BENCH_FLEET (100, the clusters that the playbook backs up; 0 leaves it out), BENCH_ARCHIVES
(10000, the archives in one store; 0 leaves them out, and BENCH_ONLY=archives all else), BENCH_JSON (a file for the
figures).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import fleet, load, many, report, scenes, storing
from lab.cluster import Cluster


def main() -> int:
    """Load a server, measure, print the table, and write the figures as JSON."""
    keys = int(os.environ.get("BENCH_KEYS", "200000"))
    runs = int(os.environ.get("BENCH_RUNS", "5"))
    large = int(os.environ.get("BENCH_LARGE_MB", "1024"))
    clusters = int(os.environ.get("BENCH_FLEET", "100"))
    archives = int(os.environ.get("BENCH_ARCHIVES", "10000"))
    if os.environ.get("BENCH_ONLY") == "archives":
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            return _shown({"archives": many.looking(Path(name), archives)})
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with Cluster(directory / "server", servers=1) as cluster:
            print(f"one Consul {cluster.version} server; writing {keys:,} keys …", flush=True)
            load.many_keys(cluster, keys)
            bench = scenes.Bench(cluster, directory, runs)
            rows = [*scenes.saving(bench), *storing.saving(bench), *scenes.describing(bench), *scenes.restoring(bench)]
            figures = scenes.archive_figures(bench)
            memory = [{**scenes.memory(bench), **storing.memory(bench, directory / "sealed")}]
            rows += scenes.comparing(bench)
        if large:
            with Cluster(directory / "large", servers=1) as cluster:
                print(f"one more server; writing {large} MB of values that don't compress …", flush=True)
                load.large_values(cluster, large)
                bench = scenes.Bench(cluster, directory, 1)
                memory.append({**scenes.memory(bench), **storing.memory(bench, directory / "large-sealed")})
        if clusters:
            (directory / "many").mkdir(mode=0o700)
            rows += fleet.backing_up(directory / "many", clusters)
        looks = many.looking(directory, archives) if archives else []
    document = report.document(figures=figures, rows=rows, memory=memory, archives=looks)
    print(report.table(document))
    return _shown(document)


def _shown(document: dict[str, Any]) -> int:
    """Write the figures as JSON, into the file that was asked for."""
    target = os.environ.get("BENCH_JSON")
    text = json.dumps(document, indent=2) + "\n"
    if target:
        Path(target).write_text(text, encoding="utf-8")
        print(f"\nthe same as JSON: {target}")
    else:
        print(f"\nthe same as JSON:\n{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
