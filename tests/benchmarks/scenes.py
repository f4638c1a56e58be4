# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured against what, one function a scene; each returns rows for the table."""

from __future__ import annotations

import itertools
import statistics
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.measure import TOO_BUSY, Pair, Run, command, in_turn, ours
from lab.cluster import Cluster


class Bench:
    """A loaded server, a directory for archives, and how often everything is measured."""

    def __init__(self, cluster: Cluster, directory: Path, runs: int) -> None:
        self.cluster = cluster
        self.directory = directory
        self.runs = runs
        self.port = cluster.servers[0].http_port
        self.token = cluster.tokens.initial_management
        self.archive = directory / f"kept-{cluster.servers[0].http_port}.snap"
        # curl reads the header from a file: a token has no place in a process list.
        self.header = directory / f"header-{cluster.servers[0].http_port}"
        self.header.touch(mode=0o600)
        self.header.write_text(f"X-Consul-Token: {self.token}\n", encoding="utf-8")

    def cli(self, *words: str | Path, cluster: Cluster | None = None) -> Run:
        """Measure one run of the consul command."""
        cluster = cluster or self.cluster
        return command(str(cluster.binary), *map(str, words), environment=cluster.env())

    def curl(self, target: Path) -> Run:
        """Measure curl writing a snapshot into a file."""
        url = f"http://127.0.0.1:{self.port}/v1/snapshot"
        return command("curl", "-sS", "-f", "-H", f"@{self.header}", "-o", str(target), url, environment={})

    def ours(self, action: str, **arguments: Any) -> Run:
        """Measure one use of the collection's code."""
        return run_of(ours(action, **arguments))

    def save(self) -> Run:
        """Measure one save by the collection."""
        return self.ours("saving", port=self.port, token=self.token, dest=str(self.archive))


def saving(bench: Bench) -> list[dict[str, Any]]:
    """Save, verified and on the disk, beside curl (which verifies nothing) and beside the CLI."""
    other = bench.directory / "other.snap"
    print("saving …", flush=True)
    return [
        row("save", "curl -o", 1.05, in_turn(bench.runs, bench.save, lambda: bench.curl(other))),
        row(
            "save",
            "consul snapshot save",
            0.82,
            in_turn(bench.runs, bench.save, lambda: bench.cli("snapshot", "save", other)),
        ),
    ]


def describing(bench: Bench) -> list[dict[str, Any]]:
    """Info, keys by prefix included, beside the CLI's."""
    print("describing …", flush=True)
    pair = in_turn(
        bench.runs,
        lambda: bench.ours("describing", path=str(bench.archive)),
        lambda: bench.cli("snapshot", "inspect", "-kvdetails", bench.archive),
    )
    return [row("info", "consul snapshot inspect -kvdetails", 0.17, pair)]


def restoring(bench: Bench) -> list[dict[str, Any]]:
    """Restore into a fresh server each time, with and without the manifest; waiting and proof are not counted."""
    print("restoring …", flush=True)
    plain = bench.directory / "plain.snap"
    plain.write_bytes(bench.archive.read_bytes())
    numbers = itertools.count()

    def fresh() -> Cluster:
        return Cluster(bench.directory / f"fresh-{next(numbers)}", servers=1, name_prefix="fresh")

    def by_us(src: Path) -> Run:
        with fresh() as target:
            figures = ours(
                "restoring",
                port=target.servers[0].http_port,
                token=target.tokens.initial_management,
                src=str(src),
            )
        counted = sum(figures["phases"][phase] for phase in ("verify", "target", "restore"))
        return run_of(figures)._replace(seconds=counted)

    def by_cli() -> Run:
        with fresh() as target:
            return bench.cli("snapshot", "restore", plain, cluster=target)

    described, alone = (in_turn(bench.runs, partial(by_us, src), by_cli) for src in (bench.archive, plain))
    return [
        row("restore, with a manifest", "consul snapshot restore", 1.00, described),
        row("restore, without one", "consul snapshot restore", 1.10, alone),
    ]


def comparing(bench: Bench) -> list[dict[str, Any]]:
    """A comparison of two archives, with names, beside a single look at one of them; the cluster is changed for it."""
    print("comparing …", flush=True)
    before, after = bench.directory / "before.snap", bench.directory / "after.snap"
    bench.cli("snapshot", "save", before)
    load.some_changes(bench.cluster)
    bench.cli("snapshot", "save", after)
    pair = in_turn(
        bench.runs,
        lambda: bench.ours("comparing", before=str(before), after=str(after)),
        lambda: bench.ours("describing", path=str(before)),
    )
    return [{**row("diff", "info of one archive", 2.50, pair), "peak_mib": max(mib(run) for run in pair.ours)}]


def memory(bench: Bench) -> dict[str, Any]:
    """Peak memory of a save and of an info, beside the CLI's."""
    print("memory …", flush=True)
    saved = bench.save()
    info = bench.ours("describing", path=str(bench.archive))
    cli = bench.cli("snapshot", "save", bench.directory / "other.snap")
    inspect = bench.cli("snapshot", "inspect", bench.archive)
    return {
        "archive_mb": round(bench.archive.stat().st_size / 1e6, 1),
        "save_mib": mib(saved),
        "info_mib": mib(info),
        "cli_save_mib": mib(cli),
        "cli_inspect_mib": mib(inspect),
        "bar_mib": 64,
    }


def archive_figures(bench: Bench) -> dict[str, Any]:
    """What was measured on."""
    figures = ours("saving", port=bench.port, token=bench.token, dest=str(bench.archive))
    records = figures["records"]
    return {
        "consul": bench.cluster.version,
        "keys": records["KVS"]["count"],
        "archive_mb": round(figures["size"] / 1e6, 1),
        "state_mb": round(sum(one["size"] for one in records.values()) / 1e6, 1),
        "runs": bench.runs,
    }


def row(what: str, beside: str, limit: float | None, pair: Pair) -> dict[str, Any]:
    """Return one line of the table, and show it at once: the whole table takes minutes.

    :param limit: the bar, None where there is none.
    """
    busy = pair.crowding >= TOO_BUSY
    print(f"  {what}, beside {beside}: {pair.ratio:.2f}x{' (the machine was too busy to tell)' * busy}", flush=True)
    return {
        "what": what,
        "beside": beside,
        "ours_s": round(statistics.median(run.seconds for run in pair.ours), 2),
        "theirs_s": round(statistics.median(run.seconds for run in pair.theirs), 2),
        "ratio": round(pair.ratio, 2),
        "bar": limit,
        "ours_cpu_s": round(statistics.median(run.cpu_seconds for run in pair.ours), 2),
        "theirs_cpu_s": round(statistics.median(run.cpu_seconds for run in pair.theirs), 2),
        "ours_whole_s": round(statistics.median(_whole(run) for run in pair.ours), 2),
        "crowding": round(pair.crowding, 2),
        "too_busy": busy,
    }


def run_of(figures: dict[str, Any]) -> Run:
    """Return what the worker measured."""
    return Run(figures["seconds"], figures["peak_kib"], figures["cpu_seconds"], figures["whole_seconds"])


def _whole(run: Run) -> float:
    return run.seconds if run.whole_seconds is None else run.whole_seconds


def mib(run: Run) -> float:
    """Return a run's peak memory in MiB."""
    return round(run.peak_kib / 1024, 1)
