# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may look at records while a state is read, beside the reader's own work."""

from __future__ import annotations

from typing import Any

from .canonical import Content


class Visitor:
    """Sees every record of a state, in its order; a subclass keeps what it wants of them.

    KVS records that the fast path reads come in runs, and only to a visitor that ``wants_keys``; all others, and the
    KVS records that have another layout, come one at a time.
    """

    wants_keys = False
    wants_records = False
    """Whether KVS records come one at a time, too, as all others do. That takes longer."""
    portable = False
    """Whether it may see the records in another process. All that is left of it then is what ``found`` returns."""

    def record(self, type_id: int, content: Content) -> None:
        """Look at one record."""

    def keys(self, keys: list[tuple[bytes, int]], digests: list[bytes]) -> None:
        """Look at a run of KVS records: their keys (with the records' sizes) and their contents' digests."""

    def node_ends(self, agents: bool) -> None:
        """Learn that the Register records that came last were all of their node, and whether it is an agent's."""

    def found(self) -> Any:
        """Return what a portable visitor has found; the state that was read keeps it (``State.visited``)."""
