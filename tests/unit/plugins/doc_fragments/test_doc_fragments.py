# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation says of the options is what the modules take."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.disaster_recovery.consul.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.options import CONNECTION_OPTIONS
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guards import RISKS

ROOT = Path(__file__).resolve().parents[4]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("[!_]*.py"))
COMPARED = ("type", "default", "choices", "elements", "required")


def shown(option: dict[str, Any]) -> dict[str, Any]:
    """Return what an argument spec and its documentation must agree on."""
    return {key: option[key] for key in COMPARED if key in option}


def module_of(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.disaster_recovery.consul.plugins.modules.{name}")


def test_the_connection_fragment_documents_every_option_as_it_is() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {name: shown(one) for name, one in documented.items()} == {
        name: shown(one) for name, one in CONNECTION_OPTIONS.items()
    }


def test_secrets_are_marked_and_what_only_sounds_like_one_is_marked_too() -> None:
    suspicious = {
        name for name in CONNECTION_OPTIONS if any(word in name for word in ("token", "key", "pass", "secret"))
    }
    assert {name: CONNECTION_OPTIONS[name].get("no_log") for name in suspicious} == {
        "token": True,
        "token_file": False,
        "client_key": False,
    }


@pytest.mark.parametrize("name", MODULES)
def test_a_module_documents_its_own_options_as_they_are(name: str) -> None:
    module = module_of(name)
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    spec = {one: shown(option) for one, option in module.OPTIONS.items()}
    # The type of mode is Ansible's own fragment's to tell.
    spec.get("mode", {}).pop("type", None)
    assert {one: shown(option) for one, option in documented.items()} == spec


def test_every_module_that_connects_is_in_the_action_group() -> None:
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    connecting = [
        name
        for name in MODULES
        if "disaster_recovery.consul.connection"
        in yaml.safe_load(module_of(name).DOCUMENTATION)["extends_documentation_fragment"]
    ]
    assert connecting
    assert sorted(runtime["action_groups"]["consul"]) == connecting


def test_the_documented_risks_are_the_guards() -> None:
    options = yaml.safe_load(module_of("snapshot_restore").DOCUMENTATION)["options"]
    assert options["accept_risks"]["choices"] == list(RISKS)
