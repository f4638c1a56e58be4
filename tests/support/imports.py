# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What some code imports."""

from __future__ import annotations

import subprocess
import sys

from env import places


def imported_by(*lines: str) -> set[str]:
    """Run lines of code in a Python of its own, and return the names of all modules that it has imported by then."""
    done = subprocess.run(
        [sys.executable, "-c", "\n".join((*lines, "import sys", "print('\\n'.join(sys.modules))"))],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(places.linked_tree())},
        check=True,
    )
    return set(done.stdout.split())
