# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody must be told although a save went well (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from ..._errors import printable
from ..._storage.chronology import dated_ahead, is_ahead
from ..._storage.manifest import Manifest
from ..._storage.store import Entry
from ..._times import to_text


def remarks(
    snapshot: Manifest,
    entries: Sequence[Entry],
    *,
    replaced: Entry | None,
    server_time: float | None,
    now: float,
) -> tuple[str, ...]:
    """Return the remarks on a snapshot.

    :param snapshot: its manifest. ``entries``: the archives that were there before.
    :param replaced: the newest archive of the cluster's name from before it was rebuilt; None where it was not rebuilt.
    :param server_time: when the snapshot was taken by the server's clock; as ``now``, seconds since the epoch.
    """
    lines, cluster = [], snapshot.cluster
    if replaced is not None:
        lines.append(
            f"{printable(cluster.name)} was rebuilt: the newest archive of that name, {printable(replaced.path)}, is "
            f"of {replaced.manifest.cluster.as_text()}, and the cluster that answers is {cluster.as_text()}. "
            "Its backups go on under that name. If these are two clusters, give them two names."
        )
    if not snapshot.confirmed_by_leader:
        lines.append(
            "no leader confirmed this snapshot: it may be behind what the cluster had accepted, and it confirms no "
            "archive. Save again as soon as the cluster has a leader."
        )
    if server_time is not None and is_ahead(server_time, now):
        lines.append(
            f"the clock of the server that took the snapshot says {to_text(server_time)}, more than a day ahead of "
            "this host's. The archive is dated by this host's clock. Correct the clock that is wrong."
        )
    own = [(entry.path, entry.manifest.taken_at) for entry in entries if entry.manifest.cluster.is_same(cluster)]
    return (*lines, *dated_ahead(own, now))
