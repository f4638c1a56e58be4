# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guards of a restore ask of a live cluster, beyond what anybody would: its agents, and its tokens' origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import ApiError
from .._model.builtin_acl import comes_from_configuration
from .._model.versions import is_enterprise
from .client import Client

_ALIVE = 1
"""What serf calls a member that is there (``serf.StatusAlive``)."""


@dataclass(frozen=True)
class Member:
    """An agent of the gossip pool."""

    name: str
    id: str
    alive: bool


@dataclass(frozen=True)
class Live:
    """``members``: of the gossip pool, None where they may not be seen. ``acl``: whether ACLs are on, if known.

    ``kept``: for each given token that outlives any restore the reason, by the token's label.
    """

    members: tuple[Member, ...] | None
    enterprise: bool
    acl: bool | None
    kept: Mapping[str, str]

    @property
    def present(self) -> dict[str, str] | None:
        """Names of the living members with their ids; None where members may not be seen."""
        if self.members is None:
            return None
        return {member.name: member.id for member in self.members if member.alive}


def read_live(client: Client, tokens: Mapping[str, Client], datacenter: str | None) -> Live:
    """Look through one agent; what may not be seen is left open.

    :param tokens: clients of the same agent, each with a token of its own or none, by the token's label.
    """
    agent = _ask(client, "/v1/agent/self", {}) or {}
    config = agent.get("Config") or {}
    own = datacenter in (None, config.get("Datacenter"))
    members, enterprise = _members(client) if own else (None, False)
    acl, kept = _tokens(tokens, {"dc": datacenter} if datacenter else {}, _primary(agent, datacenter))
    return Live(members, enterprise or (own and is_enterprise(str(config.get("Version")))), acl, kept)


def read_present(client: Client, datacenter: str | None) -> dict[str, str] | None:
    """Return the living members of the gossip pool with their ids; None where they may not be seen."""
    return read_live(client, {}, datacenter).present


def _members(client: Client) -> tuple[tuple[Member, ...] | None, bool]:
    listed = _ask(client, "/v1/agent/members", {})
    if not listed:
        # The agent itself is always one of them: none at all means that the token may not see them.
        return None, False
    found = []
    for one in listed:
        tags = one.get("Tags") or {}
        found.append(Member(str(one.get("Name")), str(tags.get("id") or ""), one.get("Status") == _ALIVE))
    builds = [str((one.get("Tags") or {}).get("build")) for one in listed]
    return tuple(found), any(is_enterprise(build) for build in builds)


def _primary(agent: Mapping[str, Any], datacenter: str | None) -> str | None:
    """Return the primary datacenter, where the one that is restored is not it."""
    config, debug = agent.get("Config") or {}, agent.get("DebugConfig") or {}
    primary = config.get("PrimaryDatacenter") or debug.get("PrimaryDatacenter")
    return primary if primary and primary != (datacenter or config.get("Datacenter")) else None


def _tokens(
    tokens: Mapping[str, Client], params: dict[str, str], primary: str | None
) -> tuple[bool | None, dict[str, str]]:
    acl, kept = None, {}
    for label, client in tokens.items():
        try:
            record = client.ask("/v1/acl/token/self", params=dict(params))
        except ApiError as error:
            acl = False if error.kind == "acl_disabled" else True if error.kind == "token_unknown" else acl
            continue
        acl = True
        policies = [str(one.get("ID")).encode() for one in record.get("Policies") or []]
        if comes_from_configuration(str(record.get("Description")).encode(), policies):
            kept[label] = "the servers' configuration holds it, and the leader makes it anew"
        elif primary and not record.get("Local"):
            kept[label] = f"the primary datacenter {primary} holds it"
    return acl, kept


def _ask(client: Client, path: str, params: dict[str, str]) -> Any:
    try:
        return client.ask(path, params=params)
    except ApiError:
        return None
