# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the archive was restored: wait until the cluster is ready, prove its content, look at what it dials."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..._consul.client import Client
from ..._consul.peerings import wait_for_peerings
from ..._consul.readiness import Expected, wait_until_ready
from ..._errors import ClusterError, SnapshotError
from ..proof import Prover
from .next_steps import about_unconnected
from .outcome import disproven, not_ready, unproven
from .sides import RestoreRequest

_DIALLING = 10
"""Seconds granted to peerings. A connection takes less than one, and a leader that fails tries again after two."""


def wait(
    client: Client, request: RestoreRequest, expected: Expected, *, prover: Prover, backup_file: str | None
) -> None:
    """Wait until the restored cluster is ready.

    :raises RestoreError: it isn't in time; its content is looked at all the same.
    """
    try:
        wait_until_ready(client, datacenter=request.datacenter, seconds=request.wait_timeout, expected=expected)
    except ClusterError as error:
        seen = None
        with contextlib.suppress(SnapshotError):
            seen = prover.compare(client)
        raise not_ready(error, seen, backup_file) from None


def prove(client: Client, request: RestoreRequest, *, prover: Prover, backup_file: str | None) -> dict[str, Any]:
    """Compare what the cluster holds now with the archive and return the comparison.

    What was written since the restore is told apart and named in it. What differs beyond that is compared again.

    :raises RestoreError: it differs, or could not be read.
    """
    try:
        seen = prover.prove(client, seconds=request.wait_timeout)
    except SnapshotError as error:
        raise unproven(error, backup_file) from None
    if not seen.equal:
        raise disproven(seen, request.src, backup_file)
    return seen.proof


def look_at_peerings(client: Client, peerings: Mapping[str, str]) -> str | None:
    """Return what is to be done about those of a restored cluster's peerings that are not connected in time.

    :param peerings: names, by id, of those that it dials.
    """
    return about_unconnected(peerings, wait_for_peerings(client, peerings, seconds=_DIALLING))
