# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore has come to so far, and the result that shows it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from ..._errors import SnapshotError
from ..decision import Decision
from .guards import Finding, as_results
from .outcome import NOTHING_SENT, REPLACED, UNKNOWN
from .target import Source, Target


class Progress:
    """How far a restore has come: what a result shows, whether it ends well or not."""

    def __init__(self, warn: Callable[[str], None] = lambda text: None) -> None:
        """:param warn: gets a text for each try that is followed by another."""
        self._warn = warn
        self.attempts: list[str] = []
        self.state = NOTHING_SENT
        self.guards: list[Finding] = []
        self.backup_file: str | None = None
        self.proof: dict[str, Any] | None = None
        self.decision: Decision | None = None
        self.cluster: str | None = None
        self.source: Source | None = None
        self.target: Target | None = None
        self.remarks: list[str] = []
        self.agents_awaited: list[dict[str, Any]] | None = None
        self.servers_gone: list[dict[str, Any]] = []
        self.next_steps: list[str] | None = None
        self.duration: dict[str, float] = {}

    @property
    def may_have_changed(self) -> bool:
        """Whether the cluster's content was replaced, or may have been."""
        return self.state in (REPLACED, UNKNOWN)

    def remark(self, text: str) -> None:
        """Note what a person should know before anything is sent; it refuses nothing."""
        self.remarks.append(text)
        self._warn(text)

    def result(self) -> dict[str, Any]:
        """Return what a module's result shows; see its documentation."""
        result: dict[str, Any] = {
            "guards": as_results(self.guards),
            "remarks": self.remarks,
            "backup_file": self.backup_file,
            "attempts": self.attempts,
            "duration": self.duration,
        }
        if self.decision:
            result["reason"] = self.decision.reason
        if self.proof:
            result["proof"] = self.proof
        if self.may_have_changed and self.next_steps is not None:
            result.update(
                agents_awaited=self.agents_awaited, servers_gone=self.servers_gone, next_steps=self.next_steps
            )
        if self.source:
            result.update(fingerprint=self.source.fingerprint.overall, index=self.source.index)
            own = self.target.fingerprint if self.target else None
            result["diff"] = {"before": own.described if own else {}, "after": self.source.fingerprint.described}
        if self.target and self.target.cluster:
            result["cluster"] = self.target.cluster.identity._replace(name=self.cluster).as_json()
        return result

    def again(self, error: SnapshotError) -> None:
        """Note a try that failed and is followed by another."""
        self.attempts.append(error.message)
        self._warn(f"trying again: {error.message}")

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure one phase, in seconds."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.duration[name] = round(time.monotonic() - begun, 3)
            self.duration["total"] = round(sum(v for k, v in self.duration.items() if k != "total"), 3)
