# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the cluster before a snapshot is taken: may it be, is there a leader, which cluster is it."""

from __future__ import annotations

from typing import NamedTuple

from ..._consul.client import Client
from ..._consul.cluster import may_snapshot, read_identity, read_leader
from ..._errors import ApiError, ClusterError
from ..._model.identity import ClusterIdentity

_ANONYMOUS = "no token was given, and anonymous requests may not save snapshots"
_GIVE_ONE = 'Set token, token_file or CONSUL_HTTP_TOKEN to a token whose policy has acl = "write".'


class LiveCluster(NamedTuple):
    """The cluster as it answers. ``has_leader``: whether it names a leader."""

    identity: ClusterIdentity
    has_leader: bool


def preflight(client: Client, *, datacenter: str | None, stale: bool, name: str | None) -> LiveCluster:
    """Look at the cluster, and make sure that a save can succeed.

    :param stale: whether a snapshot from a server without a leader will do.
    :param name: what users call the cluster.
    :raises ApiError: the token may not save snapshots. :raises ClusterError: there is no leader.
    """
    if may_snapshot(client, datacenter) is False:
        has_token = bool(client.connection.token)
        raise ApiError(
            "the token may not save snapshots" if has_token else _ANONYMOUS,
            status=403,
            body="",
            url=client.url("/v1/snapshot"),
            kind="permission_denied",
            hint='Give it a policy with acl = "write".' if has_token else _GIVE_ONE,
        )
    has_leader = bool(read_leader(client, datacenter))
    if not stale and not has_leader:
        raise ClusterError(
            "the cluster has no leader",
            hint="Run 'consul operator raft list-peers'. Without a quorum only a save with stale: true works.",
        )
    return LiveCluster(read_identity(client, datacenter)._replace(name=name), has_leader)
