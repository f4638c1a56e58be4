# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back up and rehearse fleets of growing size, see that exactly the broken clusters are named, and print the figures.

The real servers, a fifth of the largest fleet, run all the time. After that, some clusters of many archives are
rehearsed over several rehearsal hosts. Environment: FLEET_SIZES (25,50,100; empty for none), FLEET_ARCHIVES (1000; 0
for none).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from support.fleet import AT_ONCE, FAULTS, REAL, Figures, Fleet, Part

from fleet import hosts


def main() -> int:
    """Play both playbooks at each size; an AssertionError says what was not as it has to be."""
    sizes = sorted(int(size) for size in os.environ.get("FLEET_SIZES", "25,50,100").split(",") if size)
    archives = int(os.environ.get("FLEET_ARCHIVES", "1000"))
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        if sizes:
            print(growing(Path(name), sizes), flush=True)
        if archives:
            spreads = hosts.rehearsing(Path(name, "hosts"), archives)
            print(f"\n{hosts.AT_ONCE} at a time on each host, on {os.cpu_count()} processors\n\n{hosts.table(spreads)}")
    return 0


def growing(directory: Path, sizes: list[int]) -> str:
    """Play both playbooks at each size, and return the figures as lines."""
    rows = []
    began = time.monotonic()
    with Fleet(directory, sizes[-1]) as fleet:
        print(f"{len(fleet.servers)} Consul servers run, started in {time.monotonic() - began:.0f} s", flush=True)
        for size in sizes:
            part = fleet.part(size)
            backup = part.back_up()
            part.fill()
            rehearsal = part.rehearse()
            rows.append(row(part, backup, rehearsal))
            print(f"{size} clusters: exactly the broken ones were named; {seconds(backup, rehearsal)}", flush=True)
    columns = f"{'hosts':>5} {'s':>7} {'s/host':>7} {'MiB':>6}"
    return "\n".join(
        [
            f"\n{AT_ONCE} at a time, on {os.cpu_count()} processors\n",
            f"{'':>36} | {'backup':^29} | {'rehearse':^29}",
            f"{'clusters':>8} {'servers':>8} {'archives':>9} {'broken':>8} | {columns}  | {columns}",
            *rows,
            "\nMiB: the most that ansible-playbook itself had in memory",
        ]
    )


def row(part: Part, backup: Figures, rehearsal: Figures) -> str:
    """Return one line of the table."""
    kinds = Counter(member.kind for member in part.members)
    broken = sum(kinds[kind] for kind in FAULTS)
    size = len(part.members)
    clusters = f"{size:>8} {kinds[REAL]:>8} {size - kinds[REAL] - broken:>9} {broken:>8}"
    return f"{clusters} | {told(backup)}  | {told(rehearsal)}"


def seconds(backup: Figures, rehearsal: Figures) -> str:
    """Return how long it took, for those who wait for the table."""
    return f"backup {backup.seconds:.0f} s, rehearsal {rehearsal.seconds:.0f} s"


def told(one: Figures) -> str:
    """Return the figures of one run."""
    return f"{one.hosts:>5} {one.seconds:>7.1f} {one.seconds / one.hosts:>7.2f} {one.peak_mib:>6.0f}"


if __name__ == "__main__":
    sys.exit(main())
