# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the demonstration keeps things: a temporary directory for all that may go, another one for what stays."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from env.places import checkout_cache

LOGS_KEPT = 10


@dataclass(frozen=True)
class Places:
    """``work`` goes at the end, whatever happens; ``logs`` stays, and so does ``kept`` if it was asked for."""

    work: Path
    logs: Path

    @classmethod
    def make(cls) -> Places:
        """Make both, private and of this run alone, and remove the logs of runs long past."""
        parent = checkout_cache() / "demo"
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sorted(parent.iterdir())[: -LOGS_KEPT + 1]:
            shutil.rmtree(old, ignore_errors=True)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        logs = parent / f"{stamp}-{os.getpid()}"
        logs.mkdir(mode=0o700)
        work = Path(tempfile.mkdtemp(prefix="consul-demo-")).resolve()
        for name in ("secrets", "tmp"):
            (work / name).mkdir(mode=0o700)
        return cls(work, logs)

    @property
    def backups(self) -> Path:
        """The directory of the archives."""
        return self.work / "backups"

    @property
    def collections(self) -> Path:
        """Where the collection is installed."""
        return self.work / "collections"

    @property
    def secrets(self) -> Path:
        """What a user would have in a vault: nothing of it is on a server."""
        return self.work / "secrets"

    @property
    def tmp(self) -> Path:
        """TMPDIR of all that is started."""
        return self.work / "tmp"

    def keep(self) -> Path:
        """Move the archives to where they stay, and return that place."""
        kept = self.logs / "backups"
        shutil.move(self.backups, kept)
        return kept

    def remove(self) -> None:
        """Remove what may go."""
        shutil.rmtree(self.work, ignore_errors=True)
