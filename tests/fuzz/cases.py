# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: a seed and a number always give the same one, so that a finding can be had again by these two."""

from __future__ import annotations

import random
from typing import NamedTuple

from . import records, wrappers

LAYERS = {**wrappers.LAYERS, **records.LAYERS}
# How often each layer is chosen. Records take a server's life now and then, bombs take long: both are worth it.
WEIGHTS = {
    **{"bytes": 8, "gzip": 6, "tar": 16, "sums": 8, "meta": 16, "damage": 8},
    **{"msgpack": 10, "records": 8, "meaning": 14, "packing": 4, "bombs": 2},
}
WRITTEN_BY_CONSUL = frozenset(
    {"packed anew", "tar of another kind", "gzip again", "sums in another order", "record dropped", "as it is"}
)
"""What Consul's own writer can produce as well: a refusal of such is a fault of ours."""


class Case(NamedTuple):
    """``kind``: what was done, in words; ``base``: which of the archives it was done to."""

    number: int
    layer: str
    kind: str
    base: int
    archive: bytes

    @property
    def group(self) -> str:
        """The kind without its particulars, by which cases are counted."""
        return self.kind.partition(":")[0] if self.layer not in ("meta", "tar") else self.kind


def case_of(seed: int, number: int, bases: list[bytes], only: str = "") -> Case:
    """Make a case; ``only`` names the one layer that is wanted."""
    rng = random.Random(f"{seed}/{number}")
    layer = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    layer = only or layer
    base = rng.randrange(len(bases))
    kind, archive = rng.choice(LAYERS[layer])(rng, bases[base])
    return Case(number, layer, kind, base, archive)
