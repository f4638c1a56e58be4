# Copyright: Contributors to the disaster_recovery.consul project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a backup failed, in one word."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.disaster_recovery.consul.plugins.filter.backup_failures import backup_failures

GOOD: dict[str, Any] = {"archive": "/x.snap", "missing_copies": [], "confirmed_by_leader": True}


def failed(kind: str) -> dict[str, Any]:
    return {"failed": True, "failure": {"kind": kind}}


def kinds(*hosts: dict[str, Any]) -> dict[str, str]:
    columns = {key: [one.get(key, {}) for one in hosts] for key in ("saved", "asked", "results", "pruned")}
    found: dict[str, str] = backup_failures([one.get("cluster", "a") for one in hosts], **columns)
    return found


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ({"results": GOOD}, None),
        ({"saved": failed("connection")}, "connection"),
        ({"saved": {"unreachable": True}}, "unreachable"),
        ({"asked": failed("permission_denied")}, "permission_denied"),
        ({"asked": {"unreachable": True, "msg": "no"}}, "unreachable"),
        ({"asked": {"leader": None, "peers": []}}, "no_leader"),
        ({"asked": {"leader": "10.0.0.1:8300"}}, "refused"),
        ({"saved": {"failed": True, "module_stdout": "?"}}, "refused"),
        ({}, "refused"),
        ({"results": {**GOOD, "missing_copies": ["s3://b (no)"]}}, "copy"),
        ({"results": {**GOOD, "confirmed_by_leader": False}}, "stale"),
        ({"results": GOOD, "pruned": {"results": [{"removed": []}, failed("store_denied")]}}, "store_denied"),
        ({"results": GOOD, "pruned": {"results": [{"unreachable": True}]}}, "unreachable"),
        ({"results": GOOD, "pruned": {"results": [{"removed": []}, {"msg": "MODULE FAILURE", "rc": 137}]}}, "refused"),
        ({"results": GOOD, "pruned": {"results": [{"removed": []}, {"skipped": True}]}}, None),
        ({"results": GOOD, "pruned": {"skipped": True}}, None),
    ],
)
def test_one_host(host: dict[str, Any], kind: str | None) -> None:
    assert kinds(host) == ({"a": kind} if kind else {})


def test_a_host_that_gave_way_to_another_one_is_no_failure() -> None:
    assert kinds({"saved": failed("connection")}, {"results": GOOD}, {"cluster": "b", "asked": failed("api")}) == {
        "b": "api"
    }


def test_what_a_save_says_comes_before_what_a_question_says() -> None:
    assert kinds({"asked": failed("connection")}, {"saved": failed("bad_archive")}) == {"a": "bad_archive"}


def test_lists_of_other_lengths() -> None:
    with pytest.raises(AnsibleFilterError, match="one entry for each host"):
        backup_failures(["a"], saved=[], asked=[], results=[], pruned=[])
