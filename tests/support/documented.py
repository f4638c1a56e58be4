# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results held against a module's RETURN documentation."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from env import places

MODULES = places.CHECKOUT / "plugins" / "modules"
TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool, "dict": dict, "list": list}

# What Ansible adds to every result, and to one that names a file.
COMMON = {"changed", "failed", "msg", "diff", "invocation", "warnings", "deprecations", "exception"}
OF_FILES = {"uid", "gid", "owner", "group", "mode", "state", "secontext"}


def returns_of(module: str) -> dict[str, Any]:
    """Return what a module's RETURN says."""
    return dict(yaml.safe_load(_texts_of(module)["RETURN"]))


def options_of(module: str) -> dict[str, Any]:
    """Return what a module's documentation says of its own options."""
    return dict(yaml.safe_load(_texts_of(module)["DOCUMENTATION"])["options"])


def _texts_of(module: str) -> dict[str, str]:
    tree = ast.parse((MODULES / f"{module}.py").read_text(encoding="utf-8"))
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def faults_of(module: str, result: Mapping[str, Any]) -> list[str]:
    """Return in words where a result is not what the documentation says; nothing when all is well."""
    documented = returns_of(module)
    ended = "failure" if result.get("failed") else "success"
    extra = COMMON | (OF_FILES if {"path", "dest"} & result.keys() else set())
    told = {name: value for name, value in result.items() if name not in extra}
    return list(_compared(module, documented, told, ended))


def _compared(where: str, documented: Mapping[str, Any], told: Mapping[str, Any], ended: str) -> Iterator[str]:
    for name in sorted(told.keys() - documented.keys()):
        yield f"{where}.{name} is not documented"
    for name, one in documented.items():
        if name in told:
            yield from _value(f"{where}.{name}", one, told[name], ended)
        elif one["returned"] in ("always", ended):
            yield f"{where}.{name} is missing, and documented as returned: {one['returned']}"


def _value(where: str, one: Mapping[str, Any], value: Any, ended: str) -> Iterator[str]:
    words = one["description"]
    text = words if isinstance(words, str) else " ".join(words)
    if value is None:
        if "null" not in text:
            yield f"{where} is null, and nothing says that it can be"
        return
    kind = TYPES[one["type"]]
    if not isinstance(value, kind) or (isinstance(value, bool) and one["type"] != "bool"):
        yield f"{where} is {type(value).__name__}, and documented as {one['type']}"
        return
    if "choices" in one and value not in one["choices"]:
        yield f"{where} is {value}, which is none of the documented choices"
    if "contains" in one:
        for number, inner in enumerate(value if isinstance(value, list) else [value]):
            yield from _compared(f"{where}[{number}]", one["contains"], inner, ended)
