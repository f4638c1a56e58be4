# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our reader says of a case: asked of a process that can be ended when it doesn't answer."""

from __future__ import annotations

import json
import select
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any

ACCEPTS, REFUSES, HANGS, DIES = "accepts", "refuses", "hangs", "dies"
PATIENCE = 60.0


@dataclass(frozen=True)
class Reading:
    """``fault``: of an ArchiveError. ``exceptions``: what else was raised, and where. ``seconds`` of processor time and
    ``mib`` of memory that the costliest look took. ``guards``: what a restore would be refused for."""

    verdict: str
    fault: str = ""
    retryable: bool | None = None
    exceptions: list[str] = field(default_factory=list)
    seconds: float = 0.0
    mib: float = 0.0
    fingerprint: str = ""
    guards: list[str] = field(default_factory=list)


class Reader:
    """One process of ours; used as a context manager. ``base``: a whole archive that cases are compared with."""

    def __init__(self, base: bytes) -> None:
        self._base = base
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="fuzz-reader-")

    def read(self, archive: bytes) -> Reading:
        """Return what our code says of an archive."""
        if self._process is None:
            command = [sys.executable, "-m", "fuzz.reader_worker", f"{self._directory.name}/case.snap"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            if self._asked(self._process, self._base).verdict != ACCEPTS:
                raise RuntimeError("our own reader refuses the archive of a real server")
        reading = self._asked(self._process, archive)
        if reading.verdict in (HANGS, DIES):
            self._end()
        return reading

    @staticmethod
    def _asked(process: subprocess.Popen[bytes], archive: bytes) -> Reading:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the reader has no pipes")
        try:
            process.stdin.write(struct.pack(">Q", len(archive)) + archive)
            process.stdin.flush()
        except OSError:
            return Reading(DIES)
        if not select.select([process.stdout], [], [], PATIENCE)[0]:
            return Reading(HANGS)
        line = process.stdout.readline()
        told: dict[str, Any] = json.loads(line) if line else {"verdict": DIES}
        return Reading(**told)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end()
        self._directory.cleanup()
