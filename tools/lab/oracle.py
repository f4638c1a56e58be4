# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a cluster holds, judged from outside by plain HTTP and the ``consul`` command.

Nothing here knows the collection's own code: it is what that code is checked against. Only names and digests leave this
module, never a value or a secret.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .access import Access
from .errors import LabError

Observation = dict[str, dict[str, str]]

# What belongs to agents: it goes when the servers go and comes back with agents, not with a snapshot.
VOLATILE = frozenset({"agent-nodes", "agent-services", "agent-checks", "agent-sessions", "agent-locks"})

# Raft's bookkeeping, and hashes of content that is digested anyway.
BOOKKEEPING = frozenset({"CreateIndex", "ModifyIndex", "LockIndex", "Hash"})
# A peering's liveness, as the asked server sees it at the moment.
PEERING_STATUS = frozenset({"StreamStatus", "State", "ImportedServiceCount", "ExportedServiceCount"})

KINDS = (
    "proxy-defaults",
    "service-defaults",
    "service-resolver",
    "service-splitter",
    "service-router",
    "ingress-gateway",
    "terminating-gateway",
    "service-intentions",
    "mesh",
    "exported-services",
    "jwt-provider",
    "api-gateway",
    "http-route",
    "tcp-route",
    "inline-certificate",
)


def observe(access: Access, *, cli: bool = True) -> Observation:
    """Everything in the cluster: type to name to digest.

    With ``cli`` the keys are read a second time by ``consul kv export``, and both readings must be the same.
    """
    seen: Observation = {}
    seen |= _keys_and_sessions(access)
    if cli:
        _check_keys_with_cli(access, seen["kv"])
    seen |= _catalog(access)
    seen |= _acl(access)
    seen["config-entries"] = _config_entries(access)
    seen["intentions"] = {
        f"{item['SourceName']} > {item['DestinationName']}": digest(item)
        for item in _list(access, "/v1/connect/intentions")
    }
    seen["prepared-queries"] = _by_name(_list(access, "/v1/query"), "Name")
    seen["peerings"] = _by_name(_list(access, "/v1/peerings"), "Name", PEERING_STATUS)
    seen["connect-ca"] = _connect_ca(access)
    seen["autopilot"] = {"configuration": digest(access.get("/v1/operator/autopilot/configuration"))}
    return seen


def digest(value: Any, without: frozenset[str] = frozenset()) -> str:
    """A digest of some JSON without raft's bookkeeping, whatever the order of its maps."""
    text = json.dumps(strip(value, BOOKKEEPING | without), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def strip(value: Any, without: frozenset[str]) -> Any:
    """``value`` without the named keys, at any depth."""
    if isinstance(value, Mapping):
        return {key: strip(item, without) for key, item in value.items() if key not in without}
    if isinstance(value, list):
        return [strip(item, without) for item in value]
    return value


def record_counts(access: Access) -> dict[str, int]:
    """How many records of each type a snapshot of now holds, as ``consul snapshot inspect`` counts (1.22; not 1.8)."""
    with tempfile.TemporaryDirectory(prefix="lab-oracle-") as directory:
        archive = Path(directory) / "now.snap"
        access.cli("snapshot", "save", archive)
        report = json.loads(access.cli("snapshot", "inspect", "-format=json", archive))
    return {item["Name"]: item["Count"] for item in report["Stats"]}


def _list(access: Access, path: str) -> list[Any]:
    """A list; empty where the server does not have this API or has it switched off."""
    response = access.http("GET", path)
    if response.status_code in (401, 404) or "must be enabled" in response.text or "is disabled" in response.text:
        return []
    if response.status_code != 200:
        raise LabError(f"GET {path}: {response.status_code} {response.text.strip()[:300]}")
    return response.json() or []


def _by_name(items: Iterable[Mapping[str, Any]], name: str, without: frozenset[str] = frozenset()) -> dict[str, str]:
    return {str(item[name]): digest(item, without) for item in items}


def _key_digest(value: bytes, flags: int) -> str:
    return hashlib.sha256(f"{flags} ".encode() + value).hexdigest()


def _keys_and_sessions(access: Access) -> Observation:
    agents = _agent_nodes(access)
    sessions = _list(access, "/v1/session/list")
    of_agents = {session["ID"] for session in sessions if session["Node"] in agents}
    entries = _list(access, "/v1/kv/?recurse")
    locks = {entry["Key"]: entry["Session"] for entry in entries if entry.get("Session")}
    return {
        "kv": {entry["Key"]: _key_digest(base64.b64decode(entry["Value"] or ""), entry["Flags"]) for entry in entries},
        "locks": {key: digest(holder) for key, holder in locks.items() if holder not in of_agents},
        "agent-locks": {key: digest(holder) for key, holder in locks.items() if holder in of_agents},
        "sessions": _by_name((item for item in sessions if item["ID"] not in of_agents), "ID"),
        "agent-sessions": _by_name((item for item in sessions if item["ID"] in of_agents), "ID"),
    }


def _check_keys_with_cli(access: Access, keys: Mapping[str, str]) -> None:
    exported = json.loads(access.cli("kv", "export", "") or "[]")
    seen = {entry["key"]: _key_digest(base64.b64decode(entry["value"]), entry["flags"]) for entry in exported}
    if seen != keys:
        names = sorted(key for key in seen.keys() | keys.keys() if seen.get(key) != keys.get(key))
        raise LabError(f"HTTP and the consul command disagree about {len(names)} keys, such as {names[:3]}")


def _agent_nodes(access: Access) -> set[str]:
    """Nodes that an agent stands for: those with a serfHealth check, and living members, which may not have it yet."""
    checks = _list(access, "/v1/health/state/any")
    members = _list(access, "/v1/agent/members")
    return {check["Node"] for check in checks if check["CheckID"] == "serfHealth"} | {item["Name"] for item in members}


def _catalog(access: Access) -> Observation:
    agents = _agent_nodes(access)
    seen: Observation = {f"{prefix}{kind}": {} for kind in ("nodes", "services", "checks") for prefix in ("", "agent-")}
    for node in _list(access, "/v1/catalog/nodes"):
        name = node["Node"]
        prefix = "agent-" if name in agents else ""
        seen[f"{prefix}nodes"][name] = digest(node)
        services = access.get(f"/v1/catalog/node/{quote(name, safe='')}")["Services"]
        for identity, service in services.items():
            seen[f"{prefix}services"][f"{name}/{identity}"] = digest(service)
    for check in _list(access, "/v1/health/state/any"):
        prefix = "agent-" if check["Node"] in agents else ""
        seen[f"{prefix}checks"][f"{check['Node']}/{check['CheckID']}"] = digest(check)
    return seen


def _acl(access: Access) -> Observation:
    tokens, policies = _list(access, "/v1/acl/tokens"), _list(access, "/v1/acl/policies")
    methods = _list(access, "/v1/acl/auth-methods")
    return {
        # Lists leave out secrets, rules and configurations: each is read on its own, so that they count.
        "acl-tokens": _each(access, tokens, "AccessorID", "/v1/acl/token/"),
        "acl-policies": _each(access, policies, "ID", "/v1/acl/policy/", name="Name"),
        "acl-roles": _by_name(_list(access, "/v1/acl/roles"), "Name"),
        "acl-auth-methods": _each(access, methods, "Name", "/v1/acl/auth-method/"),
        "acl-binding-rules": _by_name(_list(access, "/v1/acl/binding-rules"), "ID"),
    }


def _each(
    access: Access, items: Iterable[Mapping[str, Any]], key: str, path: str, *, name: str | None = None
) -> dict[str, str]:
    return {str(item[name or key]): digest(access.get(path + quote(str(item[key]), safe=""))) for item in items}


def _config_entries(access: Access) -> dict[str, str]:
    seen: dict[str, str] = {}
    for kind in KINDS:
        response = access.http("GET", f"/v1/config/{kind}")
        # An older server does not know every kind.
        if response.status_code == 400 or "invalid config entry kind" in response.text:
            continue
        if response.status_code != 200:
            raise LabError(f"GET /v1/config/{kind}: {response.status_code} {response.text.strip()[:300]}")
        seen |= {f"{kind}/{entry.get('Name', kind)}": digest(entry) for entry in response.json() or []}
    return seen


def _connect_ca(access: Access) -> dict[str, str]:
    response = access.http("GET", "/v1/connect/ca/roots")
    if response.status_code != 200:
        return {}
    roots = response.json()
    seen = {root["ID"]: digest({"cert": root["RootCert"], "active": root["Active"]}) for root in roots["Roots"] or []}
    return {
        "trust domain": digest(roots["TrustDomain"]),
        "configuration": digest(access.get("/v1/connect/ca/configuration")),
        **{f"root {identity}": value for identity, value in seen.items()},
    }
