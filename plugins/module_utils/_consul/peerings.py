# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peerings of a live cluster, and whether they are connected.

A leader begins its work anew when an archive is restored: it cuts the streams to the peers that it dials, and dials
again. Where it looks before the old stream is gone, it takes the peer for connected, and waits for a change of the
peering that nobody makes (``syncPeeringsAndBlock`` in ``agent/consul/leader_peering.go``; seen on 1.22.7, in 7 of 91
restores). The peering is FAILING on both sides until another server becomes the leader, or this one is restarted.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping
from typing import Any

from .._errors import ClusterError
from .client import Client
from .readiness import ask_where_allowed, wait_until
from .shapes import mappings_of, text_of

CONNECTED = "ACTIVE"


def wait_for_peerings(client: Client, ids: Collection[str], *, seconds: float) -> dict[str, str] | None:
    """Return the states of those peerings that are not connected after so long, by id; an empty dict when all are.

    None where that can't be known: the token may not see them, or the agent is of another datacenter.
    """
    seen: dict[str, str] | None = None

    def missing() -> str | None:
        nonlocal seen
        seen = states_in(ask_where_allowed(client, "/v1/peerings", {}), ids)
        return "a peering is not connected" if seen and unconnected(seen) else None

    with contextlib.suppress(ClusterError):  # that the time is up; what was seen last tells the rest
        wait_until(missing, seconds=seconds, clock=time.monotonic, sleep=time.sleep)
    return None if seen is None else unconnected(seen)


def states_in(answer: Any, ids: Collection[str]) -> dict[str, str] | None:
    """Return the states of peerings that ``/v1/peerings`` lists, by id; None where it does not list all of them (pure).

    The leader answers, and tells ACTIVE where a stream is open, and FAILING where one broke off.
    """
    listed = {text_of(peering.get("ID")): text_of(peering.get("State")) for peering in mappings_of(answer)}
    return {one: listed[one] for one in ids} if set(ids) <= set(listed) else None


def unconnected(states: Mapping[str, str]) -> dict[str, str]:
    """Return those of these states that say that there is no connection (pure)."""
    return {one: state for one, state in states.items() if state != CONNECTED}
