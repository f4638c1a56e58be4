# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of its own that lets our code loose on archives: lengths and bytes in, one line of JSON a case out.

Everything that looks into an archive is called: snapshot_info's path, the looks before a restore, the comparison with
another archive in both directions, within a version and across.
"""

from __future__ import annotations

import json
import re
import resource
import struct
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from env import places

sys.path.insert(0, str(places.linked_tree()))

from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.across_versions import (
    Baseline,
    CrossVersionCheck,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._compare.record_diff import (
    RecordCollector,
    Selection,
    compare_records,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._errors import ArchiveError
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.compatibility import unrestorable
from ansible_collections.disaster_recovery.consul.plugins.module_utils._model.finding_meanings import deadly
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.describe import (
    DescribeRequest,
    describe,
    result_of,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.journal import Journal
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot import reader as _archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.reader import Archive, read_archive
from ansible_collections.disaster_recovery.consul.plugins.module_utils._snapshot.restore_facts import read_head

TARGET = "1.22.7"
NOW = 1_800_000_000.0
ADDRESS_SPACE = 3 << 30
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


class Looks:
    """What is done with each case; ``base`` is a whole archive to compare it with. ``path``: a file for the case."""

    def __init__(self, base: bytes, path: Path) -> None:
        self._path = path
        self._base = base
        self._learned = Baseline(True)
        self._counts = {name: stats.count for name, stats in self._read(base, self._learned).state.records.items()}
        self.archive: Archive | None = None
        self.findings: list[Any] = []

    def of(self, data: bytes) -> Iterator[Callable[[bytes], None]]:
        """Yield those that are due; the first says whether the archive is one."""
        yield self.info
        yield self.head
        # Most of what is refused ends at the same place in all of them.
        if self.archive is not None or zlib.crc32(data) % 4 == 0:
            yield self.across
            yield self.difference

    def info(self, data: bytes) -> None:
        """Do what snapshot_info does."""
        self.archive = None
        self._path.write_bytes(data)
        described = describe(DescribeRequest(str(self._path), target_version=TARGET), Journal())
        self.findings = list(described.archive.state.findings)
        json.dumps(result_of(described), ensure_ascii=False).encode()
        self.archive = described.archive

    def head(self, data: bytes) -> None:
        """Look for agents and tokens, as before a restore."""
        read_head(_pieces(data), counts={**self._counts, "Register": 1 << 40}, secrets={"a": "secret"}, now=NOW)

    def across(self, data: bytes) -> None:
        """Compare as after a restore into another version."""
        learned = Baseline(True)
        self._read(data, learned)
        for one, other in ((learned, self._base), (self._learned, data)):
            compared = CrossVersionCheck(one)
            self._read(other, compared)
            compared.differing(NOW)

    def difference(self, data: bytes) -> None:
        """Compare record by record."""
        rows = []
        for one in (self._base, data):
            collector = RecordCollector(Selection(volatile=True))
            self._read(one, collector)
            rows.append(collector.complete())
        compare_records(rows[0], rows[1], limit=20)

    @staticmethod
    def _read(data: bytes, visitor: Any) -> Archive:
        return read_archive(_pieces(data), visitor=visitor)

    def guards(self) -> list[str]:
        """Return what a restore into TARGET would be refused for."""
        if self.archive is None:
            return []
        state = self.archive.state
        names = list(deadly([finding.name for finding in self.findings], TARGET))
        target = {"archive": state.origin.consul_version, "target": TARGET, "enterprise": False}
        return names + list(unrestorable(state.type_ids, state.config_kinds, **target) or [])


def looked_at(looks: Looks, data: bytes) -> dict[str, Any]:
    """Return what our code says of a case and what that took."""
    told: dict[str, Any] = {"verdict": "accepts", "fault": "", "retryable": None, "exceptions": []}
    before = _forget_peak()
    slowest = 0.0
    for look in looks.of(data):
        began = time.process_time()
        try:
            look(data)
        except ArchiveError as error:
            if look == looks.info:
                told |= {"verdict": "refuses", "fault": error.fault, "retryable": error.retryable}
        except Exception as error:
            told["exceptions"].append(f"{look.__name__}: {type(error).__name__} at {_place(error)}")
        slowest = max(slowest, time.process_time() - began)
    told["seconds"], told["mib"] = round(slowest, 3), round((_peak() - before) / 1024, 1)
    told["fingerprint"] = looks.archive.state.fingerprint.overall if looks.archive else ""
    told["guards"] = looks.guards()
    return told


def _pieces(data: bytes) -> list[bytes]:
    return [data[start : start + (1 << 18)] for start in range(0, len(data), 1 << 18)]


def _place(error: BaseException) -> str:
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "module_utils" in frame.filename]
    return f"{ours[-1].filename.rpartition('module_utils/')[2]}:{ours[-1].lineno}" if ours else "nowhere"


def _forget_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _peak()


def _peak() -> int:
    found = _PEAK.search(Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found.group(1)) if found else 0


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        sys.exit(0)
    return data


def main() -> None:
    """Answer case after case until nothing more comes. The argument is where the file of a case is put."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    # All work is to be seen in this process.
    _archive.is_of_use = lambda: False
    looks = None
    while True:
        (size,) = struct.unpack(">Q", _read_exactly(sys.stdin.buffer, 8))
        data = _read_exactly(sys.stdin.buffer, size)
        if looks is None:
            looks = Looks(data, Path(sys.argv[1]))
        print(json.dumps(looked_at(looks, data)), flush=True)


if __name__ == "__main__":
    main()
