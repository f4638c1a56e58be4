# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster held against an archive: the proof after a restore, and before it whether there is anything to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ._across import Compared, Learned
from ._archive import read_archive
from ._client import Client
from ._compare import prove
from ._errors import ArchiveError
from ._files import read_pieces
from ._fingerprint import Fingerprint
from ._take import take


class Look(NamedTuple):
    """What a cluster held: the comparison, and its fingerprint."""

    proof: dict[str, Any]
    fingerprint: Fingerprint


@dataclass
class Prover:
    """Compares clusters with one archive. ``across``: whether they are of different Consul versions."""

    src: str
    archive: Fingerprint
    datacenter: str | None
    across: bool
    _learned: Learned | None = None

    def look(self, client: Client) -> Look:
        """Take a snapshot and compare it.

        :raises SnapshotError: it can't be taken.
        """
        compared = Compared(self._learn()) if self.across else None
        cluster = take(client, None, datacenter=self.datacenter, observer=compared).archive.state.fingerprint
        return Look(self._proof(cluster, compared), cluster)

    def proof_of(self, cluster: Fingerprint) -> dict[str, Any]:
        """Return the comparison with a cluster whose content is the archive's to the last byte, or is not."""
        return self._proof(cluster, None)

    def may_be_equal(self, cluster: Fingerprint) -> bool:
        """Whether it is worth a look, because a difference between the fingerprints may be one of versions alone."""
        return self.across and self.archive.types.get("KVS") == cluster.types.get("KVS")

    def _proof(self, cluster: Fingerprint, compared: Compared | None) -> dict[str, Any]:
        found = prove(self.archive, cluster)
        if found["equal"] or compared is None:
            return {**found, "across_versions": False}
        differing = compared.differing() | ({"KVS"} & set(found["differs"]))
        types = {name: {**one, "equal": name not in differing} for name, one in found["types"].items()}
        return {"equal": not differing, "differs": sorted(differing), "types": types, "across_versions": True}

    def _learn(self) -> Learned:
        if self._learned is None:
            learned = Learned()
            if read_archive(read_pieces(self.src), observer=learned).state.fingerprint != self.archive:
                raise ArchiveError("the archive has changed since it was verified", fault="changed", retryable=False)
            self._learned = learned
        return self._learned
