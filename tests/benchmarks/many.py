# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many archives in one store: how long a list of them takes, and a prune, in a directory and in S3 on loopback.

There is nothing to compare with, so the bars are seconds. Half as many are measured, too: what is linear takes half as
long.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from support.stores import VersityGw

from benchmarks.measure import TOO_BUSY, crowding, ours
from lab.cluster import Cluster

CLUSTERS = 10
MANIFEST = ".manifest.json"
PREFIX = "archives/"
BARS = {"directory": 5.0, "S3": 30.0}
"""Seconds for ten thousand archives."""
OF = 10_000


def looking(directory: Path, archives: int) -> list[dict[str, Any]]:
    """List and prune so many archives, and half as many, in both kinds of store; return a row for each."""
    rows = []
    with Cluster(directory / "server", servers=1) as cluster, VersityGw(directory / "s3", keep_alive=True) as server:
        cluster.http("PUT", "/v1/kv/a", data="1", check=True)
        source = directory / "source.snap"
        ours("saving", port=cluster.servers[0].http_port, token=cluster.tokens.initial_management, dest=str(source))
        for count in (archives // 2, archives):
            place = directory / f"archives-{count}"
            place.mkdir()
            for name, manifest in _described(source, count):
                os.link(source, place / name)
                (place / (name + MANIFEST)).write_bytes(manifest)
            rows += _measured("directory", count, path=str(place))
            bucket = server.bucket()
            _fill(server, bucket, source, count)
            rows += _measured("S3", count, path=server.url(bucket, PREFIX), store=server.options())
    return rows


def _described(source: Path, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield names, and manifests as if the archive had been taken each hour by one of several clusters."""
    manifest = json.loads(source.with_name(source.name + MANIFEST).read_bytes())
    last = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    for number in range(count):
        at, cluster = last - datetime.timedelta(hours=number), number % CLUSTERS
        name, when = f"dc1-{at:%Y%m%dT%H%M%SZ}-{number}.snap", f"{at:%Y-%m-%dT%H:%M:%SZ}"
        servers = [f"server {cluster}"]
        told = {
            **manifest,
            "taken_at": when,
            "confirmed_at": when,
            "archive": {**manifest["archive"], "file": name},
            "meta": {**manifest["meta"], "index": 10 * count - number},
            "cluster": {**manifest["cluster"], "name": f"cluster {cluster}", "servers": servers},
        }
        yield name, json.dumps(told, indent=2, sort_keys=True).encode()


def _fill(server: VersityGw, bucket: str, source: Path, count: int) -> None:
    client, archive = server.client(), source.read_bytes()

    def put(name: str, data: bytes) -> None:
        metadata = {"sha256": hashlib.sha256(data).hexdigest()}
        client.put_object(Bucket=bucket, Key=PREFIX + name, Body=data, Metadata=metadata)

    def both(described: tuple[str, bytes]) -> None:
        put(described[0], archive)
        put(described[0] + MANIFEST, described[1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(both, _described(source, count)))


def _measured(kind: str, count: int, **place: Any) -> list[dict[str, Any]]:
    """List, prune in check mode, and prune; half of the archives of each cluster go."""
    rows = []
    keep = max(1, count // CLUSTERS // 2)
    for what, action, more in (
        ("list", "listing", {}),
        ("prune, check mode", "pruning", {"keep": keep, "check": True}),
        ("prune, half of them go", "pruning", {"keep": keep, "check": False}),
    ):
        busy = crowding()
        figures = ours(action, **place, **more)
        row = {
            "what": what,
            "place": kind,
            "archives": count,
            "seconds": round(figures["seconds"], 2),
            "cpu_s": round(figures["cpu_seconds"], 2),
            "peak_mib": round(figures["peak_kib"] / 1024, 1),
            "bar_s": BARS[kind] if count >= OF else None,
            "crowding": round(busy, 2),
            "too_busy": busy >= TOO_BUSY,
        }
        print(f"  {what} {count:,} in a {kind}: {row['seconds']} s, {row['cpu_s']} s of CPU", flush=True)
        rows.append(row)
    return rows
