# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``consul snapshot inspect`` says of an archive: it reads gzip, tar, sums and meta.json as a server does."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from lab import binaries
from lab.server import clean_environment

PATIENCE = 60.0


def inspected(archive: bytes, directory: Path, version: str = binaries.NEW) -> tuple[bool, str]:
    """Return whether the command takes the archive, and what it says."""
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        path = Path(scratch, "archive.snap")
        path.write_bytes(archive)
        command = [str(binaries.consul(version)), "snapshot", "inspect", "-format=json", str(path)]
        environment = {**clean_environment(scratch), "GOMAXPROCS": "1", "GOGC": "off"}
        done = subprocess.run(
            command, capture_output=True, env=environment, timeout=PATIENCE, check=False, text=True, errors="replace"
        )
    return done.returncode == 0, done.stderr.strip()[-300:]
