# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many archives, of which the newest of some clusters are rehearsed over one and over two rehearsal hosts.

The hosts are this machine under two names, so that two of them do not make it faster: the figures show what each more
cluster takes, and how the clusters are spread.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from support.copies import MANIFEST
from support.playbooks import Ansible, hosts_of
from support.yard import Yard

from lab import Cluster
from lab.seed import seed

CLUSTERS = 16
SAMPLES = ((4, 2), (8, 2), (16, 2), (16, 1))
"""How many clusters are rehearsed over how many hosts."""
AT_ONCE = 2
"""Rehearsals at a time on each host."""
TIMEOUT = 1800.0
STAMP = "%Y%m%dT%H%M%SZ"


class Spread(NamedTuple):
    """One run: ``on`` says how many clusters each host rehearsed; ``cpu`` is Ansible's and the servers' together."""

    clusters: int
    hosts: int
    seconds: float
    cpu: float
    on: dict[str, int]
    report_bytes: int


def rehearsing(directory: Path, archives: int) -> list[Spread]:
    """Make the archives, rehearse samples of the clusters, and return the figures.

    :raises AssertionError: a rehearsal did not end well, or a host got more than its share.
    """
    directory.mkdir(mode=0o700)
    ansible = Ansible(directory, [], timeout=TIMEOUT)
    with Cluster(directory / "server", servers=1, name_prefix="source") as cluster:
        seed(cluster, keys=120)
        ansible.ok("backup", ansible.inventory(hosts_of(cluster)), backup_dir=str(directory / "kept"))
    (source,) = (directory / "kept").glob("*.snap")
    yard = Yard(ansible, source, directory / "yard")
    names = [f"c{number:02}" for number in range(CLUSTERS)]
    for number, name in enumerate(names):
        more = archives // CLUSTERS + (number < archives % CLUSTERS) - 1
        _age(yard.archive(name), more)
    found = len(list(yard.root.glob("archives/*/*.snap")))
    print(f"{found} archives of {CLUSTERS} clusters, all but {CLUSTERS} of them hard links", flush=True)
    return [_rehearsed(yard, names, sample, hosts) for sample, hosts in SAMPLES]


def _age(newest: Path, more: int) -> None:
    """Put this many older archives beside one: links to it, with manifests of their own."""
    manifest = json.loads(Path(f"{newest}{MANIFEST}").read_text(encoding="utf-8"))
    now = datetime.datetime.now(datetime.UTC)
    for number in range(1, more + 1):
        taken = now - datetime.timedelta(hours=number)
        path = newest.with_name(f"dc1-{taken.strftime(STAMP)}-{number}.snap")
        os.link(newest, path)
        when = taken.strftime("%Y-%m-%dT%H:%M:%SZ")
        told = {**manifest, "taken_at": when, "archive": {**manifest["archive"], "file": path.name}}
        Path(f"{path}{MANIFEST}").write_text(json.dumps(told), encoding="utf-8")


def _rehearsed(yard: Yard, names: list[str], sample: int, hosts: int) -> Spread:
    machines = [f"rehearsal-{number + 1}" for number in range(hosts)]
    local: dict[str, Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = yard.inventory(
        {**{name: {} for name in names}, **dict.fromkeys(machines, local)},
        rehearsal_on=machines,
        rehearsal_throttle=AT_ONCE,
    )
    began, used = time.monotonic(), os.times()
    played = yard.ansible.ok("rehearse", inventory, options=["--limit", ",".join(names[:sample])])
    seconds, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system - used.children_user - used.children_system
    lines = [line for line in played.output.splitlines() if "(item=" not in line]
    pairs = {(name, host) for name in names for host in machines if any(f"[{name} -> {host}" in one for one in lines)}
    on = dict(Counter(host for _name, host in sorted(pairs)))
    assert on == dict.fromkeys(machines, sample // hosts), on
    rehearsed = [one for one in yard.report()["clusters"] if one["cluster"] in names[:sample]]
    assert [one["state"] for one in rehearsed] == ["passed"] * sample, rehearsed
    size = (yard.reports / "report.json").stat().st_size
    print(f"{sample} clusters over {hosts} hosts: {seconds:.0f} s, {cpu:.0f} s of CPU time, {on}", flush=True)
    return Spread(sample, hosts, seconds, cpu, on, size)


def table(spreads: list[Spread]) -> str:
    """Return the figures as lines."""
    rows = [f"{'clusters':>8} {'hosts':>6} {'s':>7} {'s/cluster':>10} {'CPU s/cluster':>14} {'report, bytes':>14}"]
    for one in spreads:
        each, cpu = one.seconds / one.clusters, one.cpu / one.clusters
        rows.append(
            f"{one.clusters:>8} {one.hosts:>6} {one.seconds:>7.1f} {each:>10.2f} {cpu:>14.2f} {one.report_bytes:>14}"
        )
    return "\n".join(rows)
