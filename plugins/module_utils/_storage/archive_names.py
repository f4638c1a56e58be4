# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of archives: the one that a new archive gets, and the time that a name contains (pure)."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from .._model.identity import ClusterIdentity, name_for_file
from .._times import to_name

ENDING = ".snap"
SEALED_ENDING = ".age"
"""What the name of a sealed archive has beyond that of the plain one."""

# What this collection names archives, and what Consul Enterprise's snapshot agent does (nanoseconds since the epoch).
_OURS = re.compile(r"-(\d{8}T\d{6}Z)-\d+(?:-\d+)?\.snap(?:\.age)?$", re.ASCII)
_AGENTS = re.compile(r"^consul-(\d{16,19})\.snap(?:\.age)?$", re.ASCII)


def archive_name(cluster: ClusterIdentity, taken_at: float, index: int, number: int = 1) -> str:
    """Return the name of a new archive: ``dc1-20261123T021500Z-3135.snap``, whatever the datacenter is called.

    :param number: above 1, it becomes a part of the name (``…-3135-2.snap``) for when the plain name is in use.
    """
    name = f"{name_for_file(cluster.datacenter)}-{to_name(taken_at)}-{index}"
    return f"{name}{ENDING}" if number == 1 else f"{name}-{number}{ENDING}"


def is_sealed(name: str) -> bool:
    """Whether an archive of this name is sealed."""
    return name.endswith(SEALED_ENDING)


def is_archive_name(name: str) -> bool:
    """Whether something of this name is an archive, by its name alone."""
    return name.endswith((ENDING, ENDING + SEALED_ENDING))


def time_in_name(path: str) -> float | None:
    """Return the time that an archive's name contains, in seconds since the epoch; None when it contains none."""
    name = path.rpartition("/")[2]
    ours, agents = _OURS.search(name), _AGENTS.match(name)
    if ours:
        try:
            return datetime.strptime(ours.group(1), "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            return None
    return int(agents.group(1)) / 1e9 if agents else None
