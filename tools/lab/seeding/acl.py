# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies, roles, tokens, auth methods and binding rules."""

from __future__ import annotations

import base64
import json
import random
import uuid
from pathlib import Path
from typing import Any

from ..access import Access
from ..config import at_least
from ..tls import Authority

POLICIES = {
    "kv-read": 'key_prefix "" { policy = "read" }',
    "kv-team-a": 'key_prefix "lab/team-a/" { policy = "write" }\nsession_prefix "" { policy = "write" }',
    "web-service": 'service "web" { policy = "write" }\nnode_prefix "" { policy = "read" }',
    "operator-read": 'operator = "read"\nagent_prefix "" { policy = "read" }',
    # Enough to save and restore snapshots.
    "snapshots": 'acl = "write"\noperator = "read"\nagent_prefix "" { policy = "read" }',
}
ROLES = {"developers": ["kv-read", "kv-team-a"], "operators": ["operator-read", "snapshots"]}


def seed_acl(access: Access, version: str, tokens: int, rng: random.Random, scratch: Path) -> dict[str, list[str]]:
    """Store ACL objects; returns names, and for tokens the accessor ids."""
    for name, rules in POLICIES.items():
        access.put("/v1/acl/policy", {"Name": name, "Description": f"{name}, from the laboratory", "Rules": rules})
    for name, policies in ROLES.items():
        role = {"Name": name, "Policies": [{"Name": policy} for policy in policies]}
        if name == "developers":
            role["ServiceIdentities"] = [{"ServiceName": "web"}]
        access.put("/v1/acl/role", role)
    methods = _auth_methods(access, version, scratch)
    return {
        "acl-policies": list(POLICIES),
        "acl-roles": list(ROLES),
        "acl-tokens": _tokens(access, tokens, rng),
        "acl-auth-methods": methods,
        "acl-binding-rules": _binding_rules(access, methods),
    }


def _tokens(access: Access, count: int, rng: random.Random) -> list[str]:
    shapes: list[dict[str, Any]] = [
        *({"Policies": [{"Name": name}]} for name in POLICIES),
        *({"Roles": [{"Name": name}]} for name in ROLES),
        {"ServiceIdentities": [{"ServiceName": "api", "Datacenters": []}]},
        {"NodeIdentities": [{"NodeName": "ext-db-1", "Datacenter": _datacenter(access)}]},
        {"Policies": [{"Name": "kv-read"}], "ExpirationTTL": "24h"},
        {"Policies": [{"Name": "kv-read"}], "Local": True},
    ]
    accessors = []
    for number in range(count):
        shape = shapes[number % len(shapes)]
        kind = next(iter(shape))
        identity = {"AccessorID": _uuid(rng), "SecretID": _uuid(rng)}
        access.put("/v1/acl/token", {**identity, "Description": f"lab token {number} ({kind})", **shape})
        accessors.append(identity["AccessorID"])
    return accessors


def _auth_methods(access: Access, version: str, scratch: Path) -> list[str]:
    ca = Authority.create(access.binary, scratch / "auth-method-ca").ca_file.read_text(encoding="utf-8")
    methods = [
        {
            "Name": "kubernetes",
            "Type": "kubernetes",
            "Description": "a cluster that is not there",
            "Config": {"Host": "https://127.0.0.1:6443", "CACert": ca, "ServiceAccountJWT": _unsigned_jwt()},
        }
    ]
    if at_least(version, "1.22"):
        # A certificate is a public key too.
        config = {"BoundIssuer": "lab", "JWTValidationPubKeys": [ca], "ClaimMappings": {"team": "team"}}
        methods.append({"Name": "jwt", "Type": "jwt", "Description": "tokens of a build system", "Config": config})
    for method in methods:
        access.put("/v1/acl/auth-method", method)
    return [str(method["Name"]) for method in methods]


def _binding_rules(access: Access, methods: list[str]) -> list[str]:
    rules = [
        {"AuthMethod": "kubernetes", "BindType": "service", "BindName": "${serviceaccount.name}"},
        {
            "AuthMethod": "kubernetes",
            "BindType": "role",
            "BindName": "developers",
            "Selector": 'serviceaccount.namespace == "dev"',
        },
        {"AuthMethod": "jwt", "BindType": "role", "BindName": "developers", "Selector": 'value.team == "dev"'},
    ]
    return [access.put("/v1/acl/binding-rule", rule)["ID"] for rule in rules if rule["AuthMethod"] in methods]


def _datacenter(access: Access) -> str:
    datacenter: str = access.get("/v1/agent/self")["Config"]["Datacenter"]
    return datacenter


def _unsigned_jwt() -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:lab"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
