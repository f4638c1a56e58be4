# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many keys lie under which prefix, counted the way ``consul snapshot inspect -kvdetails`` counts them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class PrefixStats:
    """``count`` keys under ``prefix``, whose records take ``size`` bytes of the state."""

    prefix: str
    count: int
    size: int


class KvPrefixes:
    """Adds up keys by their first ``depth`` parts between slashes.

    A key with fewer parts stands for itself. Only keys that begin with ``within`` are counted. Memory grows with the
    number of different prefixes, not with that of the keys.
    """

    def __init__(self, depth: int, within: str = "") -> None:
        self._depth = depth
        self._within = within.encode()
        self._found: dict[bytes, list[int]] = {}

    def add(self, keys: Iterable[tuple[bytes, int]]) -> None:
        """Count keys, each with the number of bytes that its record takes."""
        depth, within = self._depth, self._within
        # Keys come in order, so that most are under the prefix of the one before.
        last, found = None, [0, 0]
        for key, size in keys:
            if last is None or not key.startswith(last):
                if within and not key.startswith(within):
                    continue
                parts = key.split(b"/", depth)
                prefix = b"/".join(parts[:depth])
                found = self._found.setdefault(prefix, [0, 0])
                # What begins with a whole prefix and its slash is under it; a key that is shorter is so by itself.
                last = prefix + b"/" if len(parts) > depth and prefix.startswith(within) else None
            found[0] += 1
            found[1] += size

    def result(self) -> list[PrefixStats]:
        """Return what was counted, the largest first."""
        stats = [PrefixStats(p.decode("utf-8", "replace"), count, size) for p, (count, size) in self._found.items()]
        return sorted(stats, key=lambda one: (-one.size, one.prefix))
