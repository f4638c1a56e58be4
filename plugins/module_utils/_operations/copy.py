# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of archives from one store into another, verified while they stream from one to the other."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._errors import SnapshotError
from .._storage.location import Location
from .._storage.settings import SealingSettings, StoreSettings
from .journal import Journal


class CopyRequest(NamedTuple):
    """What is to be copied, and where: see the module's options of these names."""

    src: Location
    dest: Location
    settings: StoreSettings
    dest_settings: StoreSettings
    sealing: SealingSettings
    pick: str
    cluster: str | None
    create_directory: bool


class Copies(NamedTuple):
    """What was copied, and what was there already: rows of the result."""

    copied: list[dict[str, Any]]
    present: list[dict[str, str]]


def copy_archives(request: CopyRequest, journal: Journal, *, check: bool) -> Copies:
    """Copy archives.

    :raises SnapshotError: of any kind.
    """
    del request, journal, check
    raise SnapshotError("not there yet")


def result_of(copies: Copies) -> dict[str, Any]:
    """Return what the module's result shows."""
    return {"changed": bool(copies.copied), "copied": copies.copied, "present": copies.present}
