# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guards of a restore ask of a live cluster: the agents in its gossip pool, and where its tokens come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .._errors import ApiError
from .._model.builtin_acl import comes_from_configuration
from .._model.compatibility import is_enterprise
from .client import Client
from .shapes import mapping_of, mappings_of, text_of

_ALIVE = 1
"""The status that serf gives a member that is alive (``serf.StatusAlive``)."""


@dataclass(frozen=True)
class Member:
    """An agent of the gossip pool. ``build`` is its version; texts are empty where it does not report them."""

    name: str
    id: str
    alive: bool
    build: str = ""
    datacenter: str = ""


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
        return None if self.members is None else living(self.members)


def read_live(client: Client, tokens: Mapping[str, Client], datacenter: str | None) -> Live:
    """Look through one agent; what may not be seen is left open.

    :param tokens: clients of the same agent, each with a token of its own or none, by the token's label.
    """
    agent = mapping_of(_ask(client, "/v1/agent/self", {}))
    config = mapping_of(agent.get("Config"))
    own = datacenter in (None, config.get("Datacenter"))
    members = members_in(_ask(client, "/v1/agent/members", {})) if own else None
    versions = [config.get("Version") if own else None, *(member.build for member in members or ())]
    acl, kept = _tokens(tokens, {"dc": datacenter} if datacenter else {}, primary_elsewhere(agent, datacenter))
    return Live(members, any(is_enterprise(str(version)) for version in versions), acl, kept)


def read_present(client: Client, datacenter: str | None) -> dict[str, str] | None:
    """Return the living members of a datacenter's gossip pool with their ids.

    None where they may not be seen, or where the agent is of another datacenter. One request, whose answer tells both.
    """
    members = members_in(_ask(client, "/v1/agent/members", {}))
    if members is None or datacenter not in (None, *(member.datacenter for member in members)):
        return None
    return living(members)


def living(members: Iterable[Member]) -> dict[str, str]:
    """Return the names of the living members with their ids (pure)."""
    return {member.name: member.id for member in members if member.alive}


def members_in(answer: Any) -> tuple[Member, ...] | None:
    """Return the members that ``/v1/agent/members`` lists (pure).

    The agent itself is always one of them: None when there are none, because the token may not see them then.
    """
    members = []
    for listed in mappings_of(answer):
        tags = mapping_of(listed.get("Tags"))
        identity, build, datacenter = (text_of(tags.get(tag)) for tag in ("id", "build", "dc"))
        members.append(Member(str(listed.get("Name")), identity, listed.get("Status") == _ALIVE, build, datacenter))
    return tuple(members) or None


def primary_elsewhere(agent: Mapping[str, Any], datacenter: str | None) -> str | None:
    """Return the primary datacenter, by ``/v1/agent/self``; None where it is the one that is restored (pure)."""
    config, debug = mapping_of(agent.get("Config")), mapping_of(agent.get("DebugConfig"))
    primary = config.get("PrimaryDatacenter") or debug.get("PrimaryDatacenter")
    return primary if primary and primary != (datacenter or config.get("Datacenter")) else None


def _tokens(
    tokens: Mapping[str, Client], params: dict[str, str], primary: str | None
) -> tuple[bool | None, dict[str, str]]:
    acl, kept = None, {}
    for label, client in tokens.items():
        try:
            record = mapping_of(client.ask("/v1/acl/token/self", params=dict(params)))
        except ApiError as error:
            acl = False if error.kind == "acl_disabled" else True if error.kind == "token_unknown" else acl
            continue
        acl = True
        policies = [str(policy.get("ID")).encode() for policy in mappings_of(record.get("Policies"))]
        if comes_from_configuration(str(record.get("Description")).encode(), policies):
            kept[label] = "the servers' configuration holds it, and the leader creates it again"
        elif primary and not record.get("Local"):
            kept[label] = f"the primary datacenter {primary} holds it"
    return acl, kept


def _ask(client: Client, path: str, params: dict[str, str]) -> Any:
    try:
        return client.ask(path, params=params)
    except ApiError:
        return None
