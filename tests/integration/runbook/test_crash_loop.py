# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that die at each start, because a restore stored what they can't read."""

from __future__ import annotations

from collections.abc import Callable

from support.waiting import wait_until

from lab import Cluster, Server

from .conftest import Source, kill_with_archive, remove_newest_snapshot, value_of

Start = Callable[..., Cluster]


def precious(cluster: Cluster) -> None:
    """Write what must be there in the end."""
    cluster.http("PUT", "/v1/kv/precious", data=b"old state", check=True)


def check_dies_again(server: Server) -> None:
    """It is a loop, not an accident."""
    server.start()
    wait_until(lambda: not server.running, f"{server.name} lives on")


def check_whole(cluster: Cluster) -> None:
    """All servers are there, with the old state, and take writes."""
    cluster.wait_ready()
    for server in cluster.servers:
        wait_until(lambda server=server: value_of(cluster, "precious?stale&raw", server=server), "no old state")
    assert value_of(cluster, "precious") == b"old state"
    cluster.http("PUT", "/v1/kv/after", data=b"x", check=True)


def test_one_server(source: Source, start: Start) -> None:
    cluster = start()
    precious(cluster)
    [server] = cluster.servers
    kill_with_archive(cluster, source.archive.read_bytes())
    check_dies_again(server)
    remove_newest_snapshot(server)
    server.start()
    check_whole(cluster)


def test_one_of_three(source: Source, start: Start) -> None:
    cluster = start(servers=3)
    precious(cluster)
    dead = kill_with_archive(cluster, source.archive.read_bytes())
    # The two that are left have a quorum and the old state.
    wait_until(lambda: value_of(cluster, "precious") == b"old state", "the rest of the cluster does not go on")
    check_dies_again(dead)
    remove_newest_snapshot(dead)
    dead.start()
    check_whole(cluster)


def test_two_of_three_so_that_none_leads(source: Source, start: Start) -> None:
    cluster = start(servers=3)
    precious(cluster)
    # Somebody tried again.
    first = kill_with_archive(cluster, source.archive.read_bytes())
    wait_until(lambda: value_of(cluster, "precious") == b"old state", "the rest of the cluster does not go on")
    second = kill_with_archive(cluster, source.archive.read_bytes())
    for server in (first, second):
        check_dies_again(server)
        remove_newest_snapshot(server)
    for server in (first, second):
        server.start()
    check_whole(cluster)
