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

from ansible_collections.disaster_recovery.consul.plugins.doc_fragments import sealing, store
from ansible_collections.disaster_recovery.consul.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.options import CONNECTION_OPTIONS
from ansible_collections.disaster_recovery.consul.plugins.module_utils._ansible.store_options import (
    DEST_STORE_OPTIONS,
    SEALING_READ_OPTIONS,
    SEALING_WRITE_OPTIONS,
    STORE_OPTIONS,
)
from ansible_collections.disaster_recovery.consul.plugins.module_utils._operations.restore.guards import RISKS

ROOT = Path(__file__).resolve().parents[4]
ACTIONS = {path.stem for path in (ROOT / "plugins/action").glob("[!_]*.py")}
# What an action does has its options there.
MODULES = sorted({path.stem for path in (ROOT / "plugins/modules").glob("[!_]*.py")} - ACTIONS)
COMPARED = ("type", "default", "choices", "elements", "required")


FRAGMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "store": (store.ModuleDocFragment.DOCUMENTATION, STORE_OPTIONS),
    "store.dest": (store.ModuleDocFragment.DEST, DEST_STORE_OPTIONS),
    "sealing.write": (sealing.ModuleDocFragment.WRITE, SEALING_WRITE_OPTIONS),
    "sealing.read": (sealing.ModuleDocFragment.READ, SEALING_READ_OPTIONS),
}


def shown(option: dict[str, Any]) -> dict[str, Any]:
    """Return what an argument spec and its documentation must agree on."""
    told = {key: option[key] for key in COMPARED if key in option}
    within = option.get("options") or option.get("suboptions")
    return {**told, "options": {name: shown(one) for name, one in within.items()}} if within else told


def options_of(text: str) -> dict[str, Any]:
    """Return the options that a text of documentation describes."""
    return dict(yaml.safe_load(text).get("options", {}))


def all_options(spec: dict[str, dict[str, Any]], path: str = "") -> dict[str, dict[str, Any]]:
    """Return the options of a spec and those within them, by their paths."""
    found: dict[str, dict[str, Any]] = {}
    for name, option in spec.items():
        found[path + name] = option
        found.update(all_options(option.get("options", {}), f"{path}{name}."))
    return found


def module_of(name: str) -> Any:
    return importlib.import_module(f"ansible_collections.disaster_recovery.consul.plugins.modules.{name}")


def test_the_connection_fragment_documents_every_option_as_it_is() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert {name: shown(one) for name, one in documented.items()} == {
        name: shown(one) for name, one in CONNECTION_OPTIONS.items()
    }


@pytest.mark.parametrize("name", FRAGMENTS)
def test_the_fragments_of_stores_document_every_option_as_it_is(name: str) -> None:
    text, spec = FRAGMENTS[name]
    assert {one: shown(option) for one, option in options_of(text).items()} == {
        one: shown(option) for one, option in spec.items()
    }


def test_what_is_said_of_the_second_store_speaks_of_the_second_store() -> None:
    assert "O(store." not in store.ModuleDocFragment.DEST
    assert "O(dest_store.sse)" in store.ModuleDocFragment.DEST


def test_secrets_of_stores_are_marked_and_what_only_sounds_like_one_is_marked_too() -> None:
    options = all_options({**STORE_OPTIONS, **SEALING_WRITE_OPTIONS, **SEALING_READ_OPTIONS})
    words = ("token", "key", "pass", "secret", "connection_string")
    marked = {path: option.get("no_log") for path, option in options.items() if any(word in path for word in words)}
    assert {path for path, mark in marked.items() if mark} == {
        *("store.secret_key", "store.session_token", "store.account_key", "store.sas_token"),
        "store.connection_string",
    }
    assert {path for path, mark in marked.items() if mark is False} == {
        *("store.access_key", "store.sse_kms_key_id", "signing_key"),
    }
    assert None not in marked.values()


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
    documented = options_of(module.DOCUMENTATION)
    for fragment in yaml.safe_load(module.DOCUMENTATION)["extends_documentation_fragment"]:
        text, _spec = FRAGMENTS.get(fragment.partition("disaster_recovery.consul.")[2], ("{}", {}))
        documented.update(options_of(text))
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
