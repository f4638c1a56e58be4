# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of a play rehearses which archives, and which directories several clusters share (pure)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils._storage.location import is_url


def planned(seats: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, bool]]:
    """Return for each host ``works``: whether it is the one that does its work, and ``shared``: whether archives of
    several clusters lie in its directory. It takes one pass over the hosts.

    Each seat holds ``host``, ``cluster``, ``on`` (the host where it is done), ``place`` (the directory of the archives
    on that host, or the URL of a store, which is the same from everywhere),
    ``work`` (what else tells one rehearsal from another). Of several with equal seats the first works.

    :raises KeyError: a seat lacks one of them.
    """
    workers: dict[tuple[str, ...], str] = {}
    owners: dict[tuple[str, str], set[str]] = {}
    rows = []
    for seat in seats:
        host, cluster = str(seat["host"]), str(seat["cluster"])
        written = str(seat["place"])
        # POSIX keeps two slashes at the beginning apart from one, and no file system here does.
        place = ("" if is_url(written) else str(seat["on"]), posixpath.normpath("/" + written.lstrip("/")))
        key = (cluster, *place, str(seat["work"]))
        workers.setdefault(key, host)
        owners.setdefault(place, set()).add(cluster)
        rows.append((host, key, place))
    return {host: {"works": workers[key] == host, "shared": len(owners[place]) > 1} for host, key, place in rows}
