# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rehearsal ended, or how far it has come, as one value; and how results show it (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from ..._errors import ServerDied, SnapshotError
from ..._model.finding_meanings import CRITICAL, SEEN
from ..._model.identity import ClusterIdentity
from ..._model.versions import is_across
from ..._sandbox.binary import Binary
from ..._snapshot.checks.findings import Finding, judged_for
from ..._snapshot.reader import Archive
from ..._storage.archive_file import ArchiveFile
from ..._storage.archive_source import Seen
from ..._storage.chronology import is_ahead
from ..._storage.local_copy import Room
from ..._system.atomic_files import Digest
from ..._times import to_text
from ..storing import of_room, shortly
from .assertions import Outcome
from .verdict import DIED, NOT_ENDED, PROVEN, VERIFY, Conclusion, passed, total


@dataclass(frozen=True)
class Examined:
    """An archive that verifies. ``age`` in seconds, None when it is not known: see ``age_of``. ``file``: what was read.

    ``digest`` is of its plain bytes.
    """

    archive: Archive
    digest: Digest
    seen: Seen
    origin: ClusterIdentity
    age: int | None = None
    signature_fault: str | None = None
    """Why nobody who may sign vouches for it; None where somebody does, or where nobody has to."""
    file: ArchiveFile | None = field(default=None, compare=False, repr=False)

    def open(self) -> BinaryIO:
        """Open the very bytes that were verified.

        :raises FileError: they were changed since.
        """
        return self._file.open()

    def plain(self) -> Iterator[bytes]:
        """Yield its plain bytes once more.

        :raises SnapshotError: they can't be read.
        """
        return self._file.plain()

    @property
    def _file(self) -> ArchiveFile:
        if self.file is None:
            raise ValueError("nothing was read")
        return self.file


@dataclass(frozen=True)
class Ending:
    """What happened in a rehearsal, and how far it came; what it did not come to is None or empty.

    ``phase``: the last one that began. ``rto``: seconds of each phase that was finished, of those that count for it.
    ``refusal``: what the server answered to the restore, where that was an error. ``memory`` in bytes.
    ``cleared``: directories of killed runs that this one removed. ``room``: what a private copy of the archive takes.
    """

    conclusion: Conclusion = NOT_ENDED
    phase: str = VERIFY
    cleared: tuple[str, ...] = ()
    room: Room | None = None
    examined: Examined | None = None
    binary: Binary | None = None
    isolation: str | None = None
    rto: Mapping[str, float] = field(default_factory=dict)
    memory: int | None = None
    refusal: SnapshotError | None = None
    outcomes: tuple[Outcome, ...] = ()
    proof: dict[str, Any] | None = None
    changes: dict[str, Any] | None = None
    kept_dir: str | None = None

    @property
    def is_across(self) -> bool:
        """Whether the server is known to be of another version than the archive."""
        if self.examined is None or self.binary is None:
            return False
        return is_across(self.examined.origin.consul_version, [self.binary.version])

    @property
    def death(self) -> ServerDied | None:
        """The server's death while it restored the archive, or after that."""
        cause = self.conclusion.cause
        return cause if isinstance(cause, ServerDied) and self.conclusion.verdict == DIED else None


def age_of(taken_at: float | None, confirmed_at: float | None, now: float) -> int | None:
    """Return the seconds since an archive was taken, or since its content was last confirmed; None when not known.

    A date more than a day ahead of ``now`` is not believed. All dates are seconds since the epoch.
    """
    believed = [date for date in (taken_at, confirmed_at) if date is not None and not is_ahead(date, now)]
    return max(0, int(now - max(believed))) if believed else None


def result_of(src: str, ending: Ending) -> dict[str, Any]:
    """Return a module's result, whether the rehearsal ended well, ended early, or is still under way."""
    conclusion, binary = ending.conclusion, ending.binary
    whole = {"total": total(ending.rto)} if conclusion.verdict == PROVEN else {}
    seen = {"proof": ending.proof, "changes": ending.changes}
    return {
        "src": src,
        "passed": passed(conclusion),
        "verdict": conclusion.verdict,
        "assertions": [outcome._asdict() for outcome in conclusion.assertions],
        "targets": [limit._asdict() for limit in conclusion.targets],
        "rto": {**ending.rto, **whole},
        "memory_bytes": ending.memory,
        "isolation": ending.isolation,
        "server_version": binary.version if binary else None,
        "cleared": list(ending.cleared),
        **of_room(ending.room),
        "kept_dir": ending.kept_dir,
        **(_of_archive(ending.examined, ending) if ending.examined else {}),
        **{name: value for name, value in seen.items() if value is not None},
    }


def _of_archive(examined: Examined, ending: Ending) -> dict[str, Any]:
    archive, origin = examined.archive, examined.origin
    findings = archive.state.findings
    judged = judged_for(findings, ending.binary.version) if ending.binary else findings
    return {
        **(shortly(examined.file) if examined.file else {}),
        "sha256": examined.digest.sha256,
        "size": examined.digest.size,
        "taken_at": to_text(archive.meta.taken_at),
        "age": examined.age,
        "datacenter": origin.datacenter,
        "cluster_id": origin.id,
        "archive_version": origin.consul_version,
        "records": {name: asdict(stats) for name, stats in archive.state.records.items()},
        "fingerprint": archive.state.fingerprint.overall,
        "findings": [*_of_death(ending.death), *map(asdict, judged)],
    }


def _of_death(death: ServerDied | None) -> list[dict[str, Any]]:
    if death is None:
        return []
    meaning = "A throwaway server died while it restored this, or soon after; a server of that version would, too."
    finding = Finding("server_died", CRITICAL, meaning, 1, [death.message], SEEN)
    return [{**asdict(finding), "crash_log": death.crash_log}]
