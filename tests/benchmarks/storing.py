# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves into a bucket of a real S3 server on loopback, plain and sealed, and the same with programs, by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.keys import Key, age_key, programs, ssh_key
from support.stores import VersityGw

from benchmarks.measure import Run, in_turn, ours
from benchmarks.scenes import Bench, mib, row, run_of

MEMORY_BAR = 96
"""MiB, for whatever size of an archive."""


class Bucket:
    """A bucket of a server, and the keys that archives are sealed and signed with."""

    def __init__(self, server: VersityGw, directory: Path) -> None:
        self._server = server
        self._keys = [age_key(directory / name) for name in ("key.txt", "escrow.txt")]
        self._signing: Key = ssh_key(directory / "signing")
        self._bucket = server.bucket()

    def save(self, bench: Bench, *, sealed: bool) -> Run:
        """Measure one save into the bucket by the collection.

        :raises RuntimeError: what lies in the bucket is not what a save leaves there.
        """
        sealing = {"recipients": self._recipients, "signing_key": str(self._signing.path)} if sealed else {}
        run = bench.ours(
            "saving",
            port=bench.port,
            token=bench.token,
            dest=self._server.url(self._bucket, "archives/"),
            store=self._server.options(),
            sealing=sealing,
        )
        ending = ".snap.age" if sealed else ".snap"
        endings = [ending, f"{ending}.manifest.json", *([f"{ending}.manifest.json.sig"] if sealed else [])]
        names = self._take_away()
        if [name.partition(".")[2] for name in names] != [one[1:] for one in endings]:
            raise RuntimeError(f"a save left {names} in the bucket")
        return run

    def by_hand(self, bench: Bench) -> Run:
        """Measure the consul command, age and boto3's upload, one after the other."""
        figures = ours(
            "by_hand",
            consul=str(bench.cluster.binary),
            age=str(programs() / "age"),
            environment=bench.cluster.env(),
            directory=str(bench.directory),
            recipients=self._recipients,
            store=self._server.options(),
            bucket=self._bucket,
        )
        names = self._take_away()
        if names != ["by-hand.snap.age"]:
            raise RuntimeError(f"by hand {names} came into the bucket")
        return run_of(figures)

    @property
    def _recipients(self) -> list[str]:
        return [key.public for key in self._keys]

    def _take_away(self) -> list[str]:
        """Empty the bucket, and return the names of what was in it."""
        client = self._server.client()
        keys = [item["Key"] for item in client.list_objects_v2(Bucket=self._bucket).get("Contents", [])]
        for key in keys:
            client.delete_object(Bucket=self._bucket, Key=key)
        return sorted(os.path.basename(key) for key in keys)


@contextmanager
def bucket(directory: Path) -> Iterator[Bucket]:
    """Give a bucket of a server that runs as long."""
    directory.mkdir(mode=0o700)
    with VersityGw(directory / "server") as server:
        yield Bucket(server, directory)


def saving(bench: Bench) -> list[dict[str, Any]]:
    """Save into a bucket, plain and sealed, beside a save into a directory; sealed beside the same by hand."""
    print("saving into a bucket …", flush=True)
    with bucket(bench.directory / "bucket") as place:
        plain = in_turn(bench.runs, lambda: place.save(bench, sealed=False), bench.save)
        sealed = in_turn(bench.runs, lambda: place.save(bench, sealed=True), bench.save)
        by_hand = in_turn(bench.runs, lambda: place.save(bench, sealed=True), lambda: place.by_hand(bench))
    rows = [
        row("save into S3", "save into a directory", 1.15, plain),
        row("save into S3, sealed", "save into a directory", 1.15, sealed),
        row("save into S3, sealed", "consul, age, boto3 by hand", None, by_hand),
    ]
    peaks = [max(mib(run) for run in pair.ours) for pair in (plain, sealed, by_hand)]
    return [{**one, "peak_mib": peak} for one, peak in zip(rows, peaks, strict=True)]


def memory(bench: Bench, directory: Path) -> dict[str, Any]:
    """Peak memory of a sealed save into a bucket."""
    with bucket(directory) as place:
        return {"sealed_mib": mib(place.save(bench, sealed=True)), "sealed_bar_mib": MEMORY_BAR}
