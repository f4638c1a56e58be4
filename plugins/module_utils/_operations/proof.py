# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A live cluster held against an archive: the proof after a restore, and before it whether there is anything to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .._compare.equivalence import Comparison, Read, Reference, compare
from .._consul.client import Client
from .._errors import ArchiveError, SnapshotError
from .._snapshot.reader import read_archive
from .._snapshot.records.fingerprint import Fingerprint
from .._snapshot.records.visitor import Visitor
from .capture import capture

_ATTEMPTS = 3
"""How often a snapshot is asked for, at most, until one arrives whole."""
PROOF_SECONDS = 30
"""How long what differs is compared again: a new server's node stands in the catalog without its ``serfHealth`` check
for a moment, and looks like a user's (observed on 1.8.7 and 1.22.7); the leader may be at its start-up work still."""


def reader_of(plain: Callable[[], Iterable[bytes]], fingerprint: Fingerprint) -> Read:
    """Return what reads an archive that was verified before, as often as it takes.

    What it returns raises ArchiveError when the archive does not hold that content any more.

    :param plain: gives its plain bytes, from the first one.
    """

    def read(visitor: Visitor) -> None:
        if read_archive(plain(), visitor=visitor).state.fingerprint != fingerprint:
            raise ArchiveError("the archive has changed since it was verified", fault="changed", retryable=False)

    return read


@dataclass(frozen=True)
class Prover:
    """Compares live clusters with a reference."""

    reference: Reference
    datacenter: str | None = None

    def compare(self, client: Client, *, known: Fingerprint | None = None) -> Comparison:
        """Take a snapshot and compare it.

        :param known: what needs no closer look where the cluster turns out to hold exactly that.
        :raises SnapshotError: it can't be taken.
        """

        def read_cluster(visitor: Visitor | None) -> Fingerprint:
            return capture(client, None, datacenter=self.datacenter, visitor=visitor).archive.state.fingerprint

        # What a follower passes on from the leader is cut short now and then (seen on 1.22.7: 7 of 150).
        for left in range(_ATTEMPTS - 1, -1, -1):
            try:
                return compare(self.reference, read_cluster, known=known)
            except ArchiveError as error:
                if not left or not error.retryable:
                    raise
        raise AssertionError("the loop above returns or raises")

    def prove(
        self,
        client: Client,
        *,
        seconds: float = PROOF_SECONDS,
        pause: Callable[[], None] = lambda: time.sleep(1),
        is_hopeless: Callable[[SnapshotError], bool] = lambda error: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> Comparison:
        """Compare until the cluster holds the content, or the time is up; return the last comparison.

        :param seconds: for how long, and for half a minute at most.
        :param pause: waits between two comparisons; what it raises ends them.
        :param is_hopeless: whether a further comparison can't succeed after this error, although it is retryable.
        :raises SnapshotError: the last comparison could not be made.
        """
        end = clock() + min(seconds, PROOF_SECONDS)
        while True:
            is_last = clock() >= end
            try:
                comparison = self.compare(client)
                if comparison.equal or is_last:
                    return comparison
            except SnapshotError as error:
                if is_last or not error.retryable or is_hopeless(error):
                    raise
                self._let_it_snapshot(client, error)
            pause()

    def _let_it_snapshot(self, client: Client, error: SnapshotError) -> None:
        # When autopilot removes a dead server, raft takes no snapshot until something is written. In a cluster whose
        # agents lost their tokens with the restore nothing ever is (observed on 1.22.7).
        if error.kind == "too_early":
            try:
                client.commit_noop(datacenter=self.datacenter)
            except SnapshotError:
                return
