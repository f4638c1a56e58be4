# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ``notify`` are the same in the action, in the documentation of the module and in the roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.disaster_recovery.consul.plugins.action.notify import OPTIONS
from ansible_collections.disaster_recovery.consul.plugins.modules.notify import DOCUMENTATION
from ansible_collections.disaster_recovery.consul.plugins.plugin_utils._notify_request import TARGETS

ROLES = Path(__file__).resolve().parents[4] / "roles"
TOLD = ("type", "choices", "default", "elements", "required")


def spec_of(options: dict[str, Any], *keys: str) -> dict[str, Any]:
    """What Ansible does with options, without the sentences."""
    found = {}
    for name, option in options.items():
        inner = option.get("options") or option.get("suboptions")
        found[name] = {key: option[key] for key in (*TOLD, *keys) if key in option}
        if inner:
            found[name]["options"] = spec_of(inner, *keys)
    return found


def test_the_module_documents_what_the_action_takes() -> None:
    assert spec_of(yaml.safe_load(DOCUMENTATION)["options"]) == spec_of(OPTIONS)


@pytest.mark.parametrize("role", ["backup", "restore", "rehearsal"])
def test_the_roles_take_what_the_action_takes(role: str) -> None:
    specs = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    option = specs["argument_specs"]["main"]["options"][f"{role}_notify"]
    assert option["no_log"] is True
    assert spec_of(option["options"], "no_log") == spec_of(TARGETS, "no_log")
