# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a rehearsal has come, and how results show it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..._errors import ServerDied, SnapshotError
from ..._model.finding_meanings import CRITICAL, SEEN
from ..._model.identity import ClusterIdentity
from ..._model.versions import is_across
from ..._sandbox.server import Binary
from ..._snapshot.checks.findings import Finding
from ..._snapshot.reader import Archive
from ..._storage.chronology import is_ahead
from ..._system.atomic_files import Digest, Stamp
from ..._times import to_text
from .assertions import Outcome
from .verdict import INCOMPLETE, PROVEN, Ending, as_results, total


@dataclass(frozen=True)
class Examined:
    """An archive that verifies."""

    archive: Archive
    digest: Digest
    stamp: Stamp
    origin: ClusterIdentity
    confirmed_at: float | None = None
    """When the content was last known to be the cluster's, by a manifest that matches: seconds since the epoch."""


class Progress:
    """How far a rehearsal has come: what a result shows, whether it ends well or not."""

    def __init__(self) -> None:
        self.phase = "verify"
        self.examined: Examined | None = None
        self.findings: list[Finding] = []
        self.binary: Binary | None = None
        self.isolation: str | None = None
        self.phases: dict[str, float] = {}
        self.memory: int | None = None
        self.outcomes: tuple[Outcome, ...] = ()
        self.proof: dict[str, Any] | None = None
        self.changes: dict[str, Any] | None = None
        self.cause: SnapshotError | None = None
        self.death: ServerDied | None = None
        self.cleared: list[str] = []
        self.kept_dir: str | None = None
        self.ending: Ending | None = None

    @property
    def across(self) -> bool:
        """Whether the server is known to be of another version than the archive."""
        if self.examined is None or self.binary is None:
            return False
        return is_across(self.examined.origin.consul_version, [self.binary.version])

    @property
    def age(self) -> int | None:
        """Seconds since the archive was taken, or since its content was last confirmed; None when that is not known.

        A date more than a day ahead is not believed.
        """
        now, told = time.time(), self.examined
        known = [told.archive.meta.taken_at, told.confirmed_at] if told else []
        believed = [moment for moment in known if moment is not None and not is_ahead(moment, now)]
        return max(0, int(now - max(believed))) if believed else None

    @contextlib.contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Measure one phase, in seconds; one that fails is none."""
        self.phase, begun = name, time.monotonic()
        yield
        self.phases[name] = round(time.monotonic() - begun, 3)

    def as_result(self) -> dict[str, Any]:
        """Return what is known so far, as a module's result shows it."""
        ending = self.ending or Ending(INCOMPLETE, "", "", (), ())
        proven = ending.verdict == PROVEN
        result = {
            **as_results(ending),
            "rto": {**self.phases, **({"total": total(self.phases)} if proven else {})},
            "memory_bytes": self.memory,
            "isolation": self.isolation,
            "server_version": self.binary.version if self.binary else None,
            "cleared": self.cleared,
            "kept_dir": self.kept_dir,
            **(self._of_archive(self.examined) if self.examined else {}),
        }
        told = {"proof": self.proof, "changes": self.changes}
        return {**result, **{name: value for name, value in told.items() if value is not None}}

    def _of_archive(self, examined: Examined) -> dict[str, Any]:
        archive, origin = examined.archive, examined.origin
        return {
            "sha256": examined.digest.sha256,
            "size": examined.digest.size,
            "taken_at": to_text(archive.meta.taken_at),
            "age": self.age,
            "datacenter": origin.datacenter,
            "cluster_id": origin.id,
            "archive_version": origin.consul_version,
            "records": {name: asdict(stats) for name, stats in archive.state.records.items()},
            "fingerprint": archive.state.fingerprint.overall,
            "findings": [*_of_death(self.death), *map(asdict, self.findings)],
        }


def _of_death(death: ServerDied | None) -> list[dict[str, Any]]:
    if death is None:
        return []
    meaning = "A throwaway server died while it restored this, or soon after; a server of that version would, too."
    finding = Finding("server_died", CRITICAL, meaning, 1, [death.message], SEEN)
    return [{**asdict(finding), "last_words": death.last_words}]
