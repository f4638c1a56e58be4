# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""snapshot_diff in a playbook: what --diff prints, and that -vvvv shows no value and no secret."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from support.calls import Calls, connection
from support.playbooks import Ansible

from lab import Cluster

VALUES = ("a-value-that-nobody-may-see-2290", "another-value-that-nobody-may-see")
MODULE = "disaster_recovery.consul.snapshot_diff"


@pytest.mark.every_version
def test_what_diff_prints(
    playground: Cluster, snapshot: Callable[[Cluster], Path], calls: Calls, tmp_path: Path
) -> None:
    for key in ("shown/gone", "shown/other", "shown/same"):
        playground.http("PUT", f"/v1/kv/{key}", data=VALUES[0], check=True)
    before = snapshot(playground)
    token = playground.put("/v1/acl/token", {"Description": "new"})
    playground.http("DELETE", "/v1/kv/shown/gone", check=True)
    playground.http("PUT", "/v1/kv/shown/other", data=VALUES[1], check=True)
    # The one way to store such a key.
    value = base64.b64encode(VALUES[1].encode()).decode()
    playground.put("/v1/txn", [{"KV": {"Verb": "set", "Key": "shown/new\nline", "Value": value}}])
    after = snapshot(playground)

    ansible = Ansible(tmp_path, [*VALUES, value, token["SecretID"], playground.tokens.initial_management])
    options = {"before": str(before), "after": str(after)}
    live = {"before": str(before), **connection(playground)}
    ansible_tasks = [
        {"name": "two archives", MODULE: options, "register": "two", "changed_when": "not two.equal"},
        {"name": "the live cluster", MODULE: live, "register": "live", "changed_when": "not live.equal"},
        {"name": "the same", "ansible.builtin.assert": {"that": "two.types == live.types"}},
    ]
    play = {"hosts": "consul", "gather_facts": False, "tasks": ansible_tasks}
    inventory = ansible.inventory({"one": {}})
    played = ansible.ok(ansible.playbook(play), inventory, verbosity=4)

    assert played.changed == 2
    shown = [line for line in played.output.splitlines() if line.startswith(("---", "+++", "-KVS", "+KVS", "+ACL"))]
    both = [
        f"+ACLToken {token['AccessorID']}",
        "-KVS shown/gone",
        "-KVS shown/other (content a)",
        "+KVS shown/new\\nline",
        "+KVS shown/other (content b)",
    ]
    headers = [f"--- before: {before}", f"+++ after: {after}", f"--- before: {before}", "+++ after: the live cluster"]
    assert [line.partition(" (index")[0] for line in shown if line[:2] in ("--", "++")] == headers
    assert sorted(line for line in shown if line[:2] not in ("--", "++")) == sorted(2 * both)

    # Without a word of the playbook's it is no change, and in check mode it is the same.
    quiet = {"hosts": "consul", "gather_facts": False, "tasks": [{"name": "quiet", MODULE: options}]}
    played = ansible.ok(ansible.playbook(quiet), inventory, check=True, verbosity=1)
    assert played.changed == 0
    assert "KVS shown" not in "\n".join(line for line in played.output.splitlines() if line[:1] in "-+")
