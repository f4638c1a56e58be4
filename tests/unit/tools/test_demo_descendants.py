# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of every process below us, also of those that tried to leave: in a process of its own, which has to adopt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[3] / "tools"
# A child that starts a grandchild in a session of its own and ends at once.
SCRIPT = """
import subprocess, sys
from demo.descendants import adopt_orphans, descendants, end_descendants
adopt_orphans()
leave = '''
import subprocess
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
print(subprocess.Popen(["sleep", "60"], start_new_session=True, **quiet).pid)
'''
done = subprocess.run([sys.executable, "-c", leave], stdout=subprocess.PIPE, text=True, check=True)
stayed = subprocess.Popen(["sleep", "60"])
assert descendants() == {int(done.stdout), stayed.pid}, descendants()
assert end_descendants()
assert descendants() == set()
"""


def test_none_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={"PYTHONPATH": str(TOOLS)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
