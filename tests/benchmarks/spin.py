# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep one processor busy for a moment, and print as JSON how much longer that took than it should.

What it takes is CPU time alone, so that the wall clock runs ahead of it only while other programs have the processor.
"""

from __future__ import annotations

import json
import time

CPU_SECONDS = 0.3


def main() -> None:
    """Compute something until so much CPU time was had."""
    begun, begun_cpu = time.monotonic(), time.process_time()
    while time.process_time() - begun_cpu < CPU_SECONDS:
        sum(range(1000))
    print(json.dumps((time.monotonic() - begun) / (time.process_time() - begun_cpu)))


if __name__ == "__main__":
    main()
