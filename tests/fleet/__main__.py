# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back up and rehearse fleets of growing size, see that exactly the broken clusters are named, and print the figures.

The real servers, a fifth of the largest fleet, run all the time. Environment: FLEET_SIZES (25,50,100).
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from support.fleet import AT_ONCE, FAULTS, REAL, Figures, Fleet, Part


def main() -> int:
    """Play both playbooks at each size; an AssertionError says what was not as it has to be."""
    sizes = sorted(int(size) for size in os.environ.get("FLEET_SIZES", "25,50,100").split(","))
    rows = []
    with tempfile.TemporaryDirectory(prefix="fleet-") as name:
        began = time.monotonic()
        with Fleet(Path(name), sizes[-1]) as fleet:
            print(f"{len(fleet.servers)} Consul servers run, started in {time.monotonic() - began:.0f} s", flush=True)
            for size in sizes:
                part = fleet.part(size)
                backup = part.back_up()
                part.fill()
                rehearsal = part.rehearse()
                rows.append(row(part, backup, rehearsal))
                print(f"{size} clusters: exactly the broken ones were named; {seconds(backup, rehearsal)}", flush=True)
    print(f"\n{AT_ONCE} at a time, on {os.cpu_count()} processors\n")
    print(f"{'':>36} | {'backup':^29} | {'rehearse':^29}")
    columns = f"{'hosts':>5} {'s':>7} {'s/host':>7} {'MiB':>6}"
    print(f"{'clusters':>8} {'servers':>8} {'archives':>9} {'broken':>8} | {columns}  | {columns}")
    print("\n".join(rows))
    print("\nMiB: the most that ansible-playbook itself had in memory")
    return 0


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
