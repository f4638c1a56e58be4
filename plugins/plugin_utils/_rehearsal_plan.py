# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of a play rehearses which archives, and which directories several clusters share (pure)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from ..module_utils._storage.location import is_url


def planned(seats: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each host ``works``: whether it is the one that does its work, and ``shared``: whether archives of
    several clusters lie in its directory. ``catalogue`` says of each store of its catalogue whether another cluster
    names it, too; that changes nothing about what is rehearsed. It takes one pass over the hosts.

    Each seat holds ``host``, ``cluster``, ``on`` (the host where it is done), ``place`` (the directory of the archives
    on that host, or the URL of a store, which is the same from everywhere),
    ``work`` (what else tells one rehearsal from another). Of several with equal seats the first works. A seat may hold
    ``catalogue``, the places of further stores.

    :raises KeyError: a seat lacks one of them.
    """
    workers: dict[tuple[str, ...], str] = {}
    owners: dict[tuple[str, str], set[str]] = {}
    named: dict[tuple[str, str], set[str]] = {}
    rows = []
    for seat in seats:
        host, cluster = str(seat["host"]), str(seat["cluster"])
        place = _place(seat, seat["place"])
        further = [_place(seat, one) for one in seat.get("catalogue") or ()]
        key = (cluster, *place, str(seat["work"]))
        workers.setdefault(key, host)
        owners.setdefault(place, set()).add(cluster)
        for one in (place, *further):
            named.setdefault(one, set()).add(cluster)
        rows.append((host, key, place, further))
    return {
        host: {
            "works": workers[key] == host,
            "shared": len(owners[place]) > 1,
            "catalogue": [len(named[one]) > 1 for one in further],
        }
        for host, key, place, further in rows
    }


def _place(seat: Mapping[str, Any], written: object) -> tuple[str, str]:
    """Where that is: the host, none for a URL, and the path."""
    text = str(written)
    # POSIX keeps two slashes at the beginning apart from one, and no file system here does.
    return ("" if is_url(text) else str(seat["on"]), posixpath.normpath("/" + text.lstrip("/")))
